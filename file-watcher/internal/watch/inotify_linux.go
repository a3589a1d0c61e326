package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
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

// gather is the pause between two reads while there is always something to read;
// it grows to gatherMost while that goes on. Otherwise each notification of a storm
// would wake this program by itself, which costs far more than to take it; the
// kernel also merges a file's repeated ones while they wait. Its queue of 16,384
// takes several times what can happen meanwhile. The first notification after a
// while is read at once. Guesses.
const (
	gather     = 250 * time.Microsecond
	gatherMost = 8 * time.Millisecond
)

// againAfter is the pause after an error of the kernel's that should not be. What it
// notifies meanwhile waits in its queue.
const againAfter = 100 * time.Millisecond

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
// overflows only when the machine cannot keep up at all. It waits in poll(2), not
// in Go's poller, which would be woken by every notification, also while they
// gather.
type inotify struct {
	fd   int
	stop int // an eventfd: readable once the notifier is closed
	*touches
	done chan struct{} // closed when read has ended
}

func newInotify() (notifier, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("start kernel notifications: %w", limitError(err))
	}
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start kernel notifications: %w", err), unix.Close(fd))
	}
	n := &inotify{fd: fd, stop: stop, touches: newTouches(), done: make(chan struct{})}
	go n.read() // ended by close
	return n, nil
}

func (n *inotify) touched() *touches { return n.touches }

func (n *inotify) close() {
	_, _ = unix.Write(n.stop, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // an eventfd takes eight bytes
	<-n.done
	_, _ = unix.Close(n.fd), unix.Close(n.stop)
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
	last, pause := time.Now(), gather
	for n.wait() {
		if time.Since(last) < gather {
			time.Sleep(pause) // not for something to happen: for more to come together
			pause = min(pause+pause/4, gatherMost)
		} else {
			pause = gather
		}
		size, err := unix.Read(n.fd, buf)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			n.failed("read notifications", err)
			continue
		}
		last = time.Now()
		n.note(func() { n.parse(buf[:size]) })
	}
}

// wait returns true when there is something to read, false after close.
func (n *inotify) wait() bool {
	fds := []unix.PollFd{{Fd: int32(n.fd), Events: unix.POLLIN}, {Fd: int32(n.stop), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		if err == nil {
			return fds[1].Revents == 0
		}
		if !errors.Is(err, unix.EINTR) { // no memory, or a lowered limit of open files
			n.failed("wait for notifications", err)
		}
	}
}

// failed has the error reported, and pauses.
func (n *inotify) failed(what string, err error) {
	n.note(func() { n.errs = append(n.errs, fmt.Errorf("%s: %w", what, err)) })
	time.Sleep(againAfter)
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
