//go:build !linux

package watch

import (
	"io/fs"
	"os"
	"syscall"
)

// lstat describes path itself, without following a symlink at its end.
func lstat(path string) (info, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return info{}, err
	}
	in := info{kind: special, modified: fi.ModTime().UnixNano()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		in.id = ident{dev: uint64(st.Dev), ino: st.Ino}
	}
	switch fi.Mode().Type() {
	case 0:
		in.kind, in.size = file, fi.Size()
	case fs.ModeDir:
		in.kind = dir
	}
	return in, nil
}
