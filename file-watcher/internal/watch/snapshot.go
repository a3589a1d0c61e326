package watch

import (
	"context"
	"time"
)

// snapshot is what a subscription delivers before any event.
type snapshot struct {
	files []File
	next  int
}

// SubscribeSnapshot returns a subscription that begins with the files known now
// and goes on with what happens to them, without a gap between. It waits until
// every wanted root has been scanned. The caller must Close it.
//
// Errors: ErrUnknownWatch, ErrShuttingDown, ctx.Err().
func (w *Watcher) SubscribeSnapshot(ctx context.Context, f Filter) (*Subscription, error) {
	s := &Subscription{w: w, filter: f.clean(), last: time.Now()}
	if err := s.knowsWatches(ctx); err != nil {
		return nil, err
	}
	for {
		starting, err := ask(ctx, w, func() (<-chan struct{}, error) { return s.capture(), nil })
		if err != nil {
			return nil, err
		}
		if starting == nil {
			break
		}
		select {
		case <-starting:
		case <-w.done:
			return nil, ErrShuttingDown
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.queued = []Item{{Kind: Ready}}
	w.counts.subscribers.Add(1)
	return s, nil
}

// capture takes the snapshot, in Run's goroutine: what the trees say now is what
// the events up to now have told. A root that is still being scanned remembers
// files without an event, so its channel is returned instead, to be waited for.
func (s *Subscription) capture() <-chan struct{} {
	var files []File
	for _, r := range s.w.roots {
		if !s.filter.overlaps(r.id, r.path) {
			continue
		}
		if r.state == Starting {
			return r.ready
		}
		for n := range r.tree.top.all() {
			if n.info.kind != file {
				continue
			}
			if path := r.tree.pathOf(n); s.filter.Prefix == "" || s.filter.covers(path, false) {
				files = append(files, File{r.id, path, n.info.size, n.info.modTime()})
			}
		}
	}
	s.pos = s.w.journal.head()
	s.snapshot = &snapshot{files: files}
	return nil
}

// nextFile returns the next item of the snapshot.
func (s *Subscription) nextFile() Item {
	snap := s.snapshot
	if snap.next < len(snap.files) {
		snap.next++
		return Item{Kind: Snapshot, File: snap.files[snap.next-1]}
	}
	s.snapshot = nil
	return Item{Kind: SnapshotEnd, Token: s.w.journal.token(s.pos), Files: snap.next}
}
