//go:build linux

package fanout

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// Options of a loop.
type Options struct {
	WriteTimeout time.Duration // without any progress
	// Farewell returns what a client is told at the end of its stream; the cause is
	// hub.ErrStopping, hub.ErrReplaced or ErrExpired. Nil: nothing.
	Farewell func(cause error) []byte
	Log      *slog.Logger
}

// ErrExpired ends a stream at the time that it was given.
var ErrExpired = errors.New("the token has expired")

// pendingBytes bounds what blocked connections of one shard keep in memory, in
// events that others may have finished with (hub case 60). A guess.
const pendingBytes = 32 << 20

// Loop serves connections until it is closed.
type Loop struct {
	hub     *hub.Hub
	options Options
	start   time.Time
	shards  []*shard
	epoll   *os.File // registered with the runtime's own, so that waiting holds no thread
	epollFD int      // of epoll, whose Fd would make it blocking
	next    atomic.Uint32
	pending int64
	running sync.WaitGroup

	mu    sync.RWMutex // guards conns
	conns []*Conn      // by file descriptor
}

// New returns a running loop. The caller must Close it.
func New(h *hub.Hub, o Options) (*Loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // else the runtime does not wait for it
		return nil, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	l := &Loop{hub: h, options: o, start: time.Now(), epoll: os.NewFile(uintptr(fd), "epoll"), epollFD: fd, pending: pendingBytes}
	for range runtime.NumCPU() {
		s := newShard(l)
		l.shards = append(l.shards, s)
		l.running.Go(s.run) // ends by Close
	}
	l.running.Go(l.listen) // ends by Close
	return l, nil
}

// Close ends every connection at once, and the loop.
func (l *Loop) Close() {
	_ = l.epoll.Close()
	for _, s := range l.shards {
		s.closing.Store(true)
		s.wake()
	}
	l.running.Wait()
}

// Drain waits until every connection has ended: after hub.Close, each is told what
// Farewell says, a few at a time.
func (l *Loop) Drain(ctx context.Context) error {
	for _, s := range l.shards {
		select {
		case <-s.drained:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// now is the time since the loop's start: it fits into 8 bytes of a connection.
func (l *Loop) now() time.Duration { return time.Since(l.start) }

// register begins to listen for a socket's events, edge-triggered: each change is
// told once, and nothing has to be switched on and off.
func (l *Loop) register(c *Conn) error {
	l.mu.Lock()
	for len(l.conns) <= c.fd {
		l.conns = append(l.conns, make([]*Conn, max(1024, c.fd+1-len(l.conns)))...)
	}
	l.conns[c.fd] = c
	l.mu.Unlock()
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET,
		Fd:     int32(c.fd), Pad: c.generation,
	}
	err := unix.EpollCtl(l.epollFD, unix.EPOLL_CTL_ADD, c.fd, &event)
	return os.NewSyscallError("epoll_ctl", err)
}

// forget drops a connection before its descriptor is closed and may be given to
// another.
func (l *Loop) forget(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c.fd] = nil
}

// listen passes on what epoll tells, until Close.
func (l *Loop) listen() {
	raw, err := l.epoll.SyscallConn()
	if err != nil {
		return // it is closed already
	}
	events := make([]unix.EpollEvent, 1024)
	for {
		var n int
		err := raw.Read(func(fd uintptr) bool {
			n, err = unix.EpollWait(int(fd), events, 0)
			return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
		})
		if err != nil {
			return
		}
		l.pass(events[:max(n, 0)])
	}
}

func (l *Loop) pass(events []unix.EpollEvent) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, e := range events {
		c := l.conns[e.Fd]
		if c == nil || c.generation != e.Pad {
			continue // of a connection that has ended
		}
		if e.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
			c.tell(gone)
		} else {
			c.tell(changed)
		}
	}
}
