// Package watch notices what changes in directory trees and tells it, settled
// and in one order, to any number of subscribers.
//
// The model. The kernel's notifications are never passed on: they only make a
// path dirty. A dirty path that has rested for the quiet delay is looked at, and
// what is found is compared with what subscribers have been told of it (the
// tree); the difference is the event. Whatever happened in between (editors'
// rename dances, files that came and went, notifications lost or out of order)
// therefore merges into the right event by itself, and a rescan is nothing but
// making every path that differs dirty.
//
// Directories are followed at once, not after the quiet delay: a new directory
// is watched first and scanned second, and a renamed one takes its files along
// before anything happens below its new name.
//
// Invariants. One goroutine, Run, owns all state of the watches; others send it
// functions. The journal alone is shared, under its own lock. The events of a
// watch, applied in order to what was on disk when Start answered, give what is
// on disk once everything has settled. Only regular files that match the root's
// patterns are known; nothing but directories and pattern files is ever opened.
//
// Where the kernel notifies nothing, directories are polled: visited again and
// again, with the same comparison.
//
// What it does not do: read files, follow symlinks below a root, or keep anything
// across restarts.
package watch

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Options configures a [Watcher].
type Options struct {
	Debounce      time.Duration // quiet delay of watches that do not bring their own
	JournalEvents int           // most events kept for subscribers
	JournalBytes  int64         // most memory these may take, approximately
	RescanEvery   time.Duration // pause between safety scans of everything; 0: none
	Method        Method        // of watches that do not bring their own
	PollMin       time.Duration // shortest pause between two rounds of polling; 0: 1 s
	PollMax       time.Duration // longest, but for trees that take long to look at
	Log           *slog.Logger
}

// Watcher watches directory trees. Its methods are safe for concurrent use and
// answer ErrShuttingDown once Run has ended.
type Watcher struct {
	opts     Options
	log      *slog.Logger
	journal  *journal
	notify   notifier
	handles  *handles
	resumes  *resumes
	facts    func(path string) facts // of the system; tests bring their own
	requests chan func()
	done     chan struct{} // closed when Run has ended
	roots    []*root       // ordered by start; owned by Run
	counts   counters
	tidy     tidy
}

// New returns a Watcher that does nothing until Run is called.
func New(opts Options) (*Watcher, error) {
	notify, err := newNotifier()
	if err != nil {
		return nil, err
	}
	return newWatcher(opts, notify), nil
}

func newWatcher(opts Options, notify notifier) *Watcher {
	return &Watcher{
		opts: opts, log: opts.Log, notify: notify, handles: newHandles(notify), resumes: watchResumes(), facts: factsOf,
		journal:  newJournal(opts.JournalEvents, opts.JournalBytes),
		requests: make(chan func()), done: make(chan struct{}),
	}
}

// Run watches until ctx ends, then drains and returns.
func (w *Watcher) Run(ctx context.Context) error {
	defer close(w.done)
	defer w.notify.close()
	defer w.resumes.close()
	now := make(chan struct{})
	close(now)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var scan <-chan struct{}
		if w.scanning() {
			scan = now
		}
		select {
		case <-ctx.Done():
			w.drain()
			return nil
		case request := <-w.requests:
			request()
		case <-w.notify.touched().wake:
			w.take(time.Now())
		case <-w.resumes.wake:
			w.log.Info("machine was suspended, every root is scanned again")
			w.rescan(time.Now())
		case <-scan:
			w.scanNext(time.Now())
		case <-timer.C:
		}
		w.settle(time.Now())
		w.journal.tell()
		w.arm(timer)
		w.measure()
	}
}

// ask runs f in Run's goroutine and returns what it returned.
func ask[T any](ctx context.Context, w *Watcher, f func() (T, error)) (result T, err error) {
	finished := make(chan struct{})
	request := func() {
		defer close(finished)
		result, err = f()
	}
	select {
	case w.requests <- request:
		<-finished // Run has accepted it and calls it at once
		return result, err
	case <-w.done:
		return result, ErrShuttingDown
	case <-ctx.Done():
		return result, ctx.Err()
	}
}

