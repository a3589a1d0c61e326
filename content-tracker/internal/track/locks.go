package track

import (
	"slices"
	"sync"
)

// locks lets one caller at a time work on a path.
type locks struct {
	mu   sync.Mutex // guards held
	held map[string]*lock
}

type lock struct {
	mu    sync.Mutex
	users int // who holds it or waits for it; guarded by locks.mu
}

// lock locks the paths and returns the function that unlocks them. Each caller
// takes its paths in one order, so two moves that cross do not wait for each
// other.
func (l *locks) lock(paths ...string) (unlock func()) {
	slices.Sort(paths)
	paths = slices.Compact(paths)
	for _, path := range paths {
		l.take(path).mu.Lock()
	}
	return func() {
		for _, path := range paths {
			l.release(path)
		}
	}
}

func (l *locks) take(path string) *lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = map[string]*lock{}
	}
	one := l.held[path]
	if one == nil {
		one = &lock{}
		l.held[path] = one
	}
	one.users++
	return one
}

func (l *locks) release(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.held[path]
	if one.users--; one.users == 0 {
		delete(l.held, path)
	}
	one.mu.Unlock()
}
