package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inotifyMask is what is asked of the kernel (inotify(7)). IN_CLOSE_WRITE tells of
// what was written through a memory map, which IN_MODIFY does not (case 24).
// IN_EXCL_UNLINK: a file that has no name any more is nobody's business.
const inotifyMask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
	unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_ATTRIB | unix.IN_MOVE_SELF | unix.IN_DELETE_SELF |
	unix.IN_ONLYDIR | unix.IN_DONT_FOLLOW | unix.IN_EXCL_UNLINK

// inotifyBuffer takes a good thousand notifications in one read.
const inotifyBuffer = 64 << 10

// inotify is the notifier of Linux. It speaks to the kernel itself, because the
// kernel knows directories by their inode, which survives a rename, where a
// library that speaks of paths has to guess; and because it shows what libraries
// hide: that an entry is a directory, that a file was closed after writing, that a
// file system was unmounted.
//
// A handle is the kernel's watch descriptor, which it counts up and does not use
// again (inotify(7), BUGS: until 2^31 of them have been used).
//
// A goroutine of its own empties the kernel's queue at once, so that this
// overflows only when the machine cannot keep up at all.
type inotify struct {
	file *os.File
	fd   int
	*touches
	done chan struct{} // closed when read has ended
}

func newInotify() (notifier, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("start kernel notifications: %w", limitError(err))
	}
	// Not blocking, the file waits in Go's poller, and Close ends its Read.
	n := &inotify{file: os.NewFile(uintptr(fd), "inotify"), fd: fd, touches: newTouches(), done: make(chan struct{})}
	go n.read() // ended by close
	return n, nil
}

func (n *inotify) touched() *touches { return n.touches }

func (n *inotify) close() {
	_ = n.file.Close() // nothing is written, so nothing can be lost
	<-n.done
}

func (n *inotify) watch(path string) (handle, error) {
	wd, err := unix.InotifyAddWatch(n.fd, path, inotifyMask)
	if err != nil {
		return 0, &fs.PathError{Op: "watch", Path: path, Err: limitError(err)}
	}
	return handle(wd), nil
}

func (n *inotify) unwatch(h handle) {
	// The kernel has removed the watch of a deleted directory already.
	_, _ = unix.InotifyRmWatch(n.fd, uint32(h))
}

// read collects notifications until close.
func (n *inotify) read() {
	defer close(n.done)
	buf := make([]byte, inotifyBuffer)
	for {
		size, err := n.file.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			n.note(func() { n.errs = append(n.errs, err) })
			return
		}
		n.note(func() { n.parse(buf[:size]) })
	}
}

// parse takes a buffer apart. The kernel only ever fills in whole notifications.
func (n *inotify) parse(buf []byte) {
	for len(buf) >= unix.SizeofInotifyEvent {
		e := (*unix.InotifyEvent)(unsafe.Pointer(&buf[0])) // the kernel aligns them
		name := buf[unix.SizeofInotifyEvent : unix.SizeofInotifyEvent+int(e.Len)]
		buf = buf[unix.SizeofInotifyEvent+int(e.Len):]
		if e.Mask&unix.IN_Q_OVERFLOW != 0 {
			n.overflow = true
			continue
		}
		n.add(handle(e.Wd), trimPadding(name), opOfMask(e.Mask))
	}
}

// trimPadding cuts the NUL bytes off that align the next notification.
func trimPadding(name []byte) []byte {
	for i, c := range name {
		if c == 0 {
			return name[:i]
		}
	}
	return name
}

func opOfMask(mask uint32) op {
	var o op
	for _, bit := range [...]struct {
		mask uint32
		op   op
	}{
		{unix.IN_CREATE, opAppeared},
		{unix.IN_MOVED_TO, opAppeared | opMoved},
		{unix.IN_DELETE | unix.IN_MOVED_FROM, opDeparted},
		{unix.IN_MODIFY, opWritten},
		{unix.IN_CLOSE_WRITE | unix.IN_ATTRIB | unix.IN_MOVE_SELF | unix.IN_DELETE_SELF, opTouched},
		{unix.IN_ISDIR, opDirectory},
		{unix.IN_IGNORED, opUnwatched},
		{unix.IN_UNMOUNT, opUnmounted},
	} {
		if mask&bit.mask != 0 {
			o |= bit.op
		}
	}
	return o
}

// limitError puts the name and value of the kernel's limit into an error of
// inotify, whose own texts ("no space left on device", "too many open files")
// send their reader to the wrong place (cases 39, 40).
func limitError(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %s", ErrLimit, inotifyLimit("max_user_watches"))
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("%w: %s", ErrLimit, inotifyLimit("max_user_instances"))
	}
	return err
}

// inotifyLimit names a limit and its present value.
func inotifyLimit(name string) string {
	value, err := os.ReadFile("/proc/sys/fs/inotify/" + name)
	if err != nil {
		return "raise fs.inotify." + name
	}
	return fmt.Sprintf("fs.inotify.%s is %s, raise it with sysctl", name, strings.TrimSpace(string(value)))
}
