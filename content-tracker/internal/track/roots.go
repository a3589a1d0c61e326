package track

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// resolve returns the canonical form of a path and the root that it is in: clean,
// with its directory's symlinks resolved, so that one file has one name.
func (t *Tracker) resolve(path string) (canonical, root string, err error) {
	if !filepath.IsAbs(path) || strings.ContainsRune(path, 0) {
		return "", "", fmt.Errorf("%w: %q: give an absolute path", ErrInvalidPath, path)
	}
	canonical = filepath.Clean(path)
	if dir, err := filepath.EvalSymlinks(filepath.Dir(canonical)); err == nil {
		canonical = filepath.Join(dir, filepath.Base(canonical))
	}
	root = t.rootOf(canonical)
	switch {
	case root == "" && t.isRoot(canonical):
		return "", "", fmt.Errorf("%w: %q is a root", ErrNotRegular, canonical)
	case root == "":
		return "", "", fmt.Errorf("%q: %w", canonical, ErrOutsideRoots)
	}
	return canonical, root, nil
}

// rootOf returns the root that a path is in, of nested ones the innermost; empty:
// in none.
func (t *Tracker) rootOf(path string) (root string) {
	for _, r := range t.roots {
		if len(r) > len(root) && below(r, path) {
			root = r
		}
	}
	return root
}

// leadsElsewhere reports whether a directory's path has become one of symlinks.
func leadsElsewhere(dir string) bool {
	real, err := filepath.EvalSymlinks(dir)
	return err == nil && real != dir
}

func (t *Tracker) isRoot(path string) bool {
	for _, root := range t.roots {
		if root == path {
			return true
		}
	}
	return false
}

// below reports whether path is inside dir.
func below(dir, path string) bool {
	if dir == "/" {
		return path != "/"
	}
	return strings.HasPrefix(path, dir) && len(path) > len(dir) && path[len(dir)] == '/'
}

// isGone reports whether an error says that nothing is at a path: no other may
// become a deletion (tracker case 16).
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir)
}

// rootStands returns ErrRootWaiting unless the root is the directory that it was:
// below a missing or replaced one nothing counts as deleted, for an unmounted
// disk is an empty directory.
func (t *Tracker) rootStands(ctx context.Context, root string) error {
	now, err := rootIdentity(root)
	if err != nil {
		return err
	}
	return t.isTheRoot(ctx, root, now)
}

// isTheRoot returns ErrRootWaiting unless a directory at the root's path is the
// root. A root that was never seen before is no exception: a database that was
// adopted while the disk is not mounted knows files that an empty directory lacks.
func (t *Tracker) isTheRoot(ctx context.Context, root string, now Stat) error {
	before, known, err := t.store.Root(ctx, root)
	if err != nil || known && now.sameFile(before) {
		return err
	}
	if !known {
		live, err := t.store.Live(ctx, root)
		if err != nil {
			return err
		}
		if len(live) == 0 || anyExists(live) {
			return t.store.SetRoot(ctx, root, now)
		}
	}
	return fmt.Errorf("%s: %w: another directory is there now, so nothing below it counts as deleted; "+
		"put the folder back, or reconcile with accept_replaced_root", root, ErrRootWaiting)
}

// noteRoot records the identity of a root that files are read from, once: a root
// is to be known before the first deletion asks for it.
func (t *Tracker) noteRoot(ctx context.Context, root string) error {
	if _, done := t.seen.Load(root); done {
		return nil
	}
	err := t.rootStands(ctx, root)
	if err == nil {
		t.seen.Store(root, nil)
	}
	if errors.Is(err, ErrRootWaiting) {
		return nil // what exists is recorded; Reconcile decides about the rest
	}
	return err
}

func rootIdentity(root string) (Stat, error) {
	info, err := os.Stat(root)
	if err != nil || !info.IsDir() {
		return Stat{}, fmt.Errorf("%s: %w: it is not there, so nothing below it counts as deleted", root, ErrRootWaiting)
	}
	return statOf(info), nil
}

// acceptRoot takes the directory at the root's path for the root when nothing
// live is known below it, when one known path is there again, or when told to.
func (t *Tracker) acceptRoot(ctx context.Context, root string, known map[string]Stat, told bool) error {
	err := t.rootStands(ctx, root)
	if !errors.Is(err, ErrRootWaiting) {
		return err
	}
	now, gone := rootIdentity(root)
	if gone != nil {
		return gone
	}
	if !told && len(known) > 0 && !anyExists(known) {
		return err
	}
	t.log.Warn("root was replaced and is accepted", "root", root, "told", told)
	return t.store.SetRoot(ctx, root, now)
}

func anyExists(known map[string]Stat) bool {
	for path := range known {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}