// Start watches a directory tree and returns when it has been scanned: from then
// on every change is reported, while what was there before is not. A root that
// is watched already keeps its settings, and Start reports false.
//
// Errors: ErrInvalidRoot, ErrRootMissing, ErrRootUnreadable, ErrInvalidPattern,
// ErrLimit. When ctx ends first, the watch stands nevertheless.
func (w *Watcher) Start(ctx context.Context, s Start) (Status, bool, error) {
	created := false
	r, err := ask(ctx, w, func() (r *root, err error) {
		r, created, err = w.start(s)
		return r, err
	})
	if err != nil {
		return Status{}, false, err
	}
	select {
	case <-r.ready:
	case <-ctx.Done():
		return Status{}, false, ctx.Err()
	case <-w.done:
		return Status{}, false, ErrShuttingDown
	}
	status, err := ask(ctx, w, func() (Status, error) { return r.status(), nil })
	return status, created, err
}

// Stop ends a watch and drops its events, also those that a subscriber has not
// got yet. ErrUnknownWatch where there is none.
func (w *Watcher) Stop(ctx context.Context, id string) error {
	_, err := ask(ctx, w, func() (struct{}, error) {
		r, err := w.find(id)
		if err == nil {
			w.roots = slices.DeleteFunc(w.roots, func(other *root) bool { return other == r })
			r.stop()
			w.journal.drop(id)
			w.log.Info("watch stopped", "path", r.path, "watch", id)
		}
		return struct{}{}, err
	})
	return err
}

// SetPatterns replaces the patterns of a watch until one of its root's pattern
// files changes; nil goes back to those files. ErrUnknownWatch, ErrInvalidPattern.
func (w *Watcher) SetPatterns(ctx context.Context, id string, p *Patterns) (Status, error) {
	return ask(ctx, w, func() (Status, error) {
		r, err := w.find(id)
		if err != nil {
			return Status{}, err
		}
		if err := r.setPatterns(p); err != nil {
			return Status{}, err
		}
		return r.status(), nil
	})
}

// List describes every watch, ordered by path.
func (w *Watcher) List(ctx context.Context) ([]Status, error) {
	return ask(ctx, w, func() ([]Status, error) {
		var all []Status
		for _, r := range w.roots {
			all = append(all, r.status())
		}
		slices.SortFunc(all, func(a, b Status) int { return strings.Compare(a.Path, b.Path) })
		return all, nil
	})
}

// Drain reports everything that is pending without waiting for it to settle, and
// lets every subscription end after the last event (case 53).
func (w *Watcher) Drain(ctx context.Context) error {
	_, err := ask(ctx, w, func() (struct{}, error) {
		w.drain()
		return struct{}{}, nil
	})
	return err
}

func (w *Watcher) drain() {
	w.flush()
	w.journal.close()
}

func (w *Watcher) find(id string) (*root, error) {
	for _, r := range w.roots {
		if r.id == id {
			return r, nil
		}
	}
	return nil, fmt.Errorf("watch %q: %w", id, ErrUnknownWatch)
}

// flush settles everything. New patterns cause a scan whose finds are to be
// settled in turn, hence the rounds; changes that go on meanwhile end with them.
func (w *Watcher) flush() {
	for range 3 {
		w.take(time.Now())
		for _, r := range w.roots {
			r.retry(r.backAt)
			r.poll.begin(r.tree.top, r.poll.next)
		}
		for w.scanning() {
			w.scanNext(time.Now())
		}
		w.settleWith((*settle).all, (*departed).all)
	}
	w.journal.tell()
	w.measure()
}

// settle reports what has come to rest and does what is due otherwise.
func (w *Watcher) settle(now time.Time) {
	w.settleWith(
		func(s *settle) []dirty { return s.due(now) },
		func(d *departed) []*node { return d.expired(now) })
	for _, r := range w.roots {
		r.retry(now)
	}
	w.tidy.due(now)
}

// settleWith finds what has vanished from any root before it looks at what has
// arrived in any: a rename needs both.
func (w *Watcher) settleWith(rested func(*settle) []dirty, overdue func(*departed) []*node) {
	for _, r := range w.roots {
		r.vanish(rested(r.settle), time.Now())
	}
	for _, r := range w.roots {
		r.arrive()
	}
	for _, r := range w.roots {
		r.bury(overdue(r.departed))
	}
}

// arm sets the one timer to when something is due next.
func (w *Watcher) arm(timer *time.Timer) {
	next := w.tidy.at
	for _, r := range w.roots {
		next = earliest(next, r.next())
	}
	if next.IsZero() {
		timer.Stop()
	} else {
		timer.Reset(time.Until(next))
	}
}
