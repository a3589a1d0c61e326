package watch

import (
	"slices"
	"time"
)

// What a settled path is reported as, by what subscribers know of it and what is
// at the path now. "Departed" is a known file that is gone from its own path.
//
//	known      now                       reported
//	nothing    nothing                   nothing: created and deleted (case 22)
//	nothing    a departed file           renamed (cases 27, 29, 31)
//	nothing    another file              created
//	file       nothing                   deleted, unless it turns up within the wait
//	file       the same, not written     nothing: a rename cycle (29), chmod (26)
//	file       the same, written         modified (case 44)
//	file       a departed file           renamed over it; nothing for the former (28)
//	file       another file              modified: atomic save, delete and re-create
//	                                     (17, 18, 19, 21)
//	file       a directory               deleted, then created for what is in it (10)
//	directory  nothing                   deleted for every known file below (4, 7)
//	directory  a file                    as before, then created (case 10)
//	directory  itself under a new name   renamed, at once (case 5)
//
// Symlinks, FIFOs, sockets, devices and files that do not match are nothing.

// arrival is a settled entry at which there is a file that matches.
type arrival struct {
	dirty
	path string
	in   info
}

// vanish deals with the settled entries at which there is nothing, and keeps the
// others for arrive.
func (r *root) vanish(rested []dirty, now time.Time) {
	r.arrivals = nil
	looked := false
	for _, d := range rested {
		if r.state == Waiting || d.name == "" {
			if r.state == Waiting && d.dir == r.tree.top && d.name == "" {
				r.lose()
			}
			continue // all is scanned when the root is back
		}
		if !r.tree.holds(d.dir) {
			continue // what was there has been reported with its directory
		}
		path := r.tree.pathOf(d.dir) + "/" + d.name
		r.reloadDue = r.reloadDue || r.isPatternFile(path)
		in, err := r.stat(d.dir, path)
		n := d.dir.children[d.name]
		switch {
		case err != nil: // it cannot be told: nothing is recorded as deleted (41)
			r.unread[d.dir] = at(path, err)
		case in.kind == file && r.rules.Match(r.rel(path)):
			r.arrivals = append(r.arrivals, arrival{d, path, in})
		case n == nil || (n.info.kind == dir && in.kind == dir):
		default:
			// When a directory above the root is renamed nothing is notified of it,
			// but every path below fails.
			if !looked && !r.look(now) {
				continue
			}
			looked = true
			r.missing(n, now)
		}
	}
}

// stat returns what is at path, in the directory parent; none where that cannot be
// reached by its path.
func (r *root) stat(parent *node, path string) (info, error) {
	if !r.tree.reaches(parent) {
		return info{}, nil
	}
	in, err := lstat(path)
	if gone(err) {
		return info{}, nil
	}
	return in, err
}

// missing lets a known file, or all files below a directory, wait for their
// other half.
func (r *root) missing(n *node, now time.Time) {
	var dirs []*node
	for below := range n.all() {
		switch {
		case below.info.kind == dir:
			below.hidden = true
			r.w.handles.release(below)
			dirs = append(dirs, below)
		case !r.departed.has(below):
			r.departed.add(below, now)
		}
	}
	for _, d := range slices.Backward(dirs) {
		r.prune(d)
	}
}

// arrive deals with the files kept by vanish.
func (r *root) arrive() {
	for _, a := range r.arrivals {
		r.present(a)
	}
	r.arrivals = nil
	if r.reloadDue {
		r.reloadDue = false
		r.reload()
	}
}

func (r *root) present(a arrival) {
	if !r.tree.reaches(a.dir) { // deleted by the arrival of a file in its place
		return
	}
	n := a.dir.children[a.name]
	if n != nil && n.info.kind == dir {
		r.delete(n)
		n = nil
	}
	switch {
	case (n == nil || n.info.id != a.in.id) && r.renamed(a, n):
	case n == nil:
		r.tree.add(a.dir, a.name, a.in)
		r.emit(Event{Type: Created, Path: a.path, Size: a.in.size, ModTime: a.in.modTime(), Initial: a.initial})
	default:
		r.departed.drop(n)
		changed := a.written || !n.info.same(a.in)
		n.info = a.in
		if changed {
			r.emit(Event{Type: Modified, Path: a.path, Size: a.in.size, ModTime: a.in.modTime()})
		}
	}
}

// bury reports the departed files whose wait is over as deleted.
func (r *root) bury(overdue []*node) {
	for _, n := range overdue {
		if r.w.arriving(n.info.id) {
			r.departed.add(n, time.Now()) // it turned up elsewhere and has yet to settle
			continue
		}
		r.delete(n)
	}
}

// lose reports everything below a missing root as deleted (case 12). Where it
// cannot be told whether the root is there nothing is.
func (r *root) lose() {
	if in, err := lstat(r.path); in.id == r.tree.top.info.id || (err != nil && !gone(err)) {
		return
	}
	for _, path := range r.filesBelow(r.tree.top) {
		r.emit(Event{Type: Deleted, Path: path})
	}
	r.departed = newDeparted()
	r.releaseAll(r.tree.top)
	r.tree.reset(r.tree.top.info)
}

// delete reports a file, or all files below a directory, as deleted now.
func (r *root) delete(n *node) {
	for _, path := range r.filesBelow(n) {
		r.emit(Event{Type: Deleted, Path: path})
	}
	parent := n.parent
	r.forget(n)
	r.prune(parent)
}

// forget removes n and what is below it without a word.
func (r *root) forget(n *node) {
	for below := range n.all() {
		r.departed.drop(below)
		r.w.handles.release(below)
		r.poll.drop(below)
		delete(r.unread, below)
	}
	r.tree.remove(n)
}

// prune removes n, and the directories above it, while they are hidden and empty.
func (r *root) prune(n *node) {
	for n != r.tree.top && n.hidden && len(n.children) == 0 && n.parent != nil {
		parent := n.parent
		r.forget(n)
		n = parent
	}
}

// filesBelow returns the paths of the known files below n, or of n.
func (r *root) filesBelow(n *node) []string {
	var paths []string
	for below := range n.all() {
		if below.info.kind == file {
			paths = append(paths, r.tree.pathOf(below))
		}
	}
	return paths
}

func (r *root) emit(e Event) {
	e.Watch, e.Time = r.id, time.Now()
	r.w.counts.events[e.Type].Add(1)
	r.w.journal.append(&e)
	r.w.tidy.worked(1, e.Time)
}

// releaseAll ends the notifications about n and the directories below it.
func (r *root) releaseAll(n *node) {
	for below := range n.all() {
		r.w.handles.release(below)
	}
}
