package track

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

var errNotDir = syscall.ENOTDIR

// readTries is how often a file that changes while it is read is read again.
const readTries = 3

// read returns the content of a file below root. Hash and body come from the
// same bytes of one file: where the file or its name moved on meanwhile, it is
// read again (tracker case 18). Without keep there is no body, however small.
func (t *Tracker) read(ctx context.Context, root, path string, keep bool) (Content, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return Content{}, explain(path, err)
	}
	defer dir.Close()
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return Content{}, err
	}
	for range readTries {
		content, steady, err := readOnce(ctx, dir, rel, t.maxContent, keep)
		if err != nil {
			return Content{}, explain(path, err)
		}
		if steady {
			return content, nil
		}
		if err := ctx.Err(); err != nil {
			return Content{}, err
		}
	}
	return Content{}, fmt.Errorf("%q %w", path, ErrKeepsChanging)
}

// readOnce reads what the name means now and reports whether it still means it
// afterwards. O_NONBLOCK: opening a FIFO must not wait (case 28).
func readOnce(ctx context.Context, dir *os.Root, rel string, limit int64, keep bool) (c Content, steady bool, err error) {
	if info, err := dir.Lstat(rel); err != nil || !info.Mode().IsRegular() {
		return c, false, errors.Join(err, irregular(info))
	}
	file, err := dir.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return c, false, err
	}
	defer file.Close()
	before, err := file.Stat()
	if err != nil || !before.Mode().IsRegular() {
		return c, false, errors.Join(err, irregular(before))
	}
	// A file that grows for ever must not be read for ever: no more than one byte
	// beyond what it held, which shows in the size below (case 19).
	c, err = read(&cancellable{io.NewSectionReader(file, 0, before.Size()+1), ctx}, before.Size(), limit, keep)
	if err != nil {
		return c, false, err
	}
	after, err := file.Stat()
	if err != nil {
		return c, false, err
	}
	named, err := dir.Lstat(rel)
	if err != nil {
		return c, false, err
	}
	c.Stat = statOf(after)
	return c, statOf(before) == c.Stat && statOf(named) == c.Stat && c.Size == before.Size(), nil
}

// cancellable ends the reading of a large file with its caller (case 36).
type cancellable struct {
	io.ReadSeeker
	ctx context.Context
}

func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.ReadSeeker.Read(p)
}

func irregular(info fs.FileInfo) error {
	if info == nil {
		return nil
	}
	return fmt.Errorf("%w (%s)", ErrNotRegular, info.Mode().Type())
}

// explain makes of a read error one of ours, gone files excepted.
func explain(path string, err error) error {
	switch {
	case isGone(err):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, ErrNotRegular):
		return fmt.Errorf("%q: %w", path, err)
	case isAny(err, exhausted), isAny(err, passingOfFile):
		return fmt.Errorf("%q %w: %w", path, ErrReadFailed, err)
	default: // EACCES, ELOOP, a name that leads out of the root
		return fmt.Errorf("%q %w: %w", path, ErrUnreadable, err)
	}
}
