package watch

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// fsNotifier is the notifier of the systems that have none of their own here:
// kqueue, ReadDirectoryChangesW and the like, by the fsnotify library.
//
// The library knows directories by their paths, and its table goes wrong when one
// is renamed: adding a directory that is watched already keeps its old path, and
// the notification of the move that follows then removes whatever is watched under
// that path (fsnotify 1.10.1, register and handleEvent). So a directory is always
// removed under its old path before it is added under the new one, and one that
// was notified as gone is forgotten.
type fsNotifier struct {
	fs *fsnotify.Watcher
	*touches
	done chan struct{} // closed when pump has ended

	mu    sync.Mutex // guards what follows
	last  handle
	dirs  map[string]handle
	paths map[handle]string
}

func newFSNotifier() (notifier, error) {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("start kernel notifications: %w", err)
	}
	n := &fsNotifier{
		fs: fs, touches: newTouches(), done: make(chan struct{}),
		dirs: map[string]handle{}, paths: map[handle]string{},
	}
	go n.pump() // ended by close
	return n, nil
}

func (n *fsNotifier) touched() *touches { return n.touches }

func (n *fsNotifier) close() {
	_ = n.fs.Close() // nothing is written, so nothing can be lost
	<-n.done
}

func (n *fsNotifier) watch(path string) (handle, error) {
	n.mu.Lock()
	h, ok := n.dirs[path]
	if !ok { // before the library knows it: it may notify at once
		n.last++
		h = n.last
		n.dirs[path], n.paths[h] = h, path
	}
	n.mu.Unlock()
	if err := n.fs.Add(path); err != nil {
		n.unwatch(h)
		return 0, err
	}
	return h, nil
}

func (n *fsNotifier) unwatch(h handle) {
	n.mu.Lock()
	path, ok := n.paths[h]
	delete(n.paths, h)
	if n.dirs[path] == h {
		delete(n.dirs, path)
	}
	n.mu.Unlock()
	if ok {
		_ = n.fs.Remove(path) // not there when the directory was deleted
	}
}

func (n *fsNotifier) moved(h handle, path string) (handle, error) {
	n.unwatch(h)
	return n.watch(path)
}

// pump collects notifications until close.
func (n *fsNotifier) pump() {
	defer close(n.done)
	for {
		select {
		case e, ok := <-n.fs.Events:
			if !ok {
				return
			}
			n.event(e)
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

func (n *fsNotifier) event(e fsnotify.Event) {
	o := opOf(e.Op)
	if in, err := lstat(e.Name); err == nil && in.kind == dir {
		o |= opDirectory
	}
	n.mu.Lock()
	parent, self := n.dirs[filepath.Dir(e.Name)], n.dirs[e.Name]
	n.mu.Unlock()
	n.note(func() {
		if parent != 0 {
			n.add(parent, []byte(filepath.Base(e.Name)), o)
		}
		if self != 0 && o&opDeparted != 0 { // the library has removed its watch, or will
			n.add(self, nil, opUnwatched)
		}
	})
}

func opOf(from fsnotify.Op) op {
	var to op
	if from.Has(fsnotify.Create) {
		to |= opAppeared | opMoved // the library does not tell the two apart
	}
	if from.Has(fsnotify.Remove) || from.Has(fsnotify.Rename) {
		to |= opDeparted | opDirectory // or was one: nothing tells
	}
	if from.Has(fsnotify.Write) {
		to |= opWritten
	}
	if from.Has(fsnotify.Chmod) {
		to |= opTouched
	}
	return to
}
