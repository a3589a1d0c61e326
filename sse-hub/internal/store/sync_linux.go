package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// datasync makes what was written to a file safe, without its times.
func datasync(file *os.File) error { return unix.Fdatasync(int(file.Fd())) }
