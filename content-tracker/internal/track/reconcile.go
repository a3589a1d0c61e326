package track

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/obby/go-services/internal/pathrule"
)

// Progress is how far a Reconcile has come.
type Progress struct {
	Root    string
	Seen    int64 // files found on disk
	Total   int64 // files to look at; 0 while not known
	Changes int64 // steps recorded
	Errors  int64 // files that could not be tracked
	Done    bool
	// Remaining is how long the rest takes at the rate so far; 0 while not known.
	Remaining time.Duration
}

// Reconcile compares a root with what is recorded and records what was missed:
// stat first, content only where that differs. It reports progress as it goes,
// from one goroutine at a time; the last report is Done.
//
// accept takes another directory at the root's path for the root.
func (t *Tracker) Reconcile(ctx context.Context, root string, accept bool, report func(Progress)) error {
	if !t.isRoot(root) {
		return fmt.Errorf("%q: %w", root, ErrNoRoot)
	}
	if _, err := rootIdentity(root); err != nil {
		return err // before anything large is read: a root may be away for long
	}
	known, err := t.store.Live(ctx, root)
	if err != nil {
		return err
	}
	if err := t.acceptRoot(ctx, root, known, accept); err != nil {
		return err
	}
	r := &reconciliation{tracker: t, root: root, dir: root, known: known, report: report, progress: Progress{Root: root}}
	stop := r.keepReporting()
	err = r.run(ctx)
	stop()
	if err == nil {
		r.count(func(p *Progress) { p.Done = true })
		report(r.progress)
	}
	return err
}

// reconciliation is one Reconcile under way.
type reconciliation struct {
	tracker *Tracker
	root    string
	dir     string          // the directory that is compared: root, or one below it
	known   map[string]Stat // live paths that the walk has not met yet
	changed []Request       // paths whose stat differs
	arrived map[Stat]int    // where in changed a path stands that was not known
	unseen  []string        // directories that could not be read: nothing is known of what is below

	mu       sync.Mutex // guards what follows
	progress Progress
	began    time.Time // to track what differs
	tracked  int       // of changed
	passing  error     // a failure that another try may mend
	report   func(Progress)
}

// state is the part of a Stat that a rename keeps. The inode alone would not do:
// the next new file gets the number of one that was deleted.
func state(s Stat) Stat {
	s.Ctime = 0
	return s
}

// reportEvery is how often progress is reported, also while one large file is
// being read.
const reportEvery = 500 * time.Millisecond

// keepReporting reports the progress until stop is called.
func (r *reconciliation) keepReporting() (stop func()) {
	done := make(chan struct{})
	var reporter sync.WaitGroup
	reporter.Go(func() { // ends with stop
		ticker := time.NewTicker(reportEvery)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				r.report(r.now())
			}
		}
	})
	return func() { close(done); reporter.Wait() }
}

// now returns the progress with what is expected of the rest: of the files that
// differ, for to walk the root takes little beside them.
func (r *reconciliation) now() Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.progress
	if r.tracked > 0 {
		rest := len(r.changed) - r.tracked // walk has ended: changed is complete
		p.Remaining = time.Duration(float64(time.Since(r.began)) / float64(r.tracked) * float64(rest))
	}
	return p
}

func (r *reconciliation) run(ctx context.Context) error {
	if err := r.walk(ctx); err != nil {
		return err
	}
	return r.track(ctx)
}

func (r *reconciliation) walk(ctx context.Context) error {
	rules, err := pathrule.Load(r.root)
	if err != nil {
		return fmt.Errorf("reconcile %s: %w", r.root, err)
	}
	r.arrived = map[Stat]int{}
	if !rules.Empty() {
		if err := rules.Walk(ctx, r.root, r.visit, r.problem); err != nil {
			return fmt.Errorf("reconcile %s: %w", r.root, err)
		}
	}
	r.missing()
	return nil
}

func (r *reconciliation) visit(rel string, d fs.DirEntry) error {
	path := filepath.Join(r.root, rel)
	if d.IsDir() && !below(path, r.dir) && !r.concerns(path) {
		return fs.SkipDir
	}
	if d.IsDir() || !r.concerns(path) {
		return nil
	}
	info, err := d.Info()
	if err != nil {
		return nil //nolint:nilerr // gone since it was listed: missing looks again
	}
	stat := statOf(info)
	before, ok := r.known[path]
	delete(r.known, path)
	if !ok {
		r.arrived[state(stat)] = len(r.changed)
	}
	if !ok || stat != before {
		r.changed = append(r.changed, Request{Path: path})
	}
	r.count(func(p *Progress) { p.Seen++ })
	return nil
}

// concerns reports whether a path is the compared directory or in it.
func (r *reconciliation) concerns(path string) bool { return path == r.dir || below(r.dir, path) }

func (r *reconciliation) problem(rel string, err error) {
	path := filepath.Join(r.root, rel)
	r.unseen = append(r.unseen, path)
	r.tracker.log.Warn("directory cannot be read", "path", path, "err", err)
	r.count(func(p *Progress) {
		p.Errors++
		if Passes(err) {
			r.passing = err
		}
	})
}

// missing decides about the known paths that the walk did not meet. Those that
// exist only match no pattern any more, or lie where nothing could be read. One
// that is gone while its file arrived elsewhere has moved.
func (r *reconciliation) missing() {
	for path, before := range r.known {
		left := leadsElsewhere(filepath.Dir(path))
		if !left && !r.gone(path) {
			continue
		}
		if i, ok := r.arrived[state(before)]; ok {
			delete(r.arrived, state(before)) // another path of the same state did not move there
			if !left {                       // else its name means the same file now
				r.changed[i].OldPath = path
				continue
			}
		}
		r.changed = append(r.changed, Request{Path: path, left: left})
	}
}

// gone reports whether nothing, or no regular file, is at the path: not so where
// that cannot be known.
func (r *reconciliation) gone(path string) bool {
	info, err := os.Lstat(path)
	if err == nil {
		return !info.Mode().IsRegular()
	}
	return isGone(err) && !slices.ContainsFunc(r.unseen, func(dir string) bool { return below(dir, path) })
}

// track works through what differs. What fails is logged and counted: the next
// reconciliation, or the file's next event, finds it again.
func (r *reconciliation) track(ctx context.Context) error {
	r.count(func(p *Progress) { p.Total, r.began = p.Seen, time.Now() })
	each(ctx, r.tracker.Parallel(), len(r.changed), func(i int) { r.one(ctx, r.changed[i]) })
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.passing != nil {
		return fmt.Errorf("reconcile %s: %w", r.root, r.passing)
	}
	return nil
}

func (r *reconciliation) one(ctx context.Context, request Request) {
	result, err := r.tracker.Track(ctx, request)
	r.count(func(p *Progress) {
		r.tracked++
		switch {
		case errors.Is(err, ErrNotFound): // it came and went
		case Passes(err):
			p.Errors++
			r.passing = err
		case err != nil:
			p.Errors++
			r.tracker.log.Warn("file not tracked", "path", request.Path, "err", err)
		case result.Recorded:
			p.Changes++
		}
	})
}

// count changes the progress.
func (r *reconciliation) count(change func(*Progress)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.progress)
}
