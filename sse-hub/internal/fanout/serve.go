//go:build linux

package fanout

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// scratchBytes is up to how much is copied together for one write, and
// scratchEvents about how far the history is read for it. Guesses.
const (
	scratchBytes  = 64 << 10
	scratchEvents = 1000
)

// serve does for a connection what can be done now.
func (s *shard) serve(c *Conn) {
	c.queued.Store(false) // first: what is told from now on is looked at again
	told := c.told.Swap(0)
	switch {
	case c.closed:
		return
	case told&gone != 0:
		s.end(c, nil)
		return
	case told&changed != 0:
		if !s.discard(c) {
			s.end(c, nil)
			return
		}
	case c.blocked:
		return // epoll will tell
	}
	for range rounds {
		if !s.finish(c) {
			return
		}
		more, err := s.gather(c)
		if len(s.batch) > 0 && !s.write(c) {
			return
		}
		if err != nil {
			s.end(c, err)
			return
		}
		if !more {
			return
		}
	}
	c.enqueue(false)
}

// gather reads what is pending for a connection, as much as one write takes. A
// long history of other topics must not hold everybody up: one read that finds
// nothing is enough.
func (s *shard) gather(c *Conn) (more bool, err error) {
	s.batch = s.batch[:0]
	begin := c.sub.Place()
	for size := 0; size < scratchBytes && c.sub.Place() < begin+scratchEvents; {
		events, more, err := c.sub.Poll(&s.reader)
		for _, e := range events {
			size += len(e.Frame)
		}
		s.batch = append(s.batch, events...)
		if !more || err != nil {
			return false, err
		}
		if len(events) == 0 {
			break
		}
	}
	return true, nil
}

// finish writes the rest of a frame, and closes a connection that ends with it. It
// reports whether more can be written.
func (s *shard) finish(c *Conn) bool {
	if len(c.rest) > 0 {
		n, ok := s.send(c, c.rest)
		if !ok {
			return false
		}
		if c.rest = c.rest[n:]; len(c.rest) > 0 {
			s.block(c)
			return false
		}
	}
	s.unblock(c)
	if c.ending {
		s.close(c)
	}
	return !c.closed
}

// write sends the batch. Where the socket takes less, the cursor goes back behind
// the frame that has been begun, whose rest is kept.
func (s *shard) write(c *Conn) bool {
	for done := 0; done < len(s.batch); {
		events := s.batch[done:]
		bytes, count := s.join(events)
		n, ok := s.send(c, bytes)
		if !ok {
			return false
		}
		if n == len(bytes) {
			done += count
			c.sent = events[count-1].Seq
			continue
		}
		s.keep(c, events[:count], n)
		return false
	}
	return true
}

// join returns the frames of the first events in one piece, and how many those
// are: a copy of small ones is cheaper than a list for the kernel.
func (s *shard) join(events []*hub.Event) ([]byte, int) {
	if len(events) == 1 || len(events[0].Frame) > scratchBytes/2 {
		return events[0].Frame, 1
	}
	s.scratch = s.scratch[:0]
	for i, e := range events {
		if len(s.scratch)+len(e.Frame) > scratchBytes {
			return s.scratch, i
		}
		s.scratch = append(s.scratch, e.Frame...)
	}
	return s.scratch, len(events)
}

// keep notes that of the frames of events n bytes were sent.
func (s *shard) keep(c *Conn, events []*hub.Event, n int) {
	for i, e := range events {
		if n >= len(e.Frame) {
			n -= len(e.Frame)
			c.sent = e.Seq
			continue
		}
		if n == 0 {
			c.sub.Back(e.Seq - 1)
		} else {
			c.sub.Back(e.Seq)
			c.rest = e.Frame[n:]
			c.sent = e.Seq // when the rest is sent, before anything else is
			s.pin(c, events[i])
		}
		break
	}
	s.block(c)
}

// send writes as much as the socket takes; ok is false when the connection has
// ended.
func (s *shard) send(c *Conn, b []byte) (n int, ok bool) {
	n, err := write(c.fd, b)
	if err != nil && !errors.Is(err, unix.EAGAIN) {
		s.end(c, nil)
		return 0, false
	}
	if n > 0 {
		c.since = s.loop.now()
	}
	return n, true
}

// discard reads what a client sends, which nobody asked for: left unread it would
// cut off the end of the stream when the socket is closed. It reports whether the
// client is still there.
func (s *shard) discard(c *Conn) bool {
	for {
		n, err := unix.Read(c.fd, s.scratch[:cap(s.scratch)])
		switch {
		case errors.Is(err, unix.EAGAIN):
			return true
		case errors.Is(err, unix.EINTR):
		case err != nil || n == 0:
			return false
		default:
			if c.unasked += n; c.unasked > maxUnasked {
				return false
			}
		}
	}
}

func (s *shard) pin(c *Conn, e *hub.Event) {
	c.pinned = e
	if s.pins[e]++; s.pins[e] == 1 {
		s.pinned += e.Size()
	}
}

func (s *shard) unpin(c *Conn) {
	if e := c.pinned; e != nil {
		c.pinned = nil
		if s.pins[e]--; s.pins[e] == 0 {
			delete(s.pins, e)
			s.pinned -= e.Size()
		}
	}
}

// block notes that a connection waits for its socket. Where those that wait keep
// too much, the slowest goes (hub case 60).
func (s *shard) block(c *Conn) {
	if !c.blocked {
		c.blocked = true
		s.blocked[c] = struct{}{}
	}
	for s.pinned > s.loop.pending {
		var slowest *Conn
		for b := range s.blocked {
			if b.pinned != nil && (slowest == nil || b.pinned.Seq < slowest.pinned.Seq) {
				slowest = b
			}
		}
		s.endSlow(slowest)
	}
}

func (s *shard) unblock(c *Conn) {
	if c.blocked {
		c.blocked = false
		delete(s.blocked, c)
		s.unpin(c)
	}
}

// due is when a connection is to be looked at.
func (s *shard) due(c *Conn) time.Duration {
	due := c.since + s.loop.hub.Heartbeat() - s.wheel.tick
	if c.expires != 0 {
		due = min(due, c.expires)
	}
	return due
}
