package track

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// place is where a file may be written: a path in a root, or in another folder
// that is named for it.
type place struct {
	path, dir string
	tracked   bool // dir is a root
}

func (t *Tracker) placeOf(path string) (place, error) {
	canonical, root, err := t.resolve(path)
	if !errors.Is(err, ErrOutsideRoots) {
		return place{canonical, root, true}, err
	}
	if canonical, err = clean(path); err != nil {
		return place{}, err
	}
	for _, dir := range t.restoreTo {
		if below(dir, canonical) {
			return place{canonical, dir, false}, nil
		}
	}
	return place{}, fmt.Errorf("%q: %w and the folders of --restore-to", canonical, ErrOutsideRoots)
}

// write replaces the file with one rename: whoever reads it sees the old content
// or the new one. before is what is expected there; a zero Stat: nothing.
func (p place) write(body []byte, before Stat) error {
	dir, rel, err := p.open()
	if err != nil {
		return err
	}
	defer dir.Close()
	parent := filepath.Dir(rel)
	if err := dir.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	temporary := filepath.Join(parent, fmt.Sprintf(".obby-restore-%d-%d", os.Getpid(), time.Now().UnixNano()))
	if err := writeFile(dir, temporary, body); err != nil {
		return errors.Join(err, dir.Remove(temporary))
	}
	if info, err := dir.Lstat(rel); err == nil {
		if err := dir.Chmod(temporary, info.Mode().Perm()); err != nil {
			return errors.Join(err, dir.Remove(temporary))
		}
	}
	if err := p.unchanged(dir, rel, before); err != nil {
		return errors.Join(err, dir.Remove(temporary))
	}
	if err := dir.Rename(temporary, rel); err != nil {
		return errors.Join(err, dir.Remove(temporary))
	}
	return syncDir(dir, parent)
}

func (p place) remove(before Stat) error {
	dir, rel, err := p.open()
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := p.unchanged(dir, rel, before); err != nil {
		return err
	}
	return dir.Remove(rel)
}

func (p place) open() (*os.Root, string, error) {
	rel, err := filepath.Rel(p.dir, p.path)
	if err != nil {
		return nil, "", err
	}
	dir, err := os.OpenRoot(p.dir)
	return dir, rel, err
}

// unchanged returns ErrKeepsChanging unless the file is still what it was when it
// was recorded.
func (p place) unchanged(dir *os.Root, rel string, before Stat) error {
	info, err := dir.Lstat(rel)
	if isGone(err) && before == (Stat{}) || err == nil && statOf(info) == before {
		return nil
	}
	return ErrKeepsChanging
}

func writeFile(dir *os.Root, name string, body []byte) error {
	file, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(body)
	return errors.Join(err, file.Sync(), file.Close())
}

// syncDir makes a rename in a directory last.
func syncDir(dir *os.Root, name string) error {
	file, err := dir.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
