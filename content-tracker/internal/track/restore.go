package track

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Restoration says what to restore and where to.
type Restoration struct {
	Version      int64     // a version; 0: Path as of At
	Path         string    // a file or folder
	At           time.Time // when
	Destination  string    // where to write; empty: in place
	RemoveOthers bool      // a folder in place: remove what was not there then
	DryRun       bool      // change nothing
}

// Outcome says what Restore did with a file.
type Outcome int

// What becomes of a file.
const (
	Failed Outcome = iota
	Written
	Same // it has that content already
	Removed
)

// Restored is one file of a Restore.
type Restored struct {
	Path    string
	Outcome Outcome
	Version int64 // whose content it is; 0 when Removed
	Change  int64 // the step that was recorded; 0: none
	Err     error // why it Failed
}

// FileAt is a file as it was at a time.
type FileAt struct {
	Path    string
	Version int64
}

// Restore writes recorded content back to the disk. What is there is recorded
// first, so nothing is lost, and what is written is recorded as a new step. It
// reports each file, from one goroutine at a time.
func (t *Tracker) Restore(ctx context.Context, r Restoration, report func(Restored)) error {
	files, err := t.filesOf(ctx, r)
	if err != nil {
		return err
	}
	var others []string
	if r.RemoveOthers {
		if others, err = t.others(ctx, r, files); err != nil {
			return err
		}
	}
	var mu sync.Mutex // guards report
	done := func(one Restored) {
		mu.Lock()
		defer mu.Unlock()
		report(one)
	}
	each(ctx, cap(t.slots), len(files)+len(others), func(i int) {
		if i < len(files) {
			done(t.restoreFile(ctx, files[i], r.DryRun))
		} else {
			done(t.removeFile(ctx, others[i-len(files)], r))
		}
	})
	return ctx.Err()
}

// filesOf returns what is to be written, by the paths that it goes to.
func (t *Tracker) filesOf(ctx context.Context, r Restoration) ([]FileAt, error) {
	if r.Version != 0 {
		path, err := t.store.PathOf(ctx, r.Version)
		if err != nil {
			return nil, fmt.Errorf("version %d: %w", r.Version, err)
		}
		if r.Destination != "" {
			path = r.Destination
		}
		_, err = t.placeOf(path)
		return []FileAt{{path, r.Version}}, err
	}
	from, err := clean(r.Path)
	if err != nil {
		return nil, err
	}
	files, err := t.store.FilesAt(ctx, from, r.At)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%q as of %s: %w", from, r.At.Format(time.RFC3339), ErrNothingThen)
	}
	if err != nil {
		return nil, err
	}
	to := from
	if r.Destination != "" {
		if to, err = clean(r.Destination); err != nil {
			return nil, err
		}
	}
	if _, err := t.placeOf(filepath.Join(to, "file")); err != nil { // to may be a root
		return nil, err
	}
	for i, f := range files {
		files[i].Path = to + strings.TrimPrefix(f.Path, from)
	}
	return files, nil
}

func clean(path string) (string, error) {
	if !filepath.IsAbs(path) || strings.ContainsRune(path, 0) {
		return "", fmt.Errorf("%w: %q: give an absolute path", ErrInvalidPath, path)
	}
	return filepath.Clean(path), nil
}

func (t *Tracker) restoreFile(ctx context.Context, f FileAt, dry bool) Restored {
	done := Restored{Path: f.Path, Version: f.Version}
	done.Outcome, done.Change, done.Err = t.putBack(ctx, f, dry)
	return done
}

// putBack gives a path the content of a version.
func (t *Tracker) putBack(ctx context.Context, f FileAt, dry bool) (Outcome, int64, error) {
	place, err := t.placeOf(f.Path)
	if err != nil {
		return Failed, 0, err
	}
	now, err := t.replaceable(ctx, place, dry)
	if err != nil {
		return Failed, 0, err
	}
	content, err := t.Stored(ctx, f.Version)
	if err != nil {
		return Failed, 0, err
	}
	if same, err := t.same(ctx, place, now, content, f.Version); err != nil {
		return Failed, 0, err
	} else if same {
		return Same, 0, nil
	}
	if dry {
		return Written, 0, nil
	}
	if now.Hash != "" && !place.tracked {
		return Failed, 0, fmt.Errorf("%q: %w", place.path, ErrInTheWay)
	}
	if err := place.write(onDisk(content), now.Stat); err != nil {
		return Failed, 0, fmt.Errorf("write %q: %w", place.path, err)
	}
	return t.recorded(ctx, place, Written)
}

// recorded records what was done at a place.
func (t *Tracker) recorded(ctx context.Context, p place, outcome Outcome) (Outcome, int64, error) {
	if !p.tracked {
		return outcome, 0, nil
	}
	result, err := t.Track(context.WithoutCancel(ctx), Request{Path: p.path}) // it has happened: that is to be on record
	if err != nil {
		return Failed, 0, fmt.Errorf("%q was written and not recorded: %w", p.path, err)
	}
	return outcome, result.ChangeID, nil
}

// replaceable returns what is at a place, which has no Hash where nothing is. In
// a root it is on record afterwards; what cannot be is not replaced.
func (t *Tracker) replaceable(ctx context.Context, p place, dry bool) (Content, error) {
	info, err := os.Lstat(p.path)
	if isGone(err) {
		return Content{}, nil
	}
	if err != nil {
		return Content{}, explain(p.path, err)
	}
	if !info.Mode().IsRegular() {
		return Content{}, fmt.Errorf("%q: %w: it is no regular file", p.path, ErrInTheWay)
	}
	now, err := t.read(ctx, p.dir, p.path, true)
	if isGone(err) {
		return Content{}, nil
	}
	if err != nil {
		return Content{}, err
	}
	if now.Kind == Omitted {
		return now, fmt.Errorf("%q: %w: it is too large to be on record", p.path, ErrInTheWay)
	}
	if dry || !p.tracked {
		return now, nil
	}
	result, err := t.Track(ctx, Request{Path: p.path})
	if err != nil {
		return now, err
	}
	if result.Version == nil || result.Version.Hash != now.Hash {
		return now, fmt.Errorf("%q %w", p.path, ErrKeepsChanging)
	}
	// Recorded is not kept: the cap may have been lower then, and it may be the
	// Python side's row.
	if _, err = t.store.Content(ctx, result.Version.ID); errors.Is(err, ErrNoContent) {
		err = fmt.Errorf("%q: %w: it is on record without its content", p.path, ErrInTheWay)
	}
	return now, err
}

// same reports whether a place has a version's content already, line ends included.
// A version has one kind of them, that of its path when it was last recorded: at
// that path they cannot differ.
func (t *Tracker) same(ctx context.Context, p place, now, content Content, version int64) (bool, error) {
	if now.Hash != content.Hash {
		return false, nil
	}
	ends := content.EOL
	if ends == Mixed && now.EOL != Mixed {
		ends = LF // as onDisk writes them
	}
	if content.Kind != Text || now.Kind != Text || ends == "" || ends == now.EOL {
		return true, nil
	}
	path, err := t.store.PathOf(ctx, version)
	return path == p.path, err
}

// onDisk returns a content with the line ends that it last had.
func onDisk(c Content) []byte {
	if c.Kind != Text {
		return c.Body
	}
	switch c.EOL {
	case CRLF:
		return []byte(strings.ReplaceAll(string(c.Body), "\n", "\r\n"))
	case CR:
		return []byte(strings.ReplaceAll(string(c.Body), "\n", "\r"))
	}
	return c.Body
}
