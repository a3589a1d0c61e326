package watch

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/obby/go-services/internal/pathrule"
)

// backEvery is the pause between two looks for a missing root (case 12).
const backEvery = time.Second

// MaxDebounce is the longest quiet delay of a watch.
const MaxDebounce = time.Hour

// Start says what to watch.
type Start struct {
	Path     string
	Debounce *time.Duration // at most MaxDebounce; nil: that of Options
	Patterns *Patterns      // nil: those of the root's files
	Method   Method         // Auto: that of Options
	// MayBeMissing accepts a root that is not there: it is waited for.
	MayBeMissing bool
}

// root is one watch. Run's goroutine owns it.
type root struct {
	w       *Watcher
	id      string
	path    string
	given   string // how the root was given; it may lead to path by a symlink
	state   State
	started time.Time
	ready   chan struct{} // closed when the first scan has ended

	method  Method            // Notify or Poll
	reason  string            // why it is polled
	choose  bool              // the method was not asked for
	devices map[uint64]string // file systems mounted inside: why they are polled

	rules        *pathrule.Set // in force
	files        *pathrule.Set // what the root's files said last
	patternErr   error         // why files is not newer
	patternFiles [2]patternFile

	tree      *tree
	settle    *settle
	departed  *departed
	landed    []landed  // directories found in this turn
	arrivals  []arrival // settled in this turn
	reloadDue bool      // a pattern file has settled in this turn

	scans    []*node         // directories to be scanned, oldest first
	poll     *poller         // the directories that are not watched
	unread   map[*node]error // directories with something that cannot be looked at
	backAt   time.Time       // when to look for a missing root; zero: it is there
	rescanAt time.Time       // zero: no safety scans
}

// start adds a root and asks for its first scan.
func (w *Watcher) start(s Start) (*root, bool, error) {
	if r := w.rootAt(filepath.Clean(s.Path)); r != nil { // it may be missing at the moment
		return r, false, nil
	}
	given, err := s.Patterns.compile()
	if err != nil {
		return nil, false, err
	}
	path, top, err := resolve(s.Path)
	missing := errors.Is(err, ErrRootMissing) && s.MayBeMissing
	if err != nil && !missing {
		return nil, false, err
	}
	if r := w.rootAt(path); r != nil {
		return r, false, nil
	}
	r := w.newRoot(path, top, s)
	if err := r.begin(given, missing); err != nil {
		return nil, false, err
	}
	w.roots = append(w.roots, r)
	w.log.Info("watch started", "path", r.path, "watch", r.id, "state", r.state, "status", r.message())
	return r, true, nil
}

// rootAt returns the root at path, nil where there is none.
func (w *Watcher) rootAt(path string) *root {
	for _, r := range w.roots {
		if r.path == path {
			return r
		}
	}
	return nil
}

func (w *Watcher) newRoot(path string, top info, s Start) *root {
	delay := w.opts.Debounce
	if s.Debounce != nil {
		delay = *s.Debounce
	}
	none, _ := pathrule.New(nil, nil)
	r := &root{
		w: w, id: rand.Text(), path: path, given: filepath.Clean(s.Path), state: Starting, started: time.Now(),
		ready: make(chan struct{}), rules: none, files: none,
		tree: newTree(path, top), settle: newSettle(delay), departed: newDeparted(),
		poll: newPoller(w.opts.PollMin, w.opts.PollMax), unread: map[*node]error{},
		choose: s.Method == Auto && w.opts.Method == Auto, devices: map[uint64]string{},
	}
	r.method, r.reason = w.method(path, s.Method)
	if w.opts.RescanEvery > 0 {
		r.rescanAt = r.started.Add(w.opts.RescanEvery)
	}
	return r
}

// begin takes the first directory and the patterns in hand: those given, if any,
// else those of the root's files.
func (r *root) begin(given *pathrule.Set, missing bool) error {
	if missing {
		r.w.log.Warn("root is missing and waited for", "path", r.path)
		r.wait()
		close(r.ready)
	} else {
		if err := r.watchDirectory(r.tree.top, r.path); errors.Is(err, ErrLimit) {
			return fmt.Errorf("watch %q: %w", r.path, err)
		}
		r.reload()
		r.scan(r.tree.top, scan{})
	}
	if given != nil {
		r.apply(given)
	}
	return nil
}

