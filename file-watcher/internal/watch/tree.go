package watch

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// node is a directory that is watched, or a file that subscribers know.
type node struct {
	name     string
	parent   *node // nil for the root and for what was removed
	info     info
	children map[string]*node // of a directory, nil while there is none
	handle   handle           // of a directory, zero where it is not watched

	// hidden marks a directory whose path names something else by now. Nothing
	// is looked up below it: a symlink in its place would lead out of the root.
	hidden bool

	queued scan // of a directory, what is asked of its next scan
}

// tree is what subscribers have been told of one root: the directories that are
// watched and the files that were reported, or were there before. It never
// touches the disk. Directories are also found by identity, because a renamed
// one is recognised by it.
type tree struct {
	top   *node
	path  string // of top
	dirs  map[ident]*node
	files int
	count int // directories
}

func newTree(path string, top info) *tree {
	t := &tree{path: path}
	t.reset(top)
	return t
}

// reset forgets everything but the root directory itself.
func (t *tree) reset(top info) {
	t.top = &node{info: top}
	t.dirs = map[ident]*node{top.id: t.top}
	t.files, t.count = 0, 1
}

// below returns path relative to root, "" for root itself, and whether it is
// root or below it.
func below(root, path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, root)
	switch {
	case !ok:
		return "", false
	case rest == "":
		return "", true
	case rest[0] == '/':
		return rest[1:], true
	}
	return "", false
}

// lookup returns the node of an absolute path, nil where there is none.
func (t *tree) lookup(path string) *node {
	rel, ok := below(t.path, path)
	if !ok {
		return nil
	}
	n := t.top
	for rel != "" && n != nil {
		var name string
		name, rel, _ = strings.Cut(rel, "/")
		n = n.children[name]
	}
	return n
}

// reaches reports whether the directory n is part of the tree and can be found at
// its path.
func (t *tree) reaches(n *node) bool {
	for ; !n.hidden; n = n.parent {
		if n.parent == nil {
			return n == t.top
		}
	}
	return false
}

// holds reports whether n is part of the tree.
func (t *tree) holds(n *node) bool {
	for n.parent != nil {
		n = n.parent
	}
	return n == t.top
}

// pathOf returns the absolute path of n.
func (t *tree) pathOf(n *node) string {
	if n.parent == nil {
		return t.path
	}
	return t.pathOf(n.parent) + "/" + n.name
}

// add puts a new node into parent.
func (t *tree) add(parent *node, name string, in info) *node {
	n := &node{name: name, parent: parent, info: in}
	parent.adopt(n)
	if in.kind != dir {
		t.files++
		return n
	}
	t.count++
	if t.dirs[in.id] == nil { // else it is a bind mount, and the first one stays
		t.dirs[in.id] = n
	}
	return n
}

// replace notes that another directory has taken the place of n.
func (t *tree) replace(n *node, in info) {
	if t.dirs[n.info.id] == n {
		delete(t.dirs, n.info.id)
	}
	n.info = in
	if t.dirs[in.id] == nil {
		t.dirs[in.id] = n
	}
}

// remove takes n, and all that is below it, out of the tree.
func (t *tree) remove(n *node) {
	for below := range n.all() {
		if below.info.kind != dir {
			t.files--
			continue
		}
		t.count--
		if t.dirs[below.info.id] == below {
			delete(t.dirs, below.info.id)
		}
	}
	delete(n.parent.children, n.name)
	n.parent, n.children = nil, nil
}

// detach takes n out of its place, to be given another one by attach.
func (t *tree) detach(n *node) { delete(n.parent.children, n.name) }

// attach gives a detached n another place, which must be free and not below n.
func (t *tree) attach(n, parent *node, name string) {
	n.parent, n.name = parent, name
	parent.adopt(n)
}

func (n *node) adopt(child *node) {
	if n.children == nil { // many directories know no file
		n.children = map[string]*node{}
	}
	n.children[child.name] = child
}

// within reports whether n is top or below it.
func (n *node) within(top *node) bool {
	for ; n != nil; n = n.parent {
		if n == top {
			return true
		}
	}
	return false
}

// all yields n and everything below it, each before what is below it, sorted by
// name. The node just yielded may be removed.
func (n *node) all() iter.Seq[*node] {
	return func(yield func(*node) bool) { n.each(yield) }
}

func (n *node) each(yield func(*node) bool) bool {
	if !yield(n) {
		return false
	}
	for _, name := range n.names() {
		if !n.children[name].each(yield) {
			return false
		}
	}
	return true
}

// names returns the names of what is known in the directory n.
func (n *node) names() []string { return slices.Sorted(maps.Keys(n.children)) }

// hasFiles reports whether any file is known below n.
func (n *node) hasFiles() bool {
	for below := range n.all() {
		if below.info.kind == file {
			return true
		}
	}
	return false
}
