package track

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Scope is a path, or with Recursive everything below it too.
type Scope struct {
	Path      string
	Recursive bool
}

// Forgotten is what is gone.
type Forgotten struct {
	Paths           []string
	Versions, Steps int64
	Linked          []string // paths beyond the scope that a rename linked with it
	Existing        []string // of Paths, those that exist on the disk
}

// Forget removes every row of a path, or of all below it, from the history. With
// dry it only tells; with vacuum nothing of it is left in the database's files.
func (t *Tracker) Forget(ctx context.Context, s Scope, dry, vacuum bool) (Forgotten, error) {
	var err error
	if s.Path, err = clean(s.Path); err != nil {
		return Forgotten{}, err
	}
	gone, err := t.forget(ctx, s, dry)
	if err == nil && len(gone.Paths) == 0 {
		err = fmt.Errorf("%q %w", s.Path, ErrNotFound)
	}
	if err != nil {
		return Forgotten{}, err
	}
	gone.Existing = slices.DeleteFunc(slices.Clone(gone.Paths), func(path string) bool {
		_, err := os.Lstat(path)
		return err != nil
	})
	if dry {
		return gone, nil
	}
	t.log.Warn("forgotten for good", "path", s.Path, "recursive", s.Recursive, "paths", len(gone.Paths), "versions", gone.Versions, "steps", gone.Steps)
	if vacuum {
		err = t.store.Vacuum(ctx)
	}
	return gone, err
}

func (t *Tracker) forget(ctx context.Context, s Scope, dry bool) (Forgotten, error) {
	for range recordTries {
		joins, err := t.partings(ctx, s)
		if err != nil {
			return Forgotten{}, err
		}
		gone, err := t.store.Forget(ctx, s, joins, dry)
		if !errors.Is(err, ErrStale) {
			return gone, err
		}
	}
	return Forgotten{}, fmt.Errorf("%q: %w: files keep moving into it or out of it", s.Path, ErrBusy)
}

// partings returns what becomes of the moves into a scope and out of it, of which
// one end stays: what came from there was created where it is now, and what went
// there was deleted where it was.
func (t *Tracker) partings(ctx context.Context, s Scope) (joins []Join, err error) {
	out, err := t.store.MovedOut(ctx, s)
	if err != nil {
		return nil, err
	}
	in, err := t.store.MovedIn(ctx, s)
	if err != nil {
		return nil, err
	}
	for i, p := range append(out, in...) {
		j, step := Join{ID: p.Step, Type: Created}, PastStep{ID: p.Step, New: p.Version}
		if i >= len(out) {
			j, step.New = Join{ID: p.Step, Type: Deleted, Old: p.Version, Path: p.Path}, 0
		}
		if j.Diff, err = t.diffOf(ctx, p.Path, j, []PastStep{step}); err != nil {
			return nil, err
		}
		joins = append(joins, j)
	}
	return joins, nil
}

// Passage is the end of a move that lies outside a scope.
type Passage struct {
	Step    int64
	Path    string
	Version int64 // that the file had at that end
}
