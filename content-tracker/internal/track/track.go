// Package track keeps the history of files: it reads a changed file once, hashes
// and diffs it, and records one step from the path's head to what is on disk.
//
// # Model
//
// A path's head is its newest version, or none where it is deleted. The disk
// decides: whatever a caller saw, Track looks for itself and records the step from
// the head to what it finds; nothing, where that is the same. A step is recorded by
// a Store in one transaction, which compares the head again.
//
// # Invariants
//
//   - The bytes that are hashed are the bytes that are stored.
//   - A path's history is one line: each step begins at the head.
//   - A file is deleted when nothing is at its path, or no regular file; never on
//     any other error, and only while the root is the directory that it was.
//   - The same two contents give the same diff, always.
//
// Whole trees are compared by Reconcile. The package knows neither SQL nor gRPC,
// and does not notice changes by itself.
package track

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/obby/go-services/internal/textdiff"
)

// ErrStale is returned by Store.Record when the head is no longer Step.From.
var ErrStale = errors.New("the head has moved on")

// Request asks to look at a path.
type Request struct {
	Path      string
	OldPath   string // the path that the file had before; empty: none
	RequestID string // idempotency key; empty: none

	// left says that Path is on record and its directory leads elsewhere now: the
	// path is gone, whatever is behind it.
	left bool
}

// Config says what is tracked, and how.
type Config struct {
	Roots      []string // absolute paths, symlinks resolved
	RestoreTo  []string // where files may be restored to beside the roots; likewise
	MaxContent int64    // contents over it are hashed and not kept
	Workers    int      // files that are read and compared at once
	Retention  Policy   // of KeepRetaining
}

// Tracker tracks the files below its roots.
type Tracker struct {
	store      Store
	roots      []string
	restoreTo  []string
	maxContent int64
	policy     Policy
	slots      chan struct{} // one for each file that is read and compared
	held       atomic.Int64  // bytes of the steps that wait for a commit
	log        *slog.Logger
	locks      locks
	seen       sync.Map // roots whose identity is on record
}

// New returns a tracker.
func New(store Store, c Config, log *slog.Logger) *Tracker {
	return &Tracker{
		store: store, roots: c.Roots, restoreTo: c.RestoreTo, maxContent: c.MaxContent, policy: c.Retention,
		slots: make(chan struct{}, c.Workers), log: log,
	}
}

// Roots returns the tracked roots.
func (t *Tracker) Roots() []string { return t.roots }

// sharing is how many files are under way for each that is read. They wait for a
// commit most of the time: with fewer than several groups of a commit (the store's
// maxGroup) nobody reads while one is written. With 25 instead of 100 a batch of
// new files takes half as long again.
const sharing = 100

// Parallel returns how many files a caller with many should have tracked at once.
func (t *Tracker) Parallel() int { return sharing * cap(t.slots) }

// recordTries is how often a step is made anew when another process moved the
// head between reading and recording it.
const recordTries = 5

// Track records the present state of a path.
func (t *Tracker) Track(ctx context.Context, r Request) (Result, error) {
	path, root, err := t.resolve(r.Path)
	if r.left {
		path, root, err = r.Path, t.rootOf(r.Path), nil
	}
	if err != nil {
		return Result{}, err
	}
	old := ""
	if r.OldPath != "" {
		if old, _, err = t.resolve(r.OldPath); err != nil {
			return Result{}, err
		}
	}
	defer t.locks.lock(path, cmp.Or(old, path))()
	if r.RequestID != "" {
		if result, ok, err := t.store.Answer(ctx, r.RequestID); ok || err != nil {
			return result, err
		}
	}
	for range recordTries {
		result, err := t.attempt(ctx, root, path, old, r)
		if !errors.Is(err, ErrStale) {
			return result, err
		}
	}
	return Result{}, fmt.Errorf("%q: %w: another program keeps recording it", path, ErrBusy)
}

// maxHeld is how many bytes the steps that wait for a commit may hold without
// keeping others from reading.
const maxHeld = 16 << 20

// attempt makes a step and records it.
func (t *Tracker) attempt(ctx context.Context, root, path, old string, r Request) (Result, error) {
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	release := sync.OnceFunc(func() { <-t.slots })
	defer release()
	step, err := t.step(ctx, root, path, old, r.left)
	if err != nil {
		return Result{}, err
	}
	size := int64(step.size())
	defer t.held.Add(-size)
	if t.held.Add(size) <= maxHeld {
		release()
	}
	return t.record(ctx, step, r.RequestID)
}

