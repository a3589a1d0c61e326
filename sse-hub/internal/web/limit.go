package web

import (
	"net"
	"sync"
	"sync/atomic"
)

// limiter bounds the connections of a listener, so that files are left for gRPC,
// the admin listener and the history. Who comes when it is full waits in the
// kernel's queue and costs nothing: accept is not asked again and again, as it
// would be at EMFILE (hub case 59).
type limiter struct {
	slots chan struct{} // has room for one more connection each; nil: no bound
	full  atomic.Int64
}

func newLimiter(n int) *limiter {
	l := &limiter{}
	if n > 0 {
		l.slots = make(chan struct{}, n)
	}
	return l
}

func (l *limiter) wrap(inner net.Listener) net.Listener {
	if l.slots == nil {
		return inner
	}
	return &limitedListener{Listener: inner, limiter: l, done: make(chan struct{})}
}

type limitedListener struct {
	net.Listener
	limiter *limiter
	done    chan struct{} // closed by Close
	once    sync.Once
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.limiter.slots <- struct{}{}:
	default:
		l.limiter.full.Add(1)
		select {
		case l.limiter.slots <- struct{}{}:
		case <-l.done:
			return nil, net.ErrClosed
		}
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.limiter.slots
		return nil, err
	}
	return &limitedConn{Conn: conn, limiter: l.limiter}, nil
}

// Close implements net.Listener.
func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// limitedConn gives its slot back once.
type limitedConn struct {
	net.Conn
	limiter  *limiter
	released atomic.Bool
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}

func (c *limitedConn) release() {
	if !c.released.Swap(true) {
		<-c.limiter.slots
	}
}
