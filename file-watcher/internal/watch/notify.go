package watch

import (
	"errors"
	"slices"
	"sync"
)

// op says what was notified of a directory's entry, as far as it matters.
type op uint8

const (
	opAppeared  op = 1 << iota // created or moved here
	opMoved                    // in particular: moved here
	opDeparted                 // deleted or moved away
	opWritten                  // content, of a file
	opTouched                  // attributes or times, or closed after writing
	opDirectory                // the entry is, or was, a directory
	opUnwatched                // the directory itself is not watched any more
	opUnmounted                // because its file system was unmounted
)

// handle names a watched directory for as long as it is watched: a notifier never
// gives the same one to two directories. Zero is none.
type handle int32

// touch is an entry of a watched directory, "" for the directory itself, and
// everything that was notified of it since the last take.
type touch struct {
	dir  handle
	name string
	op   op
}

// notifier is the kernel's notifications. Its methods but touched are for Run's
// goroutine.
type notifier interface {
	// watch asks for notifications about the entries of the directory at path,
	// without following a symlink. A directory that is watched already keeps its
	// handle. When it returns, every later change is noticed.
	watch(path string) (handle, error)
	// unwatch ends them. What was notified before may still be taken.
	unwatch(h handle)
	// touched returns where the notifications arrive.
	touched() *touches
	// close ends all of them and waits for the notifier's goroutine.
	close()
}

// mover is a notifier that knows directories by their paths and has to be told
// when one is renamed. It returns the directory's new handle.
type mover interface {
	moved(h handle, path string) (handle, error)
}

// touches collects notifications: which entries, and in which order they were
// first touched. An entry touched again meanwhile costs nothing, so that whatever
// the loop is busy with, what waits for it is bounded by what there is on disk.
type touches struct {
	wake chan struct{} // has a value while take has something to return

	mu       sync.Mutex // guards what follows
	list     []touch
	index    map[entryName]int32 // of list; nil while the list is short
	overflow bool
	errs     []error
}

type entryName struct {
	dir  handle
	name string
}

// shortList is how many touches are searched one by one: a single change needs no
// index.
const shortList = 8

func newTouches() *touches { return &touches{wake: make(chan struct{}, 1)} }

// note changes what was collected and wakes the loop.
func (t *touches) note(change func()) {
	t.mu.Lock()
	change()
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default: // the loop will come anyway
	}
}

// add notes a notification, with mu held. It keeps no reference to name.
func (t *touches) add(dir handle, name []byte, o op) {
	if i := t.find(dir, name); i >= 0 {
		t.list[i].op |= o
		return
	}
	added := touch{dir, string(name), o}
	t.list = append(t.list, added)
	switch n := len(t.list); {
	case n < shortList:
	case n == shortList:
		t.index = make(map[entryName]int32, 2*shortList)
		for i, e := range t.list {
			t.index[entryName{e.dir, e.name}] = int32(i)
		}
	default:
		t.index[entryName{dir, added.name}] = int32(n - 1)
	}
}

func (t *touches) find(dir handle, name []byte) int {
	last := len(t.list) - 1
	if last >= 0 && t.list[last].is(dir, name) { // mostly one file has several in a row
		return last
	}
	if t.index == nil {
		return slices.IndexFunc(t.list, func(e touch) bool { return e.is(dir, name) })
	}
	if i, ok := t.index[entryName{dir, string(name)}]; ok { // compiled without a copy of name
		return int(i)
	}
	return -1
}

func (t *touch) is(dir handle, name []byte) bool { return t.dir == dir && t.name == string(name) }

// take returns what was touched since the last call, in the order in which it was
// first touched, whether the kernel dropped other notifications, and errors.
func (t *touches) take() (list []touch, overflow bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list, overflow, err = t.list, t.overflow, errors.Join(t.errs...)
	// Not emptied but dropped: after a storm they would stay large.
	t.list, t.index, t.overflow, t.errs = nil, nil, false, nil
	return list, overflow, err
}