// rel returns path, which lies below the root, relative to it.
func (r *root) rel(path string) string { return strings.TrimPrefix(path[len(r.path):], "/") }

// stop ends the watch.
func (r *root) stop() {
	r.releaseAll(r.tree.top)
	r.endStart()
}

// endStart ends the first scan, if it is not over yet.
func (r *root) endStart() {
	if r.state == Starting {
		r.state = Active
		close(r.ready)
	}
}

// look makes sure that the root is still the directory it was, and waits for it
// otherwise. It reports whether the root is there.
func (r *root) look(now time.Time) bool {
	if r.state == Waiting {
		return false
	}
	if top, err := lstat(r.path); err == nil && top.id == r.tree.top.info.id {
		return true
	}
	r.releaseAll(r.tree.top)
	r.endStart()
	r.wait()
	// What was known is reported as deleted once the loss has settled, and only
	// if the root is not back by then.
	r.settle.add(place{r.tree.top, ""}, mark{}, now)
	r.w.log.Warn("root is missing", "path", r.path)
	return false
}

func (r *root) wait() {
	for _, n := range r.scans {
		n.queued = scan{}
	}
	r.state, r.scans = Waiting, nil
	r.backAt = time.Now().Add(backEvery)
	r.poll.clear()
	clear(r.unread)
}

// retry looks again at what notifications do not cover.
func (r *root) retry(now time.Time) {
	if !r.rescanAt.IsZero() && !now.Before(r.rescanAt) {
		r.rescanAt = now.Add(r.w.opts.RescanEvery)
		r.rescan(now)
	}
	if r.state == Waiting && !now.Before(r.backAt) {
		r.backAt = now.Add(backEvery)
		r.comeBack()
	}
	r.poll.begin(r.tree.top, now)
}

// rescan looks at everything again, because notifications may have been lost.
func (r *root) rescan(now time.Time) {
	if !r.retarget() && r.look(now) {
		r.reload()
		r.scan(r.tree.top, scan{deep: true})
	}
}

// retarget follows a root that was given by a symlink which now leads elsewhere
// (case 13). What it led to before is forgotten, not deleted: it is still there.
func (r *root) retarget() bool {
	path, top, err := resolve(r.given)
	if err != nil || path == r.path || r.state != Active || r.w.rootAt(path) != nil {
		return false
	}
	r.w.log.Info("root is a symlink that leads elsewhere now", "path", r.path, "to", path)
	r.releaseAll(r.tree.top)
	r.poll.clear()
	clear(r.unread)
	r.scans, r.departed, r.path = nil, newDeparted(), path
	r.tree = newTree(path, top)
	if r.choose {
		r.method, r.reason = r.w.method(path, Auto)
	}
	r.reload()
	r.scan(r.tree.top, scan{deep: true, initial: true})
	return true
}

// comeBack watches a missing root again when it is there.
func (r *root) comeBack() {
	path, top, err := resolve(r.path)
	if err != nil {
		return
	}
	// A root that was missing at the start may turn out to be a symlink. One that
	// became a symlink later is not followed.
	if path != r.path && (r.tree.top.info.kind != none || r.w.rootAt(path) != nil) {
		return
	}
	r.path, r.tree.path = path, path
	r.replace(r.tree.top, top)
	if r.choose { // what is mounted there now may be something else
		r.method, r.reason = r.w.method(path, Auto)
	}
	r.state, r.backAt = Active, time.Time{}
	r.reload()
	r.scan(r.tree.top, scan{deep: true})
	r.w.log.Info("root is back", "path", r.path)
}

// next returns when something is to be done without further notice; zero for
// never.
func (r *root) next() time.Time {
	poll := r.poll.next
	if len(r.scans) > 0 || len(r.poll.round) > 0 { // these come first, and wake the loop themselves
		poll = time.Time{}
	}
	return earliest(r.settle.next(), r.departed.next(), r.backAt, poll, r.rescanAt)
}
