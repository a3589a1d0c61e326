//go:build linux

package fanout

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// still is a world whose loop has one shard and does not run: tests take its steps
// and move its clock.
type still struct {
	*world
	shard *shard
}

func standStill(t *testing.T, farewell string) *still {
	t.Helper()
	h, err := hub.New(hub.NewMemoryLog(hub.Retention{Events: 10_000, Bytes: 1 << 30, Age: time.Hour}), hub.Options{MaxData: 1 << 20, Heartbeat: 15 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	l := &Loop{hub: h, start: time.Now(), epollFD: epoll, pending: pendingBytes, options: Options{
		WriteTimeout: time.Minute, Log: slog.New(slog.DiscardHandler),
		Farewell: func(error) []byte { return []byte(farewell) },
	}}
	s := newShard(l)
	l.shards = []*shard{s}
	t.Cleanup(func() { s.closeAll(); _ = unix.Close(epoll) })
	return &still{&world{Hub: h, loop: l}, s}
}

// join returns the client's end of a connection, and the loop's.
func (w *still) join(t *testing.T, r hub.Request, expires time.Time) (net.Conn, *Conn) {
	t.Helper()
	client, fd := w.connect(t, r, expires)
	for _, option := range []int{unix.SO_SNDBUF, unix.SO_RCVBUF} { // a few kilobytes
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 4608); err != nil {
			t.Fatal(err)
		}
	}
	return client, w.loop.conns[fd]
}

// fill publishes more than a client's socket takes, so that it stops inside a
// frame, and returns what was published as the client should read it.
func (w *still) fill(t *testing.T, c *Conn) string {
	t.Helper()
	var want strings.Builder
	for range 4 {
		data := strings.Repeat("x", 128<<10)
		fmt.Fprintf(&want, "data: %s\nid: %s\n\n", data, w.publish(t, data).ID)
	}
	w.settle()
	if !c.blocked || len(c.rest) == 0 {
		t.Fatalf("blocked: %v, %d bytes are left of the frame", c.blocked, len(c.rest))
	}
	return want.String()
}

// settle serves all that are in the queue.
func (w *still) settle() {
	for w.shard.serveSome(); w.shard.head < len(w.shard.running) || len(w.shard.bulk)+len(w.shard.urgent) > 0; {
		w.shard.serveSome()
	}
}

// pass moves the clock.
func (w *still) pass(d time.Duration) { w.loop.start = w.loop.start.Add(-d) }

// readAll is what a client reads until the stream's end, while it is served.
func (w *still) readAll(t *testing.T, client net.Conn, c *Conn) string {
	t.Helper()
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1) // 1: the reader need not be waited for
	go func() {                  // ends with the connection
		text, err := io.ReadAll(client)
		done <- result{text, err}
	}()
	until(t, "the stream ends", func() bool {
		if !c.closed {
			c.tell(changed)
			w.settle()
		}
		return c.closed
	})
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	return string(r.text)
}
