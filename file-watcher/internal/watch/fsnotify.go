package watch

import (
	"errors"
	"fmt"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// op says what the kernel reported of a path, as far as it matters.
type op uint8

const (
	opAppeared op = 1 << iota // created or moved here
	opDeparted                // deleted or moved away
	opWritten
	opTouched // attributes: mode, owner, times
)

// touch is a path and everything that was reported of it since the last take.
type touch struct {
	path string
	op   op
}

// notifier is the kernel's notifications, reduced to a set of touched paths.
//
// A goroutine of its own empties fsnotify's channel at once, whatever the loop is
// busy with, so that the kernel's queue overflows only when the machine cannot
// keep up at all; paths touched again meanwhile cost nothing.
//
// It keeps its own table of what is watched under which path, because that of
// fsnotify goes wrong when directories are renamed: adding a directory that is
// watched already keeps its old path, and the IN_MOVE_SELF that follows then
// removes whatever is watched under that path (fsnotify 1.10.1, register and
// handleEvent). So a directory is always removed under its old path before it is
// added under the new one.
type notifier struct {
	fs   *fsnotify.Watcher
	add  func(path string) error // of fs; tests let it fail
	wake chan struct{}           // has a value while take has something to return
	done chan struct{}           // closed when the goroutine has ended

	mu       sync.Mutex // guards what follows
	touches  []touch
	index    map[string]int // of a path in touches
	overflow bool
	errs     []error

	// Used by the caller of watch, unwatch and take alone.
	ids   map[string]ident
	paths map[ident]string
}

func newNotifier() (*notifier, error) {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("start kernel notifications: %w", limitError(err))
	}
	return &notifier{
		fs: fs, add: fs.Add, wake: make(chan struct{}, 1), done: make(chan struct{}),
		index: map[string]int{}, ids: map[string]ident{}, paths: map[ident]string{},
	}, nil
}

// close ends pump.
func (n *notifier) close() {
	_ = n.fs.Close() // nothing is written, so nothing can be lost
	<-n.done
}

// pump collects notifications until close.
func (n *notifier) pump() {
	defer close(n.done)
	for {
		select {
		case e, ok := <-n.fs.Events:
			if !ok {
				return
			}
			n.note(func() { n.touch(e.Name, opOf(e.Op)) })
		case err, ok := <-n.fs.Errors:
			if !ok {
				return
			}
			n.note(func() {
				if errors.Is(err, fsnotify.ErrEventOverflow) {
					n.overflow = true
				} else {
					n.errs = append(n.errs, err)
				}
			})
		}
	}
}

func (n *notifier) note(change func()) {
	n.mu.Lock()
	change()
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default: // the loop will come anyway
	}
}

func (n *notifier) touch(path string, o op) {
	if i, ok := n.index[path]; ok {
		n.touches[i].op |= o
		return
	}
	n.index[path] = len(n.touches)
	n.touches = append(n.touches, touch{path, o})
}

func opOf(from fsnotify.Op) op {
	var to op
	if from.Has(fsnotify.Create) {
		to |= opAppeared
	}
	if from.Has(fsnotify.Remove) || from.Has(fsnotify.Rename) {
		to |= opDeparted
	}
	if from.Has(fsnotify.Write) {
		to |= opWritten
	}
	if from.Has(fsnotify.Chmod) {
		to |= opTouched
	}
	return to
}

// take returns the paths touched since the last call, in the order in which they
// were first touched, whether the kernel dropped others, and errors.
func (n *notifier) take() (touches []touch, overflow bool, err error) {
	n.mu.Lock()
	touches, overflow, err = n.touches, n.overflow, errors.Join(n.errs...)
	n.touches, n.overflow, n.errs = nil, false, nil
	n.index = map[string]int{} // not cleared: after a storm it would stay large
	n.mu.Unlock()
	if overflow {
		// Moves may be among what was dropped, so that no path in fsnotify's table
		// can be trusted: the rescan that follows adds every directory again.
		for path := range n.ids {
			n.unwatch(path)
		}
	}
	for _, t := range touches {
		if t.op&opDeparted != 0 {
			// A moved directory may be back by now, but fsnotify has removed or
			// will remove its watch: forget it, so that it is added again.
			n.unwatch(t.path)
		}
	}
	return touches, overflow, err
}

// watch asks for notifications about the entries of the directory id at path.
// When it returns without error, every later change is noticed.
func (n *notifier) watch(path string, id ident) error {
	if have, ok := n.ids[path]; ok && have == id {
		return nil
	}
	n.unwatch(path)
	if other, ok := n.paths[id]; ok {
		if in, err := lstat(other); err == nil && in.id == id {
			return errAlias
		}
		n.unwatch(other)
	}
	if err := n.add(path); err != nil {
		return limitError(err)
	}
	// inotify follows symlinks, and the directory may have been replaced by one,
	// or by another directory, since the caller looked.
	if in, err := lstat(path); err != nil || in.id != id {
		_ = n.fs.Remove(path)
		return errReplaced
	}
	n.ids[path], n.paths[id] = id, path
	return nil
}

// unwatch ends notifications about the directory that was watched at path.
func (n *notifier) unwatch(path string) {
	id, ok := n.ids[path]
	if !ok {
		return
	}
	// The kernel has removed the watch of a deleted directory already, and
	// fsnotify that of a moved one: then there is nothing to remove.
	_ = n.fs.Remove(path)
	delete(n.ids, path)
	if n.paths[id] == path {
		delete(n.paths, id)
	}
}

// watching reports whether the directory id is watched at path.
func (n *notifier) watching(path string, id ident) bool {
	have, ok := n.ids[path]
	return ok && have == id
}

// count returns the number of watched directories.
func (n *notifier) count() int { return len(n.ids) }
