//go:build linux

package fanout

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// write is unix.Write for a socket that does not block, without a word to the
// scheduler: it would expect the thread to be away for long and give its work to
// another one, which costs more than the write.
func write(fd int, b []byte) (int, error) {
	for len(b) > 0 {
		n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
	return 0, nil
}
