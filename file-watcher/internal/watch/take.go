package watch

import (
	"slices"
	"time"
)

// take makes what the kernel notified dirty, and follows directories at once.
func (w *Watcher) take(now time.Time) {
	list, overflow, err := w.notify.touched().take()
	if err != nil {
		w.log.Error("kernel notifications report an error", "err", err)
	}
	w.tidy.worked(len(list), now)
	for len(list) > 0 { // by directory: mostly many in a row are of the same one
		of := list[0].dir
		n := 1
		for n < len(list) && list[n].dir == of {
			n++
		}
		for _, owner := range w.handles.owners(of) {
			w.takeIn(owner, list[:n], now)
		}
		list = list[n:]
	}
	if overflow {
		w.counts.overflows.Add(1)
		w.log.Warn("kernel event queue overflowed, every root is scanned again")
		w.rescan(now)
	}
	for _, r := range w.roots {
		r.followLanded()
	}
}

// rescan looks at every root again.
func (w *Watcher) rescan(now time.Time) {
	for _, r := range w.roots {
		r.rescan(now)
	}
}

// takeIn takes what was notified of the directory n.
func (w *Watcher) takeIn(n *node, list []touch, now time.Time) {
	r := w.rootOf(n)
	if r == nil || r.state == Waiting || !r.tree.reaches(n) {
		return
	}
	path := r.tree.pathOf(n)
	for _, t := range list {
		if t.name == "" {
			r.touchedItself(n, t, now)
		} else {
			r.touched(n, path+"/"+t.name, t, now)
		}
	}
}

// rootOf returns the root that n belongs to, nil where it was removed.
func (w *Watcher) rootOf(n *node) *root {
	for n.parent != nil {
		n = n.parent
	}
	for _, r := range w.roots {
		if r.tree.top == n {
			return r
		}
	}
	return nil
}

// landed is where a directory was found.
type landed struct {
	place
	moved bool // it was moved there
}

// touchedItself takes what was notified of the directory n itself, and not of an
// entry of it.
func (r *root) touchedItself(n *node, t touch, now time.Time) {
	if t.op&opUnwatched != 0 {
		r.w.handles.release(n) // a notifier may know it still
	}
	switch {
	case n == r.tree.top:
		if r.look(now) && n.handle == 0 {
			r.scan(n, scan{deep: true})
		}
	case t.op&opUnmounted != 0: // what it covered is there again, which nothing notifies (case 14)
		r.scan(n.parent, scan{})
	case t.op&opUnwatched != 0:
		// Mostly it is gone. But another directory may have taken its place and
		// been read already, when it seemed to be watched.
		r.scan(n, scan{deep: true})
	case r.unread[n] != nil: // its mode may have changed (case 15)
		r.scan(n, scan{deep: true})
	}
}

// touched takes what was notified of an entry of the directory n: a directory is
// kept for followLanded, anything else becomes dirty.
func (r *root) touched(n *node, path string, t touch, now time.Time) {
	e, known := place{n, t.name}, n.children[t.name]
	if known != nil {
		e.name = known.name // one string for both
	}
	m := mark{written: t.op&opWritten != 0}
	if t.op&opDirectory != 0 || known != nil && known.info.kind == dir || t.op&opMoved != 0 {
		in, err := lstat(path)
		if err != nil && !gone(err) { // such as a path longer than the system takes (case 36)
			r.unread[n] = at(path, err)
		}
		if in.kind == dir {
			r.landed = append(r.landed, landed{e, t.op&opMoved != 0})
			if !r.isPatternFile(path) {
				return
			} // else it took the file's place
		} else if known != nil && known.info.kind == dir {
			known.hidden = true
		}
		if in.kind == file && t.op&opMoved != 0 {
			m.id = in.id
		}
	}
	if known != nil || r.rules.Match(r.rel(path)) || r.isPatternFile(path) {
		r.settle.add(e, m, now)
	}
}

// followLanded deals with the directories that were found. One that lands on a
// free name goes before one that lands on the name of another: `mv dist old; mv
// new dist` is then two renames. Of a swap (case 9) only one half can be told as a
// rename.
func (r *root) followLanded() {
	dirs := r.landed
	r.landed = nil
	taken := func(e landed) int {
		if e.dir.children[e.name] == nil {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(dirs, func(a, b landed) int { return taken(a) - taken(b) })
	for _, e := range dirs {
		path := r.tree.pathOf(e.dir) + "/" + e.name // another of them may have moved it
		if in, err := lstat(path); err == nil && in.kind == dir {
			// One that was moved may have been outside, where what came into it
			// could not be looked at.
			r.directory(e.dir, e.name, path, in, scan{deep: e.moved})
		}
	}
}

// directory follows what happened to the directory in, found at path, which is
// name in parent. A scan is asked for unless the directory is watched already.
func (r *root) directory(parent *node, name, path string, in info, s scan) {
	if !r.tree.reaches(parent) || r.rules.Empty() || !r.rules.Descend(r.rel(path)) {
		return // of no interest
	}
	n := parent.children[name]
	if from := r.movedFrom(in.id, parent, n); from != nil {
		r.moveDirectory(from, parent, name)
		return
	}
	if n != nil && n.info.kind != dir {
		r.delete(n) // case 10: told before what is in the directory
		n = nil
	}
	switch {
	case n == nil:
		n = r.tree.add(parent, name, in)
	case n.info.id != in.id:
		r.replace(n, in)
		s.deep = true
	case n.hidden || n.handle == 0 && !r.polls(n) || r.unread[n] != nil:
		s.deep = true
	case s.deep || readable(path) != nil: // case 15: the scan finds out and tells
	default:
		return
	}
	n.hidden = false
	r.scan(n, s)
}

// replace notes that another directory has taken the place of n.
func (r *root) replace(n *node, in info) {
	r.w.handles.release(n)
	r.tree.replace(n, in)
}

// movedFrom returns the known directory that a renamed directory was, to be moved
// to where n is below parent; nil where it was none.
func (r *root) movedFrom(id ident, parent, n *node) *node {
	from := r.tree.dirs[id]
	if from == nil || from == n || from == r.tree.top || parent.within(from) {
		return nil
	}
	if in, err := lstat(r.tree.pathOf(from)); err == nil && in.id == id {
		return nil // a bind mount, not a rename
	}
	return from
}
