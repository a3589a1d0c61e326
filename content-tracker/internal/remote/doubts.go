package remote

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// doubts are the places where the disk, when it was looked at, was not what the
// watcher's events had said: a file that an event called deleted was there again,
// one that was renamed had moved on. The tracker records what it finds, but the
// watcher tells only of what lasts: a file that comes and goes within its quiet
// delay is never mentioned. So such a place is looked at again when the watcher
// has settled it, until it is found as it was recorded.
type doubts struct {
	mu         sync.Mutex // guards what follows: events are tracked concurrently
	patience   time.Duration
	due        time.Time
	young, old map[string]struct{} // old have waited for patience at least when due
}

func newDoubts() *doubts {
	return &doubts{young: map[string]struct{}{}, old: map[string]struct{}{}}
}

// settleAfter says how long the watcher takes at most to settle a path.
func (d *doubts) settleAfter(patience time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.patience = max(d.patience, patience)
}

// add notes a place, a file or a directory.
func (d *doubts) add(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.young)+len(d.old) == 0 {
		d.due = time.Now().Add(d.patience)
	}
	d.young[path] = struct{}{}
}

// wait returns what fires when there is something to look at again: nil, which
// never does, while there is no doubt.
func (d *doubts) wait() <-chan time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.young)+len(d.old) == 0 {
		return nil
	}
	return time.After(time.Until(d.due))
}

// take returns the places that have waited long enough, if it is time.
func (d *doubts) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Now().Before(d.due) {
		return nil
	}
	ripe := slices.Sorted(maps.Keys(d.old))
	d.old, d.young = d.young, map[string]struct{}{}
	d.due = time.Now().Add(d.patience)
	return ripe
}
