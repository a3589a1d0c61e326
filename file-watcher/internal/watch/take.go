package watch

import (
	"path/filepath"
	"slices"
	"time"
)

// take makes what the kernel reported dirty, and follows directories at once.
func (w *Watcher) take(now time.Time) {
	touches, overflow, err := w.notify.take()
	if err != nil {
		w.log.Error("kernel notifications report an error", "err", err)
	}
	if overflow {
		w.counts.overflows.Add(1)
		w.log.Warn("kernel event queue overflowed, every root is scanned again")
	}
	for _, r := range w.roots {
		if overflow && r.look(now) {
			r.reload()
			r.scan(r.tree.top, scan{deep: true})
		}
		r.take(touches, now)
	}
}

// landed is a directory that was found at a path where something happened.
type landed struct {
	path string
	in   info
}

func (r *root) take(touches []touch, now time.Time) {
	var dirs []landed
	for _, t := range touches {
		rel, ok := below(r.path, t.path)
		switch {
		case !ok || r.state == Waiting:
		case rel == "":
			if r.look(now) && !r.w.notify.watching(r.path, r.tree.top.info.id) {
				r.scan(r.tree.top, scan{deep: true})
			}
		case t.op == opWritten: // of a file: directories are not written
			if r.relevant(t.path) {
				r.settle.add(t.path, mark{written: true}, now)
			}
		default:
			if in, ok := r.touched(t, now); ok {
				dirs = append(dirs, landed{t.path, in})
			}
		}
	}
	// A directory that lands on a free name goes before one that lands on the name
	// of another: `mv dist old; mv new dist` is then two renames. Of a swap (case
	// 9) only one half can be told as a rename.
	slices.SortStableFunc(dirs, func(a, b landed) int {
		return order(r.tree.lookup(a.path) != nil) - order(r.tree.lookup(b.path) != nil)
	})
	for _, d := range dirs {
		r.directory(d.path, d.in, scan{})
	}
}

func order(later bool) int {
	if later {
		return 1
	}
	return 0
}

// touched makes a path dirty; a directory is returned instead.
func (r *root) touched(t touch, now time.Time) (info, bool) {
	// An error is met again when the path has settled.
	in, _ := lstat(t.path)
	if in.kind == dir {
		if r.isPatternFile(t.path) { // it took the file's place
			r.settle.add(t.path, mark{}, now)
		}
		return in, true
	}
	if n := r.tree.lookup(t.path); n != nil && n.info.kind == dir {
		n.hidden = true
	}
	if r.relevant(t.path) {
		m := mark{written: t.op&opWritten != 0}
		if in.kind == file && t.op&opAppeared != 0 {
			m.id = in.id
		}
		r.settle.add(t.path, m, now)
	}
	return info{}, false
}

// relevant reports whether path is known or would be, so that the rest does not
// even wait.
func (r *root) relevant(path string) bool {
	return r.rules.Match(r.rel(path)) || r.isPatternFile(path) || r.tree.lookup(path) != nil
}

// directory follows what happened to the directory in, found at path. A scan is
// asked for unless the directory is watched already.
func (r *root) directory(path string, in info, s scan) {
	parent, name := r.tree.directory(path), filepath.Base(path)
	if parent == nil || r.rules.Empty() || !r.rules.Descend(r.rel(path)) {
		return // in a directory that is about to be scanned, or of no interest
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
		r.tree.replace(n, in)
		s.deep = true
	case n.hidden || !r.w.notify.watching(path, in.id) || r.unread[n] != nil:
		s.deep = true
	case s.deep || readable(path) != nil: // case 15: the scan finds out and tells
	default:
		return
	}
	n.hidden = false
	r.scan(n, s)
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
