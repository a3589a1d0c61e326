package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// refused are the roots below which nothing is a file that rests on a disk.
var refused = []string{"/proc", "/sys", "/dev"}

// resolve returns the real path of a root and what it is (case 52).
func resolve(path string) (string, info, error) {
	switch {
	case path == "":
		return "", info{}, fmt.Errorf("%w: its path is empty", ErrInvalidRoot)
	case !filepath.IsAbs(path):
		return "", info{}, fmt.Errorf("%w: %q is not an absolute path", ErrInvalidRoot, path)
	case strings.ContainsRune(path, 0):
		return "", info{}, fmt.Errorf("%w: %q holds a NUL byte", ErrInvalidRoot, path)
	}
	clean := filepath.Clean(path)
	if err := refuse(clean); err != nil {
		return "", info{}, err
	}
	real, err := filepath.EvalSymlinks(clean)
	if err != nil {
		return clean, info{}, rootError(path, err)
	}
	if err := refuse(real); err != nil {
		return "", info{}, err
	}
	top, err := lstat(real)
	if err == nil && top.kind != dir {
		return "", info{}, fmt.Errorf("%w: %q is not a directory", ErrInvalidRoot, path)
	}
	if err == nil {
		err = readable(real)
	}
	if err != nil {
		return clean, info{}, rootError(path, err)
	}
	return real, top, nil
}

func readable(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return f.Close()
}

func refuse(path string) error {
	if path == "/" {
		return fmt.Errorf("%w: / is everything there is; name a directory below it", ErrInvalidRoot)
	}
	for _, top := range refused {
		if _, ok := below(top, path); ok {
			return fmt.Errorf("%w: %q belongs to %s, whose files are not on a disk", ErrInvalidRoot, path, top)
		}
	}
	return nil
}

func rootError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %q", ErrRootMissing, path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrRootUnreadable, at(path, err))
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: %q leads through what is not a directory", ErrInvalidRoot, path)
	}
	return fmt.Errorf("%w: %w", ErrInvalidRoot, at(path, err))
}
