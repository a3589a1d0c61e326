package watch

import "slices"

// handles knows which directories of the watched trees each handle stands for:
// one as a rule, more where roots are nested (case 11) or a directory is mounted
// at a second place. The kernel watches it once all the same.
type handles struct {
	notify notifier
	first  map[handle]*node
	more   map[handle][]*node // the others
}

func newHandles(n notifier) *handles {
	return &handles{notify: n, first: map[handle]*node{}, more: map[handle][]*node{}}
}

// own notes that h watches n, which had no handle.
func (t *handles) own(h handle, n *node) {
	n.handle = h
	if t.first[h] == nil {
		t.first[h] = n
	} else {
		t.more[h] = append(t.more[h], n)
	}
}

// release ends the watch of n, if it has one and nobody else needs it.
func (t *handles) release(n *node) {
	if n.handle == 0 {
		return
	}
	if h := n.handle; t.disown(n) {
		t.notify.unwatch(h)
	}
}

// disown takes the handle from n, and reports whether n was its last owner.
func (t *handles) disown(n *node) bool {
	h := n.handle
	n.handle = 0
	others := slices.DeleteFunc(t.more[h], func(o *node) bool { return o == n })
	if t.first[h] == n {
		if len(others) == 0 {
			delete(t.first, h)
			return true
		}
		t.first[h], others = others[0], others[1:]
	}
	if len(others) == 0 {
		delete(t.more, h)
	} else {
		t.more[h] = others
	}
	return false
}

// owners returns the directories that h stands for.
func (t *handles) owners(h handle) []*node {
	n := t.first[h]
	if n == nil {
		return nil // what is still notified after the watch has ended
	}
	return append([]*node{n}, t.more[h]...)
}

// unused ends the watch h if it belongs to no directory.
func (t *handles) unused(h handle) {
	if t.first[h] == nil {
		t.notify.unwatch(h)
	}
}

func (t *handles) count() int { return len(t.first) }
