package watch

import (
	"path/filepath"
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

// arrival is a settled path at which there is a file that matches.
type arrival struct {
	path string
	mark mark
	in   info
}

// vanish deals with the settled paths at which there is nothing, and keeps the
// others for arrive.
func (r *root) vanish(rested []dirty, now time.Time) {
	r.arrivals = nil
	looked := false
	for _, d := range rested {
		if r.state == Waiting || d.path == r.path {
			if r.state == Waiting && d.path == r.path {
				r.lose()
			}
			continue // all is scanned when the root is back
		}
		r.reloadDue = r.reloadDue || r.isPatternFile(d.path)
		in, err := r.stat(d.path)
		n := r.tree.lookup(d.path)
		switch {
		case err != nil: // it cannot be told: nothing is recorded as deleted (41)
			if parent := r.tree.directory(d.path); parent != nil {
				r.unread[parent] = at(d.path, err)
			}
		case in.kind == file && r.rules.Match(r.rel(d.path)):
			r.arrivals = append(r.arrivals, arrival{d.path, d.mark, in})
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

// stat returns what is at path; none where its directory is not known or hidden.
func (r *root) stat(path string) (info, error) {
	if path == r.path || r.tree.directory(path) == nil {
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
			r.unwatch(below)
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
	parent, name := r.tree.directory(a.path), filepath.Base(a.path)
	if parent == nil { // deleted by the arrival of a file in its place
		return
	}
	n := parent.children[name]
	if n != nil && n.info.kind == dir {
		r.delete(n)
		n = nil
	}
	switch {
	case (n == nil || n.info.id != a.in.id) && r.renamed(a, parent, n):
	case n == nil:
		r.tree.add(parent, name, a.in)
		r.emit(Event{Type: Created, Path: a.path, Size: a.in.size, ModTime: a.in.modTime, Initial: a.mark.initial})
	default:
		r.departed.drop(n)
		changed := a.mark.written || !n.info.same(a.in)
		n.info = a.in
		if changed {
			r.emit(Event{Type: Modified, Path: a.path, Size: a.in.size, ModTime: a.in.modTime})
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
	r.tree.reset(r.tree.top.info)
}

// delete reports a file, or all files below a directory, as deleted now.
func (r *root) delete(n *node) {
	for _, path := range r.filesBelow(n) {
		r.emit(Event{Type: Deleted, Path: path})
	}
	parent := n.parent
	r.unwatchAll(n)
	r.forget(n)
	r.prune(parent)
}

// forget removes n and what is below it without a word.
func (r *root) forget(n *node) {
	for below := range n.all() {
		r.departed.drop(below)
		delete(r.unwatched, below)
		delete(r.unread, below)
	}
	r.tree.remove(n)
}

// prune removes n, and the directories above it, while they are hidden and empty.
func (r *root) prune(n *node) {
	for n != r.tree.top && n.hidden && len(n.children) == 0 && n.parent != nil {
		parent := n.parent
		r.unwatch(n)
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
	r.w.journal.append(e)
}

// unwatch ends the notifications about the directory n, unless another watch
// needs them (case 11).
func (r *root) unwatch(n *node) {
	path := r.tree.pathOf(n)
	for _, other := range r.w.roots {
		if other == r || other.state == Waiting {
			continue
		}
		if same := other.tree.lookup(path); same != nil && same.info.kind == dir {
			return
		}
	}
	r.w.notify.unwatch(path)
}

func (r *root) unwatchAll(n *node) {
	for below := range n.all() {
		if below.info.kind == dir {
			r.unwatch(below)
		}
	}
}
