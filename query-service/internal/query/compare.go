package query

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/obby/go-services/internal/textdiff"
)

// MaxContext is the most unchanged lines around each change of a comparison.
const MaxContext = 1000

// Side names a content: a version, or what a path was at a time.
type Side struct {
	Version int64 // 0: At counts
	At      time.Time
}

// Comparison is the difference between two contents.
type Comparison struct {
	Diff     textdiff.Diff
	Old, New *Version // nil: the path did not exist then
}

// Compare returns the diff that turns one content into another, both with LF line ends,
// with context unchanged lines around each change. path is what times are asked of and
// the name in the header; empty: the new version's. It returns ErrBinary,
// ErrDiffTooLarge and the store's errors.
func Compare(ctx context.Context, store VersionStore, path string, before, after Side, context int) (Comparison, error) {
	var c Comparison
	from, err := c.side(ctx, store, path, before, &c.Old)
	if err != nil {
		return c, fmt.Errorf("the old side: %w", err)
	}
	to, err := c.side(ctx, store, path, after, &c.New)
	if err != nil {
		return c, fmt.Errorf("the new side: %w", err)
	}
	if path == "" {
		path = c.New.Path // a version: times have a path
	}
	name := strings.TrimPrefix(path, "/")
	names := textdiff.Names{Old: name, New: name}
	if c.Old == nil {
		names.Old = ""
	}
	if c.New == nil {
		names.New = ""
	}
	c.Diff = textdiff.Unified(names, from, to, context, PageBytes)
	c.Diff.Text = textdiff.Valid(c.Diff.Text)
	if c.Diff.Truncated || len(c.Diff.Text) > PageBytes {
		return c, ErrDiffTooLarge
	}
	return c, nil
}

// side returns the content of a side, and its version where there is one.
func (c *Comparison) side(ctx context.Context, store VersionStore, path string, side Side, version **Version) ([]byte, error) {
	id := side.Version
	if id == 0 {
		var err error
		if id, err = store.VersionAt(ctx, path, side.At); err != nil || id == 0 {
			return nil, err
		}
	}
	v, content, err := store.Content(ctx, id)
	switch {
	case err == nil && v.Kind == Binary, errors.Is(err, ErrContentTooLarge) && v.Kind == Binary:
		return nil, ErrBinary
	case err != nil:
		return nil, err
	}
	*version = &v
	return normalized(content), nil
}

// normalized gives a text LF line ends: exact bytes have those of the disk.
func normalized(text []byte) []byte {
	if bytes.IndexByte(text, '\r') < 0 {
		return text
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(text, []byte("\r"), []byte("\n"))
}
