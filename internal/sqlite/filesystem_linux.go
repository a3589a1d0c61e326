package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// checkFilesystem refuses a directory in which WAL mode breaks.
func checkFilesystem(dir string) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(dir, &stat); err != nil {
		return fmt.Errorf("statfs %s: %w", dir, err)
	}
	// Where the kernel does not tell its release, it is not WSL's.
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	wsl := bytes.Contains(bytes.ToLower(release), []byte("microsoft"))
	return filesystem{magic: uint32(stat.Type), wsl: wsl}.refusal(dir)
}

// readOnly reports whether a directory lies on a file system that is mounted read-only.
func readOnly(dir string) bool {
	var stat syscall.Statfs_t
	const stRdonly = 1
	return syscall.Statfs(dir, &stat) == nil && stat.Flags&stRdonly != 0
}
