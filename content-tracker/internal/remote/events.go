package remote

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

// track handles events, several paths at once, those of one path in their order.
// A directory's rename is waited for on both sides: it concerns many paths.
func (w *Watcher) track(ctx context.Context, events []*watcherv1.Event) error {
	for len(events) > 0 {
		n := 0
		for n < len(events) && events[n].Kind != watcherv1.EntryKind_ENTRY_KIND_DIRECTORY {
			n++
		}
		if err := w.trackFiles(ctx, events[:n]); err != nil {
			return err
		}
		if n < len(events) {
			if err := w.moveDirectory(ctx, events[n]); err != nil {
				return err
			}
			n++
		}
		events = events[n:]
	}
	return nil
}

// trackFiles shares events among workers by path. The disk decides what is
// recorded, so of several events of a path only their order matters.
func (w *Watcher) trackFiles(ctx context.Context, events []*watcherv1.Event) error {
	queues := map[string][]*watcherv1.Event{}
	for _, event := range events {
		path := rawpath.Join(event.Path, event.RawPath)
		queues[path] = append(queues[path], event)
	}
	slots := make(chan struct{}, w.tracker.Parallel()) // bounds the goroutines
	errs := make(chan error, len(queues))              // each path sends once
	var group sync.WaitGroup
	for _, queue := range queues {
		slots <- struct{}{}
		group.Go(func() { // ends with its queue
			defer func() { <-slots }()
			for _, event := range queue {
				result, err := w.retry(ctx, request(event))
				if err != nil {
					errs <- err
					return
				}
				w.doubt(event, result)
			}
		})
	}
	group.Wait()
	close(errs)
	return errors.Join(<-errs) // nil when there was none
}

func request(event *watcherv1.Event) track.Request {
	return track.Request{Path: rawpath.Join(event.Path, event.RawPath), OldPath: rawpath.Join(event.OldPath, event.RawOldPath)}
}

// retry tracks a path until it is recorded or cannot be. A locked database, a full
// disk and a lack of file handles pass: the cursor waits for them. A file that changes while it is read
// will have another event, and a root that waits is reconciled when it is back.
func (w *Watcher) retry(ctx context.Context, r track.Request) (track.Result, error) {
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		result, err := w.tracker.Track(ctx, r)
		switch {
		case err == nil, errors.Is(err, track.ErrNotFound), errors.Is(err, track.ErrKeepsChanging):
			return result, nil
		case ctx.Err() != nil:
			return result, ctx.Err()
		case errors.Is(err, track.ErrRootWaiting):
			w.resync("")
			return result, nil
		case !track.Passes(err):
			w.failed.Inc()
			w.log.Warn("file not tracked", "path", r.Path, "err", err)
			return result, nil
		}
		if wait == firstWait {
			w.log.Warn("file not tracked yet, trying again", "path", r.Path, "err", err)
		}
		select {
		case <-ctx.Done():
			return result, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// doubt notes where the disk was not what an event had said.
func (w *Watcher) doubt(event *watcherv1.Event, result track.Result) {
	r := request(event)
	gone := event.ChangeType == watcherv1.ChangeType_CHANGE_TYPE_DELETED
	if gone != (result.Version == nil) {
		w.doubts.add(r.Path)
	}
	if r.OldPath != "" && result.Type != track.Moved {
		w.doubts.add(r.OldPath)
	}
}

// lookAgain looks at the places in doubt that the watcher has settled. What is
// found different is in doubt again: it may be on its way elsewhere.
func (w *Watcher) lookAgain(ctx context.Context) error {
	for _, path := range w.doubts.take() {
		changed, err := w.tracker.Look(ctx, path)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, track.ErrRootWaiting):
			w.resync("")
		case err != nil || changed:
			w.doubts.add(path)
		}
		if err != nil {
			w.log.Debug("place in doubt not compared", "path", path, "err", err)
		}
	}
	return nil
}

func (w *Watcher) moveDirectory(ctx context.Context, event *watcherv1.Event) error {
	r := request(event)
	w.doubts.add(r.Path)
	w.doubts.add(r.OldPath)
	steps, err := w.tracker.MoveDirectory(ctx, r.OldPath, r.Path)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if track.Passes(err) {
		return err // the cursor stays: what moved already is passed over the next time
	}
	if err != nil {
		w.failed.Inc()
		w.log.Warn("renamed directory not tracked in whole", "path", r.Path, "old_path", r.OldPath, "err", err)
	} else {
		w.log.Debug("renamed directory tracked", "path", r.Path, "old_path", r.OldPath, "files", steps)
	}
	return nil
}
