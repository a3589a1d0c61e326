package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

const (
	// idleLimit is three heartbeats: a stream that is silent longer is dead.
	idleLimit = 15 * time.Second
	// settleBound is how many quiet delays the watcher lets a path that never rests
	// wait at most; settleMargin is for the way of the event to here, a guess.
	settleBound  = 10
	settleMargin = time.Second
	// batchEvents bounds what is handled between two steps of the cursor.
	batchEvents = 256
)

// Watcher follows the file-watcher's events and tracks what they name.
type Watcher struct {
	client  watcherv1.FileWatcherServiceClient
	tracker *track.Tracker
	log     *slog.Logger
	link    link
	failed  prometheus.Counter

	token   string   // resume token of the last event that was handled
	missing []string // roots that are not there to be watched
	doubts  *doubts

	mu        sync.Mutex          // guards unchecked: events are tracked concurrently
	unchecked map[string]struct{} // roots to reconcile before events count
	waiting   map[string]struct{} // of those, roots that are known to wait: said once
}

// NewWatcher returns the follower of a watcher.
func NewWatcher(conn grpc.ClientConnInterface, tracker *track.Tracker, log *slog.Logger, metrics prometheus.Registerer) *Watcher {
	w := &Watcher{
		client: watcherv1.NewFileWatcherServiceClient(conn), tracker: tracker, log: log,
		link: link{name: "watcher", log: log}, doubts: newDoubts(), unchecked: map[string]struct{}{}, waiting: map[string]struct{}{},
	}
	w.resync("")
	w.failed = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "obby_tracker_failed_events_total", Help: "Events whose file could not be tracked; the log names them."})
	metrics.MustRegister(w.failed)
	return w
}

// Run follows until ctx ends: it has every root watched, reads events from where
// it was, and reconciles a root whenever events alone do not tell its state.
func (w *Watcher) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := w.follow(ctx)
		if status.Code(err) == codes.InvalidArgument && w.token != "" {
			w.token = "" // of another watcher: begin anew, and look at everything
			w.resync("")
		}
		if ctx.Err() == nil {
			w.link.lost(ctx, err)
		}
	}
	return nil
}

// follow reads one stream until it ends; it always returns an error.
func (w *Watcher) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream and receive
	if err := w.watch(ctx, w.tracker.Roots()); err != nil {
		return err
	}
	stream, err := w.client.StreamEvents(ctx, &watcherv1.StreamEventsRequest{ResumeToken: w.token})
	if err != nil {
		return err
	}
	items := make(chan received, batchEvents) // so that a batch can be taken at once
	go receive(ctx, stream, items)
	for {
		batch, ended := next(ctx, items, w.doubts.wait())
		if len(batch) > 0 {
			w.link.found()
			if err := errors.Join(w.watch(ctx, w.missing), w.handle(ctx, batch)); err != nil {
				return err
			}
			w.token = batch[len(batch)-1].ResumeToken
		}
		if ended != nil {
			return ended
		}
		if err := w.lookAgain(ctx); err != nil {
			return err
		}
	}
}

// watch has the roots watched. One that is missing does not hold up the others: it
// is asked for again with each item, a heartbeat at the latest.
func (w *Watcher) watch(ctx context.Context, roots []string) error {
	var missing []string
	for _, root := range roots {
		path, raw := rawpath.Split(root)
		started, err := w.client.StartWatching(ctx, &watcherv1.StartWatchingRequest{Path: path, RawPath: raw})
		switch {
		case ctx.Err() != nil || status.Code(err) == codes.Unavailable:
			return fmt.Errorf("have %s watched: %w", root, err)
		case err != nil:
			if status.Code(err) != codes.NotFound && !slices.Contains(w.missing, root) {
				w.log.Warn("root is not watched, trying again", "root", root, "err", err)
			}
			missing = append(missing, root)
		case slices.Contains(w.missing, root):
			w.resync(root) // it was not watched when it appeared
		}
		w.doubts.settleAfter(settleBound*started.GetWatch().GetDebounce().AsDuration() + settleMargin)
	}
	w.missing = missing
	return nil
}

// received is an item of the stream, or how it ended.
type received struct {
	item *watcherv1.StreamEventsResponse
	err  error
}

// receive passes items on until the stream or ctx ends.
func receive(ctx context.Context, stream grpc.ServerStreamingClient[watcherv1.StreamEventsResponse], items chan<- received) {
	for {
		item, err := stream.Recv()
		select {
		case items <- received{item, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// next waits for an item and takes those that are there already with it; an error
// says that nothing follows them. It returns nothing when due fires first.
func next(ctx context.Context, items <-chan received, due <-chan time.Time) (batch []*watcherv1.StreamEventsResponse, err error) {
	idle := time.NewTimer(idleLimit)
	defer idle.Stop()
	select {
	case first := <-items:
		if first.err != nil {
			return nil, first.err
		}
		batch = append(batch, first.item)
	case <-due:
		return nil, nil
	case <-idle.C:
		return nil, fmt.Errorf("the stream was silent for %v", idleLimit)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for len(batch) < batchEvents {
		select {
		case more := <-items:
			if more.err != nil {
				return batch, more.err
			}
			batch = append(batch, more.item)
		default:
			return batch, nil
		}
	}
	return batch, nil
}

// handle handles a batch; an error means that none of it may count as handled.
func (w *Watcher) handle(ctx context.Context, batch []*watcherv1.StreamEventsResponse) error {
	var events []*watcherv1.Event
	for _, item := range batch {
		if resync := item.GetResync(); resync != nil {
			root := rawpath.Join(resync.Path, resync.RawPath)
			w.log.Warn("events were lost, comparing with the disk", "reason", resync.Reason.String(), "root", root)
			w.resync(root)
		}
		if event := item.GetEvent(); event != nil {
			events = append(events, event)
		}
	}
	if err := w.reconcile(ctx); err != nil {
		return err
	}
	return w.track(ctx, events)
}

// resync marks a root to be reconciled; empty: all.
func (w *Watcher) resync(root string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.tracker.Roots() {
		if root == "" || root == r {
			w.unchecked[r] = struct{}{}
		}
	}
}

// reconcile reconciles the roots that need it. One that waits is tried again with
// the next item, a heartbeat at the latest.
func (w *Watcher) reconcile(ctx context.Context) error {
	w.mu.Lock()
	roots := slices.Collect(maps.Keys(w.unchecked))
	w.mu.Unlock()
	for _, root := range roots {
		start := time.Now()
		var last track.Progress
		err := w.tracker.Reconcile(ctx, root, false, func(p track.Progress) { last = p })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // it waits, its patterns cannot be read, the database is locked
			w.sayWaiting(root, err)
			continue
		}
		w.log.Info("root compared with the disk", "root", root, "files", last.Seen, "changes", last.Changes,
			"errors", last.Errors, "took", time.Since(start).Round(time.Millisecond))
		if last.Changes > 0 {
			w.doubts.add(root) // some of it may have been there for a moment only
		}
		w.mu.Lock()
		delete(w.unchecked, root)
		delete(w.waiting, root)
		w.mu.Unlock()
	}
	return nil
}

func (w *Watcher) sayWaiting(root string, err error) {
	if _, said := w.waiting[root]; !said {
		w.waiting[root] = struct{}{}
		w.log.Warn("root is not compared yet, trying again", "root", root, "err", err)
	}
}
