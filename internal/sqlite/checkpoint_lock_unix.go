//go:build linux || darwin

package sqlite

import (
	"errors"
	"os"
	"syscall"
)

// takeLock takes the lock on a file, for as long as the file stays open; it returns
// nil where another process has it.
func takeLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = nil
	}
	return nil, errors.Join(err, file.Close())
}
