package pathrule

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
)

// Found is told of one directory or file of a walk; d.Info is what the listing
// of its directory saw and costs nothing. As for fs.WalkDir, fs.SkipDir leaves
// out what is below a directory, or the rest of a file's; fs.SkipAll ends the
// walk without error, any other error ends it and is returned by it.
type Found func(rel string, d fs.DirEntry) error

// errReplaced stands for a directory that is another one by the time it is read.
var errReplaced = errors.New("replaced while the tree was walked")

// batch is how many entries of a directory are held before those that do not
// count are dropped: a directory of a million temporary files stays cheap.
const batch = 1024

// Walk visits, in lexical order within each directory, the root as ".", every
// directory that is not ignored, before what is below it, and every regular file
// that Match accepts. Symlinks, FIFOs, sockets and devices are neither opened
// nor visited, and a symlink that takes a directory's place meanwhile leads
// nowhere.
//
// A directory that cannot be read, in whole or in part, is reported to problem
// after it was visited, and the walk continues: of what is below it nothing is
// known. One that has vanished meanwhile is no problem. If the root itself
// cannot be read, Walk returns the error. It returns ctx.Err() when ctx ends.
func (s *Set) Walk(ctx context.Context, root string, visit Found, problem func(rel string, err error)) error {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	defer dir.Close()
	info, err := dir.Stat(".")
	if err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	w := walker{ctx: ctx, set: s, dir: dir, visit: visit, problem: problem}
	err = w.walk(".", fs.FileInfoToDirEntry(info))
	if errors.Is(err, fs.SkipAll) || errors.Is(err, fs.SkipDir) {
		return nil
	}
	return err
}

type walker struct {
	ctx     context.Context
	set     *Set
	dir     *os.Root
	visit   Found
	problem func(rel string, err error)
}

// walk visits the directory rel and what is below it.
func (w *walker) walk(rel string, d fs.DirEntry) error {
	if err := w.found(rel, d); err != nil {
		return err
	}
	entries, err := w.read(rel, d)
	switch {
	case err != nil && isRoot(rel):
		return fmt.Errorf("walk: %w", err)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		w.problem(rel, err)
	}
	for _, entry := range entries {
		path := join(rel, entry.Name())
		if entry.IsDir() {
			err = w.walk(path, entry)
		} else {
			err = w.found(path, entry)
		}
		if err != nil && (!entry.IsDir() || !errors.Is(err, fs.SkipDir)) {
			return err
		}
	}
	return nil
}

func (w *walker) found(rel string, d fs.DirEntry) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	return w.visit(rel, d)
}

// read returns the entries of the directory rel that count, sorted by name, and
// what was read of them before an error.
func (w *walker) read(rel string, d fs.DirEntry) ([]fs.DirEntry, error) {
	// O_DIRECTORY: what meanwhile is a FIFO must not block the walk.
	file, err := w.dir.OpenFile(rel, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := same(file, d); err != nil {
		return nil, &fs.PathError{Op: "read", Path: rel, Err: err}
	}
	var kept []fs.DirEntry
	for {
		entries, err := file.ReadDir(batch)
		for _, entry := range entries {
			if w.counts(join(rel, entry.Name()), entry) {
				kept = append(kept, entry)
			}
		}
		if err == nil {
			continue
		}
		slices.SortFunc(kept, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return kept, err
	}
}

// same makes sure that file is the directory that was listed as d: os.Root lets
// nothing lead out of the root, but it follows symlinks within.
func same(file *os.File, d fs.DirEntry) error {
	opened, err := file.Stat()
	if err != nil {
		return err
	}
	listed, err := d.Info()
	if err != nil {
		return err
	}
	if !os.SameFile(opened, listed) {
		return errReplaced
	}
	return nil
}

func (w *walker) counts(rel string, entry fs.DirEntry) bool {
	switch {
	case entry.IsDir():
		return w.set.descendIn(rel)
	case entry.Type().IsRegular():
		return w.set.MatchIn(rel)
	}
	return false
}

func join(dir, name string) string {
	if isRoot(dir) {
		return name
	}
	return dir + "/" + name
}
