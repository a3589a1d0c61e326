package track

import (
	"context"
	"errors"
	"os"
	"strings"
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
	if err := t.rootStands(ctx, s.Root); err != nil {
		return none, err
	}
	s.Type, s.OldPath, s.From = Moved, old, from
	if info, err := os.Lstat(s.Path); err == nil && info.Mode().IsRegular() && statOf(info).sameState(from.Stat) {
		s.Stat = statOf(info)
		return s, nil // not read: the content is the one that is stored
	}
	content, err := t.read(ctx, s.Root, s.Path)
	if isGone(err) { // it went on; what is certain is that old is gone
		s.Path, s.OldPath = old, ""
		return t.deleted(ctx, s)
	}
	if err != nil {
		return none, err
	}
	s.To, s.Stat = &content, content.Stat
	return t.withDiff(ctx, s)
}

// MoveDirectory records that a directory was renamed: every live path below it
// has moved with it. Files that are not where they are expected are left to
// their own events. It returns the number of steps recorded.
func (t *Tracker) MoveDirectory(ctx context.Context, oldDir, newDir string) (int, error) {
	heads, err := t.store.Heads(ctx, oldDir)
	if err != nil {
		return 0, err
	}
	var errs []error
	steps := 0
	for path := range heads {
		r := Request{Path: newDir + strings.TrimPrefix(path, oldDir), OldPath: path}
		result, err := t.Track(ctx, r)
		if err != nil && !errors.Is(err, ErrNotFound) {
			errs = append(errs, err)
		}
		if result.Recorded {
			steps++
		}
	}
	return steps, errors.Join(errs...)
}