// step compares the disk with the head; left is Request's.
func (t *Tracker) step(ctx context.Context, root, path, old string, left bool) (Step, error) {
	s := Step{Root: root, Path: path, Observed: time.Now()}
	if old != "" && old != path {
		if moved, err := t.moved(ctx, s, old); err != nil || moved.Type != "" {
			return moved, err
		}
	}
	head, err := t.store.Head(ctx, path)
	if err != nil {
		return s, err
	}
	s.From = head
	if left {
		return t.deleted(ctx, s)
	}
	content, err := t.read(ctx, root, path, true)
	switch {
	case err == nil:
		s.To, s.Stat = &content, content.Stat
		if err := t.noteRoot(ctx, root); err != nil {
			return s, err
		}
	case isGone(err), errors.Is(err, ErrNotRegular) && head.Live():
		return t.deleted(ctx, s) // the file is gone, also where a directory or a symlink took its name
	default:
		return s, err
	}
	switch {
	case !head.Live():
		s.Type = Created
	case head.Version.Hash != content.Hash:
		s.Type = Modified
	default:
		return s, nil // nothing to record
	}
	return t.withDiff(ctx, s)
}

func (t *Tracker) deleted(ctx context.Context, s Step) (Step, error) {
	if err := t.rootStands(ctx, s.Root); err != nil {
		return s, err
	}
	if !s.From.Known {
		return s, fmt.Errorf("%q %w", s.Path, ErrNotFound)
	}
	if !s.From.Live() {
		return s, nil // recorded already
	}
	s.Type = Deleted
	return t.withDiff(ctx, s)
}

// record stores a step, or notes that there is none.
func (t *Tracker) record(ctx context.Context, s Step, requestID string) (Result, error) {
	if s.Type != "" {
		s.RequestID = requestID
		return t.store.Record(ctx, s)
	}
	result := Result{}
	if s.From.Live() {
		version := s.From.Version
		result.OldVersion = version.ID
		if s.tells() {
			if err := t.store.Touch(ctx, s.Path, version.ID, *s.To); err != nil {
				return Result{}, err
			}
			version = version.with(*s.To)
		}
		result.Version = &version
	}
	if requestID == "" {
		return result, nil
	}
	return result, t.store.Unchanged(ctx, requestID, s.From.Version.ID)
}

// MaxDiffText bounds a stored diff's text, in bytes. A longer one is left out: the
// contents are stored.
const MaxDiffText = 8 << 20

// withDiff adds the diff from the head's content to the new one.
func (t *Tracker) withDiff(ctx context.Context, s Step) (Step, error) {
	names := textdiff.Names{Old: t.name(s, cmp.Or(s.OldPath, s.Path)), New: t.name(s, s.Path)}
	if !s.From.Live() {
		names.Old = ""
	}
	if s.Type == Deleted {
		names.New = ""
	}
	from := Content{Kind: Text}
	if s.From.Live() {
		var err error
		if from, err = t.store.Content(ctx, s.From.Version.ID); err != nil && !errors.Is(err, ErrNoContent) {
			return s, err
		}
	}
	to := Content{Kind: Text}
	if s.To != nil {
		to = *s.To
	}
	s.Diff = Between(names, from, to, textdiff.ContextLines, MaxDiffText)
	return s, nil
}

// name is how a path is called in a diff: relative to the root.
func (t *Tracker) name(s Step, path string) string {
	rel, err := filepath.Rel(s.Root, path)
	if err != nil {
		return filepath.Base(path)
	}
	return rel
}

// Between returns the diff of two contents, or the sentence that says why they
// are not compared line by line.
func Between(names textdiff.Names, from, to Content, context, limit int) textdiff.Diff {
	switch {
	case from.Hash == to.Hash && from.Hash != "":
		return textdiff.Diff{}
	case from.Kind == Omitted || to.Kind == Omitted:
		return textdiff.Opaque(names, "Large files")
	case from.Kind == Binary || to.Kind == Binary:
		return textdiff.Opaque(names, "Binary files")
	}
	return textdiff.Unified(names, from.Body, to.Body, context, limit)
}
