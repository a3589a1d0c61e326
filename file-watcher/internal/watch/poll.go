package watch

import (
	"errors"
	"os"
	"time"

	"github.com/obby/go-services/internal/pathrule"
)

// The shape of polling. Guesses, all but fileTick.
const (
	// pollShare bounds what polling costs: a round that took t is followed by a
	// pause of at least t times this.
	pollShare = 9
	// pollGrowth is by how much a pause grows while nothing is found.
	pollGrowth = 1.5
	// pollTurn is how many directories are visited in one turn of Run's loop, or
	// fewer if pollFiles files have been looked at.
	pollTurn, pollFiles = 64, 512
	// fileTick is the coarsest step of a file system's times (FAT: 2 s). What
	// changed within it of when it was looked at may change again unseen.
	fileTick = 2 * time.Second
)

// poller decides when the directories of a root that the kernel does not watch
// are visited: all of them in a round, with pauses that shrink to a floor when
// something was found and grow to a ceiling when not.
type poller struct {
	floor, ceiling time.Duration

	dirs  map[*node]listing
	why   map[*node]error // of those that should have been watched
	pause time.Duration   // before the next round
	next  time.Time       // when that begins; zero while there is nothing to poll

	round   []*node       // directories still to be visited in this round
	took    time.Duration // by this round so far
	found   bool          // something, in this round
	full    bool          // the kernel took no watch in this round
	recheck []recheck
}

// listing is what a directory was when its entries were read last.
type listing struct {
	modified, changed int64
	settled           bool // it had not changed for long enough to be trusted
}

// recheck is a file that may have changed once more without a trace (case 44).
type recheck struct {
	place
	due time.Time
}

func newPoller(floor, ceiling time.Duration) *poller {
	if floor == 0 {
		floor = time.Second
	}
	return &poller{floor: floor, ceiling: max(floor, ceiling), dirs: map[*node]listing{}, why: map[*node]error{}}
}

// add has n visited from now on, because of why.
func (p *poller) add(n *node, why error, now time.Time) {
	if _, ok := p.dirs[n]; !ok {
		p.dirs[n] = listing{}
	}
	if why != nil {
		p.why[n] = why
	}
	if p.next.IsZero() {
		p.pause = p.floor
		p.next = now.Add(p.pause)
	}
}

// drop ends the visits of n.
func (p *poller) drop(n *node) {
	delete(p.dirs, n)
	delete(p.why, n)
	if len(p.dirs) == 0 {
		p.next, p.round, p.recheck = time.Time{}, nil, nil
	}
}

func (p *poller) clear() {
	clear(p.dirs)
	clear(p.why)
	p.next, p.round, p.recheck = time.Time{}, nil, nil
}

// begin starts the round that is due, of what is polled in the tree of top: each
// directory before those in it, so that one that was renamed takes these along.
func (p *poller) begin(top *node, now time.Time) {
	if p.next.IsZero() || now.Before(p.next) || len(p.round) > 0 {
		return
	}
	p.took, p.found, p.full = 0, false, false
	for dirs := []*node{top}; len(dirs) > 0; {
		n := dirs[0]
		dirs = dirs[1:]
		if _, ok := p.dirs[n]; ok {
			p.round = append(p.round, n)
		}
		for _, child := range n.children {
			if child.info.kind == dir {
				dirs = append(dirs, child)
			}
		}
	}
}

// end plans the next round.
func (p *poller) end(now time.Time) {
	p.pause = min(time.Duration(float64(p.pause)*pollGrowth), p.ceiling)
	if p.found {
		p.pause = p.floor
	}
	p.next = now.Add(max(p.pause, pollShare*p.took))
}

// due removes and returns the files that are to be looked at once more.
func (p *poller) due(now time.Time) []place {
	var out []place
	for len(p.recheck) > 0 && !now.Before(p.recheck[0].due) {
		out = append(out, p.recheck[0].place)
		p.recheck = p.recheck[1:]
	}
	return out
}

