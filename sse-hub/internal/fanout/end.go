//go:build linux

package fanout

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// advance does what time asks for.
func (s *shard) advance() {
	now := s.loop.now()
	s.wheel.turn(now, func(c *Conn) {
		if c.closed {
			return
		}
		if s.look(c); !c.closed {
			s.wheel.add(c, s.due(c))
		}
	})
	for c := range s.blocked {
		if now-c.since > s.loop.options.WriteTimeout {
			s.endSlow(c)
		} else if c.ending {
			continue // it reads nothing any more
		} else if err := c.sub.CheckHeld(); err != nil {
			s.end(c, err)
		}
	}
	if s.draining {
		s.drain()
	}
}

// look sends a sign of life where it is time for one. Only other topics may have
// had events: the client's id must not fall out of the history meanwhile (hub case
// 48).
func (s *shard) look(c *Conn) {
	now := s.loop.now()
	switch {
	case c.ending: // it waits for its socket to take the farewell
	case c.expires != 0 && now >= c.expires:
		s.end(c, ErrExpired)
	case c.blocked, len(c.rest) > 0: // nothing can be said now, or before its turn to begin
	case now >= s.due(c):
		c.sub.Rest()
		sign := hub.Heartbeat
		if c.sub.Place() != c.sent {
			sign = hub.IDFrame(c.sub.Cursor())
			c.sent = c.sub.Place()
		}
		if n, ok := s.send(c, sign); ok && n < len(sign) {
			c.rest = sign[n:]
			s.block(c)
		}
	}
}

// drain tells some that the hub stops. Those that are behind are written to until
// they are not, or until Close.
func (s *shard) drain() {
	for _, c := range s.wheel.pop(drainBatch) {
		c.enqueue(false)
	}
	s.mu.Lock()
	all := s.open == 0 && len(s.fresh) == 0
	s.mu.Unlock()
	if all && !isClosed(s.drained) {
		close(s.drained)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// endSlow ends a connection that takes nothing.
func (s *shard) endSlow(c *Conn) {
	if !c.ending {
		c.sub.CloseSlow()
	}
	s.close(c)
}

// end ends a connection. A client that was overtaken is let go as well: it comes
// back with its last id and is told.
func (s *shard) end(c *Conn, cause error) {
	if c.ending {
		s.close(c)
		return
	}
	c.sub.Close()
	told := errors.Is(cause, hub.ErrStopping) || errors.Is(cause, hub.ErrReplaced) || errors.Is(cause, ErrExpired)
	if told && len(c.rest) == 0 && s.loop.options.Farewell != nil { // never inside a frame
		c.ending, c.rest = true, s.loop.options.Farewell(cause)
		s.finish(c)
		return
	}
	s.close(c)
}

func (s *shard) close(c *Conn) {
	c.closed = true
	s.unblock(c)
	s.discard(c)
	s.loop.forget(c)
	_ = unix.Close(c.fd) // takes it out of epoll, too
	c.rest = nil
	s.open--
	c.ended()
}

// closeAll ends what is left, at Close.
func (s *shard) closeAll() {
	s.take()
	for list := s.wheel.pop(1 << 30); list != nil; list = s.wheel.pop(1 << 30) {
		for _, c := range list {
			if !c.closed {
				s.end(c, nil)
			}
		}
	}
	for c := range s.blocked {
		s.end(c, nil)
	}
}
