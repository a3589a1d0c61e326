package watch

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

var methodName = flag.String("method", "auto", "how the roots of tests are watched: auto, notify or poll")

var notifierName = flag.String("notifier", "native", "which notifier to test: native, or fsnotify, which other systems use")

// never is a quiet delay that no test outlives.
const never = 24 * time.Hour

// world is a running Watcher, a directory for its roots, and what a subscriber
// would know.
type world struct {
	t      testing.TB
	w      *Watcher
	dir    string
	ids    map[string]string // watch by root
	roots  map[string]string // root by watch
	given  map[string]*Patterns
	unread []string // events, as scripts write them
	pos    uint64   // in the journal

	// What the events say is on disk, by watch and then path.
	state map[string]map[string]version

	barrier  *Subscription
	sentinel int
	frozen   chan struct{} // closed to let Run go on
	loss     string        // what thaw does to what was noticed meanwhile
}

func newWorld(t testing.TB) *world { return newWorldWith(t, Options{RescanEvery: never}) }

func newWorldWith(t testing.TB, o Options) *world {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	if o.Debounce == 0 {
		o.Debounce = never
	}
	if o.JournalEvents == 0 {
		o.JournalEvents, o.JournalBytes = 1e6, 1e9
	}
	if o.Method == Auto {
		o.Method, _ = ParseMethod(*methodName)
	}
	if o.PollMin == 0 {
		o.PollMin, o.PollMax = never, never
	}
	notify, err := map[string]func() (notifier, error){"native": newNotifier, "fsnotify": newFSNotifier}[*notifierName]()
	if err != nil {
		t.Fatal(err)
	}
	watcher := newWatcher(o, notify)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- watcher.Run(ctx) }() // until the test ends
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, w: watcher, dir: dir, ids: map[string]string{}, roots: map[string]string{},
		given: map[string]*Patterns{},
		state: map[string]map[string]version{},
	}
	w.startBarrier()
	return w
}

// startBarrier watches a directory of its own without delay. The kernel keeps the
// notifications of one inotify instance in order, so that when a file made there
// is reported, everything that happened before has been noticed too.
func (w *world) startBarrier() {
	w.t.Helper()
	dir := filepath.Join(w.dir, "barrier")
	if err := os.Mkdir(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	delay := time.Duration(0)
	status, _, err := w.w.Start(w.t.Context(), Start{Path: dir, Debounce: &delay, Patterns: &Patterns{Watch: []string{"*"}}, Method: Notify})
	if err != nil {
		w.t.Fatal(err)
	}
	w.barrier, err = w.w.Subscribe(w.t.Context(), "", Filter{Watches: []string{status.ID}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.barrier.Close)
}

// freeze keeps Run from noticing anything until thaw.
func (w *world) freeze() {
	frozen := make(chan struct{})
	w.w.requests <- func() { <-frozen }
	w.frozen = frozen
}

// thaw lets Run go on once everything that has happened is there to be taken.
func (w *world) thaw() {
	if w.frozen == nil {
		return
	}
	name := "thaw" + strconv.Itoa(w.sentinel)
	if err := os.WriteFile(filepath.Join(w.dir, "barrier", name), nil, 0o644); err != nil {
		w.t.Fatal(err)
	}
	n := w.w.notify.touched()
	for seen := false; !seen; {
		<-n.wake
		n.mu.Lock()
		seen = slices.ContainsFunc(n.list, func(t touch) bool { return t.name == name })
		n.mu.Unlock()
	}
	n.note(func() { w.lose(n) }) // the wake that was taken from Run
	close(w.frozen)
	w.frozen = nil
}

// lose drops what was noticed, as the script asks.
func (w *world) lose(n *touches) {
	if w.loss != "" {
		n.list, n.index = nil, nil
		n.overflow = w.loss == "overflow"
	}
	if w.loss == "lose" {
		for _, r := range w.w.roots { // Run is frozen
			r.rescanAt = r.started
		}
	}
	w.loss = ""
}

// rest lets one dirty path come to rest before the others.
func (w *world) rest(path string) {
	w.t.Helper()
	path = filepath.Join(w.dir, path)
	w.w.requests <- func() {
		for _, r := range w.w.roots {
			dir := r.tree.lookup(filepath.Dir(path))
			if waiting := r.settle.places[place{dir, filepath.Base(path)}]; waiting != nil {
				r.vanish([]dirty{r.settle.remove(waiting)}, time.Now())
				r.arrive()
				r.bury(r.departed.all())
			}
		}
	}
}

// sync returns when everything that has happened so far has been noticed.
func (w *world) sync() {
	w.t.Helper()
	w.sentinel++
	path := filepath.Join(w.dir, "barrier", strconv.Itoa(w.sentinel))
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		w.t.Fatal(err)
	}
	for {
		item, err := w.barrier.Next(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if item.Kind == Change && item.Event.Path == path {
			return
		}
	}
}

// flush returns when everything that has happened so far has been reported, and
// applies the events to the state.
func (w *world) flush() {
	w.t.Helper()
	w.sync()
	if _, err := ask(w.t.Context(), w.w, func() (any, error) { w.w.flush(); return nil, nil }); err != nil {
		w.t.Fatal(err)
	}
	for {
		step := w.w.journal.after(w.pos, func(e *Event) bool { return w.roots[e.Watch] != "" })
		w.pos = step.pos
		for _, e := range step.events {
			w.unread = append(w.unread, w.describe(e.Event))
			if err := w.apply(e.Event); err != nil {
				w.t.Errorf("event %s: %v", w.describe(e.Event), err)
			}
		}
		if !step.more {
			return
		}
	}
}

// watch starts a watch of a root, and takes its files for known.
func (w *world) watch(root string) {
	w.t.Helper()
	status, _, err := w.w.Start(w.t.Context(), Start{Path: filepath.Join(w.dir, root), Patterns: w.given[root]})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ids[root], w.roots[status.ID] = status.ID, root
	w.state[status.ID] = w.walk(root)
}

// status returns the status of a root.
func (w *world) status(root string) Status {
	w.t.Helper()
	all, err := w.w.List(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(s Status) bool { return s.ID == w.ids[root] })
	if i < 0 {
		w.t.Fatalf("%s is not watched", root)
	}
	return all[i]
}
