//go:build linux

package fanout

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/ssetest"
)

// world is a hub and a loop.
type world struct {
	*hub.Hub
	loop  *Loop
	ended atomic.Int64
}

func start(t *testing.T, timeout time.Duration, pending int64) *world {
	t.Helper()
	h, err := hub.New(hub.NewMemoryLog(hub.Retention{Events: 10_000, Bytes: 1 << 30, Age: time.Hour}), hub.Options{MaxData: 1 << 20, Heartbeat: 15 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(h, Options{WriteTimeout: timeout, Log: slog.New(slog.DiscardHandler), Farewell: func(cause error) []byte {
		return []byte(": " + cause.Error() + "\n\n")
	}})
	if err != nil {
		t.Fatal(err)
	}
	l.pending = pending
	t.Cleanup(l.Close)
	return &world{Hub: h, loop: l}
}

// connect returns the client's end of a connection, and the server's descriptor.
func (w *world) connect(t *testing.T, r hub.Request, expires time.Time) (net.Conn, int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	var fd int
	raw, err := server.(*net.TCPConn).SyscallConn()
	if err == nil {
		err = raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	}
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	conn := w.loop.NewConn()
	sub, err := w.SubscribeFor(r, conn)
	if err != nil {
		t.Fatal(err)
	}
	err = conn.Start(Client{FD: fd, Subscription: sub, Preamble: []byte(":begin\n\n"), Expires: expires, Ended: func() { w.ended.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	return client, fd
}

func (w *world) publish(t *testing.T, data string) hub.Receipt {
	t.Helper()
	r, err := w.Publish(hub.Publication{Topic: "t", Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// until waits for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

var toT = hub.Request{Topics: []string{"t"}}

// Case 56: a peer that does not acknowledge is given up by the kernel, and what it
// does not read stays out of the kernel.
func TestSocketOptions(t *testing.T) {
	w := start(t, time.Minute, pendingBytes)
	_, fd := w.connect(t, toT, time.Time{})
	for option, want := range map[int]int{unix.TCP_USER_TIMEOUT: 20_000, unix.TCP_NOTSENT_LOWAT: unsentBytes} {
		if got, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, option); err != nil || got != want {
			t.Errorf("option %d is %d, %v", option, got, err)
		}
	}
}

// Case 56: a client that vanishes without a word: its machine is gone. With the
// next sign of life the kernel learns it.
func TestSilentEnd(t *testing.T) {
	w := start(t, time.Minute, pendingBytes)
	client, _ := w.connect(t, toT, time.Time{})
	raw, err := client.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var repairErr error
	if err := raw.Control(func(fd uintptr) { // a socket in repair says nothing when it is closed
		repairErr = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1)
	}); err != nil {
		t.Fatal(err)
	}
	if errors.Is(repairErr, unix.EPERM) {
		t.Skip("needs CAP_NET_ADMIN to end a connection without a word")
	}
	client.Close()
	if s, _ := w.Stats(); s.Subscribers != 1 {
		t.Fatalf("%d subscribers: the end was not silent", s.Subscribers)
	}
	w.publish(t, "x")
	until(t, "the client is gone", func() bool { s, _ := w.Stats(); return s.Subscribers == 0 })
}

// Case 60: what those who do not read keep in memory is bounded; the slowest goes
// first, and others do not notice.
func TestPendingIsBounded(t *testing.T) {
	w := start(t, time.Minute, 3<<20)
	all := w.loop.shards
	w.loop.shards = all[:1] // for all clients: its bound is what is tested
	defer func() { w.loop.shards = all }()
	const n = 6
	for range n { // each stops inside another event
		w.connect(t, hub.Request{Topics: []string{"t"}, LastID: w.last(t)}, time.Time{})
		for range 12 {
			w.publish(t, strings.Repeat("x", 1<<20))
		}
	}
	until(t, "the slowest are let go", func() bool { s, _ := w.Stats(); return s.Slow > 0 && s.Subscribers < n })
	good, _ := w.connect(t, toT, time.Time{})
	r := w.publish(t, "for those who read")
	if e := nextEvent(t, good); e.ID != r.ID {
		t.Errorf("got %+v", e)
	}
	s, _ := w.Stats()
	t.Logf("%d of %d were let go", s.Slow, n)
}

// last is the newest id.
func (w *world) last(t *testing.T) string {
	t.Helper()
	sub, err := w.Subscribe(toT)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	return sub.Live()
}

func nextEvent(t *testing.T, in io.Reader) ssetest.Event {
	t.Helper()
	var p ssetest.Parser
	chunk := make([]byte, 64<<10)
	for len(p.Events) == 0 {
		n, err := in.Read(chunk)
		_, _ = p.Write(chunk[:n])
		if err != nil {
			t.Fatal(err)
		}
	}
	return p.Events[0]
}

// Cases 14 and 55: wherever the socket stops to take, the frames go on where they
// were, none twice.
func TestPartialWrites(t *testing.T) {
	w := start(t, time.Minute, pendingBytes)
	client, fd := w.connect(t, toT, time.Time{})
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 4608); err != nil {
		t.Fatal(err)
	}
	const n = 400
	var want bytes.Buffer
	for i := range n {
		data := fmt.Sprint(i, strings.Repeat("y", (i*997)%6000))
		fmt.Fprintf(&want, "data: %s\nid: %s\n\n", data, w.publish(t, data).ID)
	}
	w.Close()
	got, err := io.ReadAll(client)
	if err != nil {
		t.Fatal(err)
	}
	whole := ":begin\n\n" + want.String() + ": " + hub.ErrStopping.Error() + "\n\n"
	if string(got) != whole {
		t.Errorf("the stream has %d bytes, want %d", len(got), len(whole))
	}
	if err := w.loop.Drain(t.Context()); err != nil || w.ended.Load() != 1 {
		t.Errorf("drain: %v, %d ended", err, w.ended.Load())
	}
}

// Case 55: who takes nothing for as long as allowed is let go.
func TestWriteTimeout(t *testing.T) {
	w := start(t, 100*time.Millisecond, pendingBytes)
	w.connect(t, toT, time.Time{})
	for range 30 {
		w.publish(t, strings.Repeat("x", 1<<20))
	}
	until(t, "the client is let go", func() bool { s, _ := w.Stats(); return s.Subscribers == 0 && s.Slow == 1 })
}

func TestExpiry(t *testing.T) {
	w := start(t, time.Minute, pendingBytes)
	client, _ := w.connect(t, toT, time.Now().Add(20*time.Millisecond))
	got, err := io.ReadAll(client)
	if err != nil || !strings.HasSuffix(string(got), ErrExpired.Error()+"\n\n") {
		t.Errorf("case 69: got %q, %v", got, err)
	}
}

// Clients that leave give their files back.
func TestFilesAreGivenBack(t *testing.T) {
	w := start(t, time.Minute, pendingBytes)
	files := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := files()
	var clients []net.Conn
	for range 200 {
		client, _ := w.connect(t, toT, time.Time{})
		clients = append(clients, client)
	}
	for _, client := range clients {
		client.Close()
	}
	until(t, "case 58: open files are as before", func() bool { return files() <= before })
	if w.ended.Load() != 200 {
		t.Errorf("%d have ended", w.ended.Load())
	}
}

// Close ends everything, also those who do not read.
func TestClose(t *testing.T) {
	w := start(t, time.Minute, pendingBytes)
	for range 20 {
		w.connect(t, toT, time.Time{})
	}
	for range 10 {
		w.publish(t, strings.Repeat("x", 1<<20))
	}
	w.loop.Close()
	if s, _ := w.Stats(); s.Subscribers != 0 || w.ended.Load() != 20 {
		t.Errorf("%d subscribers, %d ended", s.Subscribers, w.ended.Load())
	}
	w.loop.Close()
}
