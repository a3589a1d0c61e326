package web

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/sse-hub/internal/fanout"
)

var errExpired = fanout.ErrExpired

// loop is the sink that takes HTTP/1.x connections over. Without a fanout.Loop it
// takes none.
type loop struct {
	*fanout.Loop
	streams *streams
}

func newLoop(s *streams, plain bool) (loop, error) {
	if plain {
		return loop{}, nil
	}
	inner, err := fanout.New(s.hub, fanout.Options{WriteTimeout: s.timeout, Farewell: farewell, Log: s.log})
	return loop{inner, s}, err
}

// take serves a client from here on, if it can.
func (l loop) take(w http.ResponseWriter, r *http.Request, c client) bool {
	hijacker, ok := w.(http.Hijacker) // HTTP/2 has none
	if l.Loop == nil || r.ProtoMajor != 1 || r.TLS != nil || !ok {
		return false
	}
	conn := l.NewConn()
	sub, err := l.streams.hub.SubscribeFor(c.request, conn)
	if err != nil {
		defer c.leave()
		l.streams.refuse(w, r, err)
		return true
	}
	setHeaders(w.Header(), r)
	fd, release, err := seize(hijacker)
	if err == nil {
		err = conn.Start(fanout.Client{
			FD: fd, Subscription: sub, Preamble: append(head(w.Header()), opening(sub)...), Expires: c.expires,
			Ended: func() { release(); c.leave() },
		})
	} else {
		sub.Close()
		c.leave()
	}
	if err != nil { // the connection is closed: the client comes back
		l.streams.log.Error("connection cannot be taken over", "err", err)
	}
	return true
}

// seize takes a connection's socket from net/http and the runtime's poller.
func seize(hijacker http.Hijacker) (fd int, release func(), err error) {
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return 0, nil, err
	}
	release = func() {}
	inner := conn
	if limited, ok := conn.(*limitedConn); ok {
		release, inner = limited.release, limited.Conn
	}
	raw, ok := inner.(syscall.Conn)
	if !ok {
		conn.Close()
		return 0, nil, fmt.Errorf("a %T has no socket", inner)
	}
	fd, err = duplicate(raw)
	if err != nil {
		conn.Close()
		return 0, nil, err
	}
	_ = inner.Close() // the duplicate stays open
	return fd, release, nil
}

func duplicate(conn syscall.Conn) (fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := raw.Control(func(old uintptr) {
		fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err == nil {
		err = controlErr
	}
	return fd, err
}

// head is a response's head as net/http would write it. Without a length the body
// ends with the connection.
func head(h http.Header) []byte {
	h.Del("Transfer-Encoding")
	h.Set("Connection", "close")
	h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&b) // to memory
	b.WriteString("\r\n")
	return b.Bytes()
}

// Drain waits until all have been told of the hub's stop and have ended.
func (l loop) Drain(ctx context.Context) error {
	if l.Loop == nil {
		return nil
	}
	return l.Loop.Drain(ctx)
}

// Close ends those that are left.
func (l loop) Close() {
	if l.Loop != nil {
		l.Loop.Close()
	}
}
