package watch

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// State says whether a watch can see its root.
type State uint8

// The states of a watch.
const (
	Starting State = iota + 1 // the first scan is running
	Active                    // changes are noticed
	Waiting                   // the root is missing
)

// String returns the state's name, as in logs.
func (s State) String() string {
	return [...]string{"none", "starting", "active", "waiting"}[s]
}

// Status describes a watch at one moment.
type Status struct {
	ID          string
	Path        string
	State       State
	Method      Method
	Message     string // what needs attention; empty when all is well
	Debounce    time.Duration
	Patterns    Patterns
	Started     time.Time
	Directories int
	Files       int
}

func (r *root) status() Status {
	return Status{
		ID: r.id, Path: r.path, State: r.state, Method: r.method, Message: r.message(),
		Debounce: r.settle.delay, Started: r.started,
		Patterns:    Patterns{Watch: r.rules.Watch(), Ignore: r.rules.Ignore()},
		Directories: r.directories(), Files: r.tree.files,
	}
}

// directories returns how many directories of the root are watched.
func (r *root) directories() int {
	if r.state == Waiting {
		return 0
	}
	return r.tree.count - len(r.poll.why)
}

// message says what needs attention, the most pressing first.
func (r *root) message() string {
	var all []string
	if r.state == Waiting {
		all = append(all, "the root is missing; it is watched again as soon as it is back")
	}
	if r.patternErr != nil && r.state != Waiting {
		all = append(all, fmt.Sprintf("the former patterns stay in force: %v", r.patternErr))
	}
	if why := r.rules.Why(); why != "" && r.state != Waiting {
		all = append(all, why)
	}
	if problems := r.rules.Problems(); len(problems) > 0 {
		all = append(all, fmt.Sprintf("unusable patterns: %d, the first: %v", len(problems), problems[0]))
	}
	if r.method == Poll {
		all = append(all, fmt.Sprintf("it is polled every %v to %v: %s", r.poll.floor, r.poll.ceiling, r.reason))
	}
	if len(r.poll.why) > 0 {
		all = append(all, fmt.Sprintf("directories polled instead of watched: %d, such as %s", len(r.poll.why), example(r.poll.why)))
	}
	if len(r.unread) > 0 {
		all = append(all, fmt.Sprintf("directories with something that cannot be looked at: %d, such as %s", len(r.unread), example(r.unread)))
	}
	return strings.Join(all, "; ")
}

// example returns one of the errors: always the same while nothing changes, so
// that a status can be compared with the last.
func example(errs map[*node]error) string {
	var all []string
	for _, err := range errs {
		all = append(all, err.Error())
	}
	return slices.Min(all)
}

// Stats are counters since the start, and sizes now.
type Stats struct {
	Events      map[Type]uint64
	Resyncs     map[Reason]uint64
	Overflows   uint64
	Pending     int64 // paths that have not settled
	Directories int64 // that the kernel watches
	Polled      int64 // that it does not, so that they are visited again and again
	Files       int64 // known
	Subscribers int64
}

type counters struct {
	events              [len(Types) + 1]atomic.Uint64
	resyncs             [len(Reasons) + 1]atomic.Uint64
	overflows           atomic.Uint64
	pending, files      atomic.Int64
	directories, polled atomic.Int64
	subscribers         atomic.Int64
}

// Stats returns the counters. It never waits for the watches.
func (w *Watcher) Stats() Stats {
	s := Stats{
		Events: map[Type]uint64{}, Resyncs: map[Reason]uint64{},
		Overflows: w.counts.overflows.Load(), Pending: w.counts.pending.Load(),
		Directories: w.counts.directories.Load(), Polled: w.counts.polled.Load(),
		Files: w.counts.files.Load(), Subscribers: w.counts.subscribers.Load(),
	}
	for _, t := range Types {
		s.Events[t] = w.counts.events[t].Load()
	}
	for _, r := range Reasons {
		s.Resyncs[r] = w.counts.resyncs[r].Load()
	}
	return s
}

// measure publishes the sizes, which Run's goroutine owns.
func (w *Watcher) measure() {
	var pending, files, polled int64
	for _, r := range w.roots {
		pending += int64(r.settle.len() + r.departed.len())
		files += int64(r.tree.files)
		polled += int64(len(r.poll.dirs))
	}
	w.counts.pending.Store(pending)
	w.counts.files.Store(files)
	w.counts.polled.Store(polled)
	w.counts.directories.Store(int64(w.handles.count()))
}
