//go:build linux

package fanout

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A descriptor that epoll refuses is closed, and it is said.
func TestStartRefused(t *testing.T) {
	w := standStill(t, "")
	fd, err := unix.Open(filepath.Join(t.TempDir(), "file"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	conn := w.loop.NewConn()
	sub, err := w.SubscribeFor(toT, conn)
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	if err := conn.Start(Client{FD: fd, Subscription: sub, Ended: func() { ended++ }}); !errors.Is(err, unix.EPERM) {
		t.Errorf("epoll refuses a file, and Start returns %v", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		t.Errorf("the descriptor: %v", err)
	}
	if s, _ := w.Stats(); s.Subscribers != 0 || ended != 1 {
		t.Errorf("%d subscribers, ended %d times", s.Subscribers, ended)
	}
}

// stepWall moves the wall clock's time in t and not the monotonic one, as if the
// clock had been put right since.
func stepWall(t *time.Time, d time.Duration) {
	const nanoseconds = 30 // below the seconds in time.Time's first word
	wall := (*uint64)(unsafe.Pointer(t))
	*wall += uint64(int64(d/time.Second) << nanoseconds)
}

// Case 69: a token of half an hour ends its stream after half an hour, whatever was
// done to the wall clock since the hub's start.
func TestExpiryAndWallClock(t *testing.T) {
	for name, step := range map[string]time.Duration{"put forward": -time.Hour, "put back": time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := standStill(t, "")
			stepWall(&w.loop.start, step)
			_, c := w.join(t, toT, time.Now().Add(30*time.Minute).Round(0)) // as a token has it
			w.settle()
			w.pass(20 * time.Minute)
			if w.shard.look(c); c.closed {
				t.Error("it ends early")
			}
			w.pass(20 * time.Minute)
			if w.shard.look(c); !c.closed {
				t.Error("it goes on for too long")
			}
		})
	}
}

// The number of a descriptor may belong to another connection when epoll's word on
// the former one is heard.
func TestReusedDescriptor(t *testing.T) {
	w := standStill(t, "")
	_, former := w.join(t, toT, time.Time{})
	stale := unix.EpollEvent{Events: unix.EPOLLRDHUP, Fd: int32(former.fd), Pad: former.generation}
	w.settle()
	w.shard.end(former, nil)
	w.loop.pass([]unix.EpollEvent{stale}) // nobody has the number
	_, c := w.join(t, toT, time.Time{})
	w.settle()
	stale.Fd = int32(c.fd)
	w.loop.pass([]unix.EpollEvent{stale})
	if w.settle(); c.closed {
		t.Error("it is ended for what was said of another one")
	}
	stale.Pad = c.generation
	w.loop.pass([]unix.EpollEvent{stale})
	if w.settle(); !c.closed {
		t.Error("its own end is not heard")
	}
}

// The stream's head comes first, however long a connection waits for its turn.
func TestHeadComesFirst(t *testing.T) {
	w := standStill(t, "")
	client, c := w.join(t, toT, time.Time{})
	w.pass(20 * time.Second)
	w.shard.look(c)
	w.settle()
	w.Close()
	if got := w.readAll(t, client, c); got != ":begin\n\n" {
		t.Errorf("got %q", got)
	}
}
