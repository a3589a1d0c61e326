package track

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/obby/go-services/internal/pathrule"
)

// others returns the files below the folder that are not among files: those that
// the root's patterns match, once the disk has been compared.
func (t *Tracker) others(ctx context.Context, r Restoration, files []FileAt) ([]string, error) {
	if r.Version != 0 || r.Destination != "" {
		return nil, fmt.Errorf("%w: only where a folder is restored in place can others be removed", ErrInvalidPath)
	}
	folder := filepath.Clean(r.Path)
	place, err := t.placeOf(filepath.Join(folder, "file"))
	if err != nil {
		return nil, err
	}
	if !r.DryRun {
		if _, err := t.compare(ctx, folder); err != nil {
			return nil, err
		}
	}
	live, err := t.store.Live(ctx, folder)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		delete(live, f.Path)
	}
	rules, err := pathrule.Load(place.dir)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(live)), func(path string) bool {
		rel, err := filepath.Rel(place.dir, path)
		return err != nil || !rules.Match(rel)
	}), nil
}

func (t *Tracker) removeFile(ctx context.Context, path string, r Restoration) Restored {
	done := Restored{Path: path}
	done.Outcome, done.Change, done.Err = t.takeAway(ctx, path, r)
	return done
}

// takeAway removes a file that was not there at the time of a Restore. That no step
// says that it was is not enough, for retention may have removed that step: the
// change log, which it leaves as it is, must not say so either.
func (t *Tracker) takeAway(ctx context.Context, path string, r Restoration) (Outcome, int64, error) {
	there, err := t.store.LoggedAt(ctx, path, r.At)
	if err == nil && there {
		err = fmt.Errorf("%q was there then, but what it was is thinned out of the history, so it is left as it is: %w", path, ErrNoContent)
	}
	if err != nil {
		return Failed, 0, err
	}
	place, err := t.placeOf(path)
	if err != nil {
		return Failed, 0, err
	}
	now, err := t.replaceable(ctx, place, r.DryRun)
	if err != nil {
		return Failed, 0, err
	}
	if r.DryRun || now.Hash == "" {
		return Removed, 0, nil
	}
	if err := place.remove(now.Stat); err != nil {
		return Failed, 0, fmt.Errorf("remove %q: %w", place.path, err)
	}
	return t.recorded(ctx, place, Removed)
}
