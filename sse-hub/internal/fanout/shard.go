//go:build linux

package fanout

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

const (
	// turn is how many connections with a large audience are served before those
	// with a small one have their turn again. A guess.
	turn = 16
	// rounds is how often one connection is read and written before others have
	// their turn: a long replay holds nobody up. A guess.
	rounds = 2
	// A stop lets this many clients go each drainEvery: ten thousand in a second.
	drainBatch = 50
	drainEvery = 10 * time.Millisecond
)

// shard serves its connections, one after the other, in one goroutine.
type shard struct {
	loop    *Loop
	signal  chan struct{} // 1: there is something to look for
	closing atomic.Bool
	drained chan struct{} // closed when all have ended after hub.Close
	waiting atomic.Bool   // something is in urgent

	mu     sync.Mutex // guards what follows
	urgent []*Conn
	bulk   []*Conn
	fresh  []*Conn // started, not yet on the wheel

	// What follows belongs to run.
	reader   hub.Reader
	wheel    wheel
	idle     []*Conn // the other of two lists that urgent is in turn
	running  []*Conn // taken from bulk, served up to head
	head     int
	scratch  []byte
	batch    []*hub.Event
	blocked  map[*Conn]struct{}
	pins     map[*hub.Event]int
	pinned   int64 // bytes of pins
	open     int
	draining bool
}

func newShard(l *Loop) *shard {
	return &shard{
		loop: l, signal: make(chan struct{}, 1), drained: make(chan struct{}),
		wheel: newWheel(l.hub.Heartbeat()), scratch: make([]byte, 0, scratchBytes),
		blocked: map[*Conn]struct{}{}, pins: map[*hub.Event]int{},
	}
}

func (s *shard) wake() {
	select {
	case s.signal <- struct{}{}:
	default: // it has been told and has not looked yet
	}
}

// push puts a connection into the queue.
func (s *shard) push(c *Conn, first bool) {
	s.mu.Lock()
	if first {
		s.urgent = append(s.urgent, c)
		s.waiting.Store(true)
	} else {
		s.bulk = append(s.bulk, c)
	}
	alone := len(s.urgent)+len(s.bulk) == 1
	s.mu.Unlock()
	if alone {
		s.wake()
	}
}

// begin takes a connection in.
func (s *shard) begin(c *Conn) {
	s.mu.Lock()
	s.fresh = append(s.fresh, c)
	s.mu.Unlock()
	s.push(c, false)
}

// run serves until Close.
func (s *shard) run() {
	tick := time.NewTicker(s.wheel.tick)
	defer tick.Stop()
	stopping := s.loop.hub.Stopping()
	for !s.closing.Load() {
		s.serveSome()
		var signal <-chan struct{} = s.signal
		if s.head < len(s.running) || s.waiting.Load() {
			signal = always
		} else {
			s.reader.Forget()
		}
		select {
		case <-signal:
		case <-stopping:
			stopping, s.draining = nil, true
			tick.Reset(drainEvery)
		case <-tick.C:
			s.advance()
		}
	}
	s.closeAll()
}

// always is ready: with it a select looks at the other channels in passing.
var always = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// serveSome serves all with a small audience and some of the others.
func (s *shard) serveSome() {
	urgent := s.take()
	for i, c := range urgent {
		s.serve(c)
		urgent[i] = nil
	}
	s.idle = urgent[:0]
	for n := 0; n < turn && s.head < len(s.running); n++ {
		c := s.running[s.head]
		s.running[s.head] = nil
		s.head++
		s.serve(c)
	}
	if s.head == len(s.running) {
		s.head, s.running = 0, s.running[:0]
	}
}

// take moves what was queued to what is served.
func (s *shard) take() (urgent []*Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range s.fresh {
		s.wheel.add(c, s.due(c))
		s.open++
		s.fresh[i] = nil
	}
	s.fresh = s.fresh[:0]
	urgent, s.urgent = s.urgent, s.idle
	s.waiting.Store(false)
	if s.head > len(s.running)/2 { // else it would grow for as long as it is never empty
		kept := copy(s.running, s.running[s.head:])
		clear(s.running[kept:])
		s.running, s.head = s.running[:kept], 0
	}
	s.running = append(s.running, s.bulk...)
	clear(s.bulk)
	s.bulk = s.bulk[:0]
	return urgent
}
