package watch

import (
	"io/fs"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	statFlags = unix.AT_SYMLINK_NOFOLLOW | unix.AT_STATX_SYNC_AS_STAT
	statMask  = unix.STATX_TYPE | unix.STATX_INO | unix.STATX_SIZE | unix.STATX_MTIME | unix.STATX_CTIME | unix.STATX_BTIME
)

// lstat describes path itself, without following a symlink at its end. It calls
// statx because os.Lstat does not tell the birth time.
func lstat(path string) (info, error) {
	var st unix.Statx_t
	err := unix.EINTR
	for err == unix.EINTR { // seen on network file systems
		err, _ = unix.Statx(unix.AT_FDCWD, path, statFlags, statMask, &st).(syscall.Errno) //nolint:errorlint // the system call's own number, never wrapped
	}
	if err != 0 {
		return info{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	in := info{
		id:       ident{dev: unix.Mkdev(st.Dev_major, st.Dev_minor), ino: st.Ino},
		kind:     special,
		modified: nanoseconds(st.Mtime),
		changed:  nanoseconds(st.Ctime),
	}
	if st.Mask&unix.STATX_BTIME != 0 {
		in.id.born = nanoseconds(st.Btime)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		in.kind, in.size = file, int64(st.Size)
	case unix.S_IFDIR:
		in.kind = dir
	}
	return in, nil
}

func nanoseconds(t unix.StatxTimestamp) int64 { return t.Sec*int64(time.Second) + int64(t.Nsec) }
