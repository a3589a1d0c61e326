package track

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// moved makes the step of a path that has the file which old had. It has no Type
// where that is not so: the caller's word is a hint.
func (t *Tracker) moved(ctx context.Context, s Step, old string) (Step, error) {
	none := Step{}
	from, err := t.store.Head(ctx, old)
	if err != nil || !from.Live() {
		return none, err
	}
	if _, err := os.Lstat(old); !isGone(err) {
		return none, nil
	}
	_, oldRoot, err := t.resolve(old)
	if err != nil {
		return none, err
	}
	if err := t.rootStands(ctx, oldRoot); errors.Is(err, ErrRootWaiting) {
		return none, nil // not there to be asked: nothing says that the file has moved
	} else if err != nil {
		return none, err
	}
	if s.Over, err = t.store.Head(ctx, s.Path); err != nil {
		return none, err
	}
	s.Type, s.OldPath, s.From = Moved, old, from
	if info, err := os.Lstat(s.Path); err == nil && info.Mode().IsRegular() && statOf(info).sameState(from.Stat) {
		s.Stat = statOf(info)
		if s.Over.Version.Hash == from.Version.Hash {
			return t.left(ctx, s, oldRoot)
		}
		return s, nil // not read: the content is the one that is stored
	}
	content, err := t.read(ctx, s.Root, s.Path, true)
	if isGone(err) || err == nil && s.Over.Version.Hash == content.Hash {
		return t.left(ctx, s, oldRoot)
	}
	if err != nil {
		return none, err
	}
	s.To, s.Stat = &content, content.Stat
	return t.withDiff(ctx, s)
}

// left makes of a move the deletion of its old path: the file went on, or what it
// became is recorded already.
func (t *Tracker) left(ctx context.Context, s Step, oldRoot string) (Step, error) {
	s.Root, s.Path, s.OldPath, s.Stat = oldRoot, s.OldPath, "", Stat{}
	return t.deleted(ctx, s)
}

// MoveDirectory records that a directory was renamed: every live path below it
// has moved with it. What else is different below its new name is recorded too:
// an event of the old name may have come when the file had moved already, and so
// found nothing. It returns the number of moves recorded.
func (t *Tracker) MoveDirectory(ctx context.Context, oldDir, newDir string) (int, error) {
	live, err := t.store.Live(ctx, oldDir)
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex // guards errs and moves
	var errs []error
	moves := 0
	paths := slices.Collect(maps.Keys(live))
	each(ctx, t.Parallel(), len(paths), func(i int) {
		r := Request{Path: newDir + strings.TrimPrefix(paths[i], oldDir), OldPath: paths[i]}
		result, err := t.Track(ctx, r)
		mu.Lock()
		defer mu.Unlock()
		if err != nil && !errors.Is(err, ErrNotFound) {
			errs = append(errs, err)
		}
		if result.Recorded {
			moves++
		}
	})
	_, err = t.compare(ctx, newDir)
	return moves, errors.Join(append(errs, err)...)
}

// Look records what is at a path now, a file or everything below a directory, and
// reports whether that differed from what was recorded.
func (t *Tracker) Look(ctx context.Context, path string) (bool, error) {
	steps, err := t.compare(ctx, path)
	if err != nil || t.isRoot(path) {
		return steps > 0, err
	}
	result, err := t.Track(ctx, Request{Path: path})
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrNotRegular) {
		err = nil // neither a file nor recorded as one
	}
	return steps > 0 || result.Recorded, err
}

// compare records what differs below a directory, where it is. It returns the
// number of steps recorded.
func (t *Tracker) compare(ctx context.Context, dir string) (int64, error) {
	_, root, err := t.resolve(filepath.Join(dir, "file")) // of a file in it: dir may be a root
	if err != nil {
		return 0, err
	}
	if err := t.rootStands(ctx, root); err != nil {
		return 0, err
	}
	known, err := t.store.Live(ctx, dir)
	if err != nil {
		return 0, err
	}
	r := &reconciliation{tracker: t, root: root, dir: dir, known: known, report: func(Progress) {}}
	err = r.run(ctx)
	return r.progress.Changes, err
}