// listed remembers what the directory n was before its entries were read.
func (p *poller) listed(n *node, in info, now time.Time) {
	if _, ok := p.dirs[n]; ok {
		p.dirs[n] = listing{in.modified, in.changed, now.UnixNano()-max(in.modified, in.changed) > int64(fileTick)}
	}
}

// unchanged reports whether the entries of n are those that were read last.
func (p *poller) unchanged(n *node, in info) bool {
	return p.dirs[n] == listing{in.modified, in.changed, true}
}

// polls reports whether the directory n is visited again and again.
func (r *root) polls(n *node) bool {
	_, ok := r.poll.dirs[n]
	return ok
}

// pollNext visits some directories of a round.
func (r *root) pollNext(now time.Time) {
	p := r.poll
	before := r.settle.len() + r.tree.count
	for range pollTurn {
		if len(p.round) == 0 {
			break
		}
		n := p.round[0]
		p.round = p.round[1:]
		if r.polls(n) {
			r.visit(n, now)
		}
		if len(n.children) > pollFiles {
			break
		}
	}
	for _, e := range p.due(now) {
		r.settle.add(e, mark{written: true}, now)
	}
	p.took += time.Since(now)
	p.found = p.found || r.settle.len()+r.tree.count != before
	if len(p.round) == 0 && len(p.dirs) > 0 {
		p.end(now)
	}
}

// visit looks whether anything has changed in the directory n. Where no entry came
// or went, only its files are looked at.
func (r *root) visit(n *node, now time.Time) {
	path := r.tree.pathOf(n)
	if r.method == Notify && !r.poll.full {
		err := r.watchDirectory(n, path)
		if err == nil { // there is room again (case 39), or it could not be read
			r.scan(n, scan{deep: true})
			return
		}
		r.poll.full = errors.Is(err, ErrLimit)
	}
	if n == r.tree.top {
		if !r.look(now) {
			return
		}
		r.visitPatternFiles(now)
	}
	in, err := lstat(path)
	if err != nil || in.id != n.info.id || !r.poll.unchanged(n, in) {
		r.scanDirectory(n, scan{}, now)
		return
	}
	for name, child := range n.children {
		if child.info.kind != file {
			continue
		}
		in, err := lstat(path + "/" + name)
		if err != nil || in.kind != file {
			r.settle.add(place{n, name}, mark{}, now) // what that means is found out when it has settled
			continue
		}
		r.found(n, name, path+"/"+name, in, scan{}, now)
	}
}

// visitPatternFiles looks at what the root's pattern files lead to. They need not
// be known files, and may be symlinks.
func (r *root) visitPatternFiles(now time.Time) {
	for i, name := range [...]string{pathrule.WatchFile, pathrule.IgnoreFile} {
		seen := patternFile{}
		if in, err := os.Stat(r.path + "/" + name); err == nil {
			seen = patternFile{in.Size(), in.ModTime().UnixNano()}
		}
		if r.patternFiles[i] != seen {
			r.patternFiles[i] = seen
			r.settle.add(place{r.tree.top, name}, mark{}, now)
		}
	}
}

// patternFile is what a pattern file was when it was looked at last.
type patternFile struct{ size, modified int64 }

// polled compares a file with what is known of it, beyond what scans do: by the
// time of the last change of anything (case 44), and leaving aside the identity,
// which some file systems make up anew whenever they are asked.
func (r *root) polled(known *node, e place, in info, now time.Time) {
	if in.modified%int64(time.Second) == 0 && in.changed%int64(time.Second) == 0 && now.UnixNano()-in.changed < int64(fileTick) {
		r.poll.recheck = append(r.poll.recheck, recheck{e, now.Add(fileTick)})
	}
	if known.info.size == in.size && known.info.modified == in.modified && known.info.changed == in.changed {
		known.info.id = in.id
		return
	}
	r.settle.add(e, mark{written: true, id: in.id}, now)
}
