package watch

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/obby/go-services/internal/pathrule"
)

// retryEvery is the pause between two looks at what notifications do not cover:
// a missing root, directories that could not be watched or read. Nobody looks
// while there is none of these. It grows by itself with each retryBatch of such
// directories, so that scanning them takes a bounded share of the time. Guesses.
const (
	retryEvery = time.Second
	retryBatch = 1000
)

// MaxDebounce is the longest quiet delay of a watch.
const MaxDebounce = time.Hour

// Start says what to watch.
type Start struct {
	Path     string
	Debounce *time.Duration // at most MaxDebounce; nil: that of Options
	Patterns *Patterns      // nil: those of the root's files
	// MayBeMissing accepts a root that is not there: it is waited for.
	MayBeMissing bool
}

// root is one watch. Run's goroutine owns it.
type root struct {
	w       *Watcher
	id      string
	path    string
	state   State
	started time.Time
	ready   chan struct{} // closed when the first scan has ended

	rules      *pathrule.Set // in force
	files      *pathrule.Set // what the root's files said last
	patternErr error         // why files is not newer

	tree      *tree
	settle    *settle
	departed  *departed
	arrivals  []arrival // settled in this turn
	reloadDue bool      // a pattern file has settled in this turn

	scans     []*node         // directories to be scanned, oldest first
	unwatched map[*node]error // directories scanned again and again, and why
	unread    map[*node]error // directories with something that cannot be looked at
	retryAt   time.Time       // zero: nothing to retry
	rescanAt  time.Time       // zero: no safety scans
}

// start adds a root and asks for its first scan.
func (w *Watcher) start(s Start) (*root, bool, error) {
	for _, r := range w.roots { // a watched root may be missing at the moment
		if r.path == filepath.Clean(s.Path) {
			return r, false, nil
		}
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
	for _, r := range w.roots {
		if r.path == path {
			return r, false, nil
		}
	}
	r := w.newRoot(path, top, s.Debounce)
	if err := r.begin(given, missing); err != nil {
		return nil, false, err
	}
	w.roots = append(w.roots, r)
	w.log.Info("watch started", "path", r.path, "watch", r.id, "state", r.state, "status", r.message())
	return r, true, nil
}

func (w *Watcher) newRoot(path string, top info, debounce *time.Duration) *root {
	delay := w.opts.Debounce
	if debounce != nil {
		delay = *debounce
	}
	none, _ := pathrule.New(nil, nil)
	r := &root{
		w: w, id: rand.Text(), path: path, state: Starting, started: time.Now(),
		ready: make(chan struct{}), rules: none, files: none,
		tree: newTree(path, top), settle: newSettle(delay), departed: newDeparted(),
		unwatched: map[*node]error{}, unread: map[*node]error{},
	}
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
		if err := r.w.notify.watch(r.path, r.tree.top.info.id); errors.Is(err, ErrLimit) {
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
	r.unwatchAll(r.tree.top)
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
	r.unwatchAll(r.tree.top)
	r.endStart()
	r.wait()
	// What was known is reported as deleted once the loss has settled, and only
	// if the root is not back by then.
	r.settle.add(r.path, mark{}, now)
	r.w.log.Warn("root is missing", "path", r.path)
	return false
}

func (r *root) wait() {
	for _, n := range r.scans {
		n.queued = scan{}
	}
	r.state, r.scans = Waiting, nil
	r.retryAt = time.Now().Add(retryEvery)
	clear(r.unwatched)
	clear(r.unread)
}

// retry looks again at what notifications do not cover.
func (r *root) retry(now time.Time) {
	if !r.rescanAt.IsZero() && !now.Before(r.rescanAt) {
		r.rescanAt = now.Add(r.w.opts.RescanEvery)
		if r.look(now) {
			r.reload()
			r.scan(r.tree.top, scan{deep: true})
		}
	}
	if r.retryAt.IsZero() || now.Before(r.retryAt) || len(r.scans) > 0 {
		return
	}
	r.retryAt = now.Add(retryEvery * time.Duration(1+len(r.unwatched)/retryBatch))
	switch {
	case r.state == Waiting:
		r.comeBack()
	case len(r.unwatched) == 0:
		r.retryAt = time.Time{}
	}
	for n := range r.unwatched {
		r.scan(n, scan{})
	}
}

// comeBack watches a missing root again when it is there.
func (r *root) comeBack() {
	path, top, err := resolve(r.path)
	if err != nil {
		return
	}
	// A root that was missing at the start may turn out to be a symlink. One that
	// became a symlink later is not followed.
	if path != r.path && (r.tree.top.info.kind != none || slices.ContainsFunc(r.w.roots, func(o *root) bool { return o.path == path })) {
		return
	}
	r.path, r.tree.path = path, path
	r.tree.replace(r.tree.top, top)
	r.state, r.retryAt = Active, time.Time{}
	r.reload()
	r.scan(r.tree.top, scan{deep: true})
	r.w.log.Info("root is back", "path", r.path)
}

// next returns when something is to be done without further notice; zero for
// never.
func (r *root) next() time.Time {
	retry := r.retryAt
	if len(r.scans) > 0 { // these come first, and wake the loop themselves
		retry = time.Time{}
	}
	return earliest(r.settle.next(), r.departed.next(), retry, r.rescanAt)
}
