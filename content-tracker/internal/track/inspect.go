package track

import (
	"context"
	"fmt"
	"io/fs"
)

// Inspect reads a file as Track would, keeps no body and records nothing.
func (t *Tracker) Inspect(ctx context.Context, path string) (Content, error) {
	canonical, root, err := t.resolve(path)
	if err != nil {
		return Content{}, err
	}
	content, err := t.read(ctx, root, canonical, false)
	if isGone(err) {
		return content, fmt.Errorf("%q: %w", canonical, fs.ErrNotExist)
	}
	return content, err
}

// Stored returns the content of a version.
func (t *Tracker) Stored(ctx context.Context, version int64) (Content, error) {
	content, err := t.store.Content(ctx, version)
	if err != nil {
		return content, fmt.Errorf("version %d: %w", version, err)
	}
	return content, nil
}
