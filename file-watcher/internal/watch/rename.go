package watch

import "slices"

// renamed reports the arrival of a file that has departed elsewhere, over the
// known file n if there is one. It returns false where the file is a new one.
func (r *root) renamed(a arrival, n *node) bool {
	from, old := r, r.departed.find(a.in.id)
	if old == nil {
		from, old = r.w.departedElsewhere(r, a.in.id)
	}
	if old == nil {
		return false
	}
	e := Event{Type: Renamed, Path: a.path, OldPath: from.tree.pathOf(old), Size: a.in.size, ModTime: a.in.modTime()}
	if from != r {
		e.oldWatch = from.id
	}
	if n != nil {
		r.forget(n)
	}
	oldParent := old.parent
	from.forget(old)
	r.tree.add(a.dir, a.name, a.in)
	r.emit(e)
	from.prune(oldParent)
	return true
}

// departedElsewhere finds a departed file in another root (case 31). Roots inside
// each other do not count: the outer one sees both names itself.
func (w *Watcher) departedElsewhere(r *root, id ident) (*root, *node) {
	for _, other := range w.roots {
		_, outer := below(other.path, r.path)
		_, inner := below(r.path, other.path)
		if outer || inner {
			continue
		}
		if n := other.departed.find(id); n != nil {
			return other, n
		}
	}
	return nil, nil
}

// arriving reports whether the file id has turned up at any path that has not
// settled yet.
func (w *Watcher) arriving(id ident) bool {
	return slices.ContainsFunc(w.roots, func(r *root) bool { return r.settle.arriving(id) })
}

// moveDirectory follows a directory to its new name at once: its files, their
// watches, and what has happened to them and not settled yet, go with it (cases 5,
// 6). What stands in the way was deleted. The scan is for what was looked for
// under the old name when that was gone already.
func (r *root) moveDirectory(n, parent *node, name string) {
	from, to := r.tree.pathOf(n), r.tree.pathOf(parent)+"/"+name
	for below := range n.all() {
		below.hidden = false
		r.departed.drop(below) // the scan finds out which are there
	}
	r.dropUnmatched(n, from, to)
	oldParent := n.parent
	r.tree.detach(n) // what stands in the way may have held it
	if occupant := parent.children[name]; occupant != nil {
		r.delete(occupant)
	}
	r.tree.attach(n, parent, name)
	r.w.moved(r, n)
	if n.hasFiles() {
		r.emit(Event{Type: Renamed, Directory: true, Path: to, OldPath: from, ModTime: n.info.modTime()})
	}
	r.prune(oldParent)
	r.scan(n, scan{deep: true})
}

// moved tells a notifier that knows directories by their paths that n has another
// one now.
func (w *Watcher) moved(r *root, n *node) {
	notify, ok := w.notify.(mover)
	if !ok {
		return
	}
	for below := range n.all() {
		if below.handle == 0 {
			continue
		}
		h, err := notify.moved(below.handle, r.tree.pathOf(below))
		w.handles.disown(below)
		if err == nil { // else the scan tries again, and says why not
			w.handles.own(h, below)
		}
	}
}

// dropUnmatched reports the files that the patterns do not cover under the
// directory's new name as deleted under the old one (case 30).
func (r *root) dropUnmatched(n *node, from, to string) {
	for _, path := range r.filesBelow(n) {
		if !r.rules.Match(r.rel(to + path[len(from):])) {
			r.delete(r.tree.lookup(path))
		}
	}
	for below := range n.all() {
		if path := r.tree.pathOf(below); below.info.kind == dir && !r.rules.Descend(r.rel(to+path[len(from):])) {
			r.forget(below)
		}
	}
}
