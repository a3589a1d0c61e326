//go:build linux

package fanout

import (
	"errors"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// What epoll has told of a connection since it was last served.
const (
	changed = 1 << iota // it may take bytes again, or has sent some
	gone                // the client has left, or will send no more
)

// smallAudience is up to how many receivers a publication goes before those for
// more. A guess.
const smallAudience = 2000

// Socket options. A dead peer is noticed when the next heartbeat, at the latest,
// has not been acknowledged for userTimeout (hub case 56). What a client does not
// take stays in the log and not in the kernel, beyond unsentBytes.
const (
	userTimeout = 20 * time.Second
	unsentBytes = 128 << 10
)

// maxUnasked is how much a client may send that nobody asked for (hub case 32).
const maxUnasked = 64 << 10

// Conn is one client.
type Conn struct {
	shard      *shard
	queued     atomic.Bool
	told       atomic.Uint32 // by epoll
	fd         int
	generation int32 // tells it from others with the same descriptor

	// What follows belongs to the shard.
	sub     *hub.Subscription
	expires time.Duration
	ended   func()
	rest    []byte     // of the frame that is being written
	pinned  *hub.Event // whose frame it is
	unasked int
	blocked bool          // the socket takes nothing
	since   time.Duration // of the last progress
	sent    hub.Seq       // the newest id that the client has
	ending  bool          // its subscription is closed, and rest is its farewell
	closed  bool
}

// NewConn returns a connection that can be subscribed for, and has no socket yet.
func (l *Loop) NewConn() *Conn {
	n := l.next.Add(1)
	c := &Conn{shard: l.shards[int(n)%len(l.shards)], generation: int32(n)}
	c.queued.Store(true) // until Start: there is nothing to write to
	return c
}

// Client is what a connection serves.
type Client struct {
	FD           int // a connected TCP socket that does not block; the loop's from now on
	Subscription *hub.Subscription
	Preamble     []byte    // what the stream begins with
	Expires      time.Time // when it ends; zero: never
	Ended        func()    // is called once when it has ended
}

// Start serves a client. The loop closes the socket and the subscription, also
// when there is an error.
func (c *Conn) Start(client Client) error {
	c.fd, c.sub, c.ended, c.rest = client.FD, client.Subscription, client.Ended, client.Preamble
	c.sent, c.since = c.sub.Place(), c.shard.loop.now()
	if !client.Expires.IsZero() {
		// A time on the wall has no place on the loop's clock, which cannot be put
		// forward or back; how long there is until then has one.
		c.expires = max(1, c.shard.loop.now()+time.Until(client.Expires))
	}
	// Without these two a stream works as well, only its end is noticed later.
	_ = unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
	_ = unix.SetsockoptInt(c.fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsentBytes)
	if err := c.shard.loop.register(c); err != nil {
		c.shard.loop.forget(c)
		c.sub.Close()
		err = errors.Join(err, os.NewSyscallError("close", unix.Close(c.fd)))
		c.ended()
		return err
	}
	c.shard.begin(c)
	return nil
}

// Ready implements hub.Waiter.
func (c *Conn) Ready(audience int) { c.enqueue(audience <= smallAudience) }

// tell notes what epoll says.
func (c *Conn) tell(what uint32) {
	c.told.Or(what)
	c.enqueue(false)
}

func (c *Conn) enqueue(first bool) {
	if !c.queued.Swap(true) {
		c.shard.push(c, first)
	}
}
