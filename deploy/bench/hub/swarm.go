package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// crews is how many threads read for all clients.
	crews = 2
	// sources is how many loopback addresses the clients come from.
	sources = 20
	// window is how many clients connect at a time for each crew: the kernel's
	// queue of a listener holds 4,096.
	window = 500
	// few events are not worth being woken for, one by one: a crew that has had no
	// more takes a nap. Browsers are elsewhere; that the kernel wakes a reader for
	// each packet is a cost of having both on one machine.
	few = 64
	// stallTime is how long a client that stalls in a check does so.
	stallTime = 5 * time.Second
	// patience bounds every wait.
	patience = 60 * time.Second
)

// nap is added to what is measured, at most.
var nap = unix.Timespec{Nsec: 300_000}

// swarm is many clients of one hub.
type swarm struct {
	to      unix.SockaddrInet4
	start   time.Time
	crews   []*crew
	opened  atomic.Int64
	seen    atomic.Int64 // events
	stopped atomic.Bool
	wait    sync.WaitGroup
}

// crew is a thread with its clients.
type crew struct {
	swarm   *swarm
	epoll   int
	clients []*client
	byFD    []*client // by file descriptor
	queue   []*client // to connect
	dialing int
	stalled map[*client]bool // read nothing
	again   bool             // who loses the connection comes back
	times   []time.Duration  // of every event, from publication
	last    []time.Duration  // by number of the publication: until the crew's last client had it
	err     error
}

// newSwarm returns n clients; topic says what each subscribes to.
func newSwarm(addr string, n int, topic func(i int) string) (*swarm, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	s := &swarm{to: unix.SockaddrInet4{Port: number, Addr: [4]byte{127, 0, 0, 1}}, start: time.Now()}
	for range crews {
		epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			return nil, err
		}
		s.crews = append(s.crews, &crew{
			swarm: s, epoll: epoll, byFD: make([]*client, 1<<16), stalled: map[*client]bool{},
		})
	}
	for i := range n {
		w := s.crews[i%crews]
		w.clients = append(w.clients, &client{topic: topic(i), source: 2 + i%sources})
	}
	return s, nil
}

// connect lets all clients connect and returns when each has its first bytes.
func (s *swarm) connect() (time.Duration, error) {
	begin := time.Now()
	total := int64(0)
	for _, w := range s.crews {
		w.queue = append(w.queue, w.clients...)
		total += int64(len(w.clients))
		s.wait.Go(w.run)
	}
	err := s.until("all are connected", func() bool { return s.opened.Load() == total })
	return time.Since(begin), err
}

// until waits for a condition.
func (s *swarm) until(what string, holds func() bool) error {
	for limit := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			return fmt.Errorf("waited %v in vain until %s: %d open, %d events seen", patience, what, s.opened.Load(), s.seen.Load())
		}
		for _, w := range s.crews {
			if s.stopped.Load() && w.err != nil {
				return w.err
			}
		}
	}
	return nil
}

// close ends the swarm; its counts can be read then.
func (s *swarm) close() error {
	s.stopped.Store(true)
	s.wait.Wait()
	var errs []error
	for _, w := range s.crews {
		errs = append(errs, w.err, unix.Close(w.epoll))
	}
	return errors.Join(errs...)
}

// total sums the clients' counts up.
func (s *swarm) total() (sum counts) {
	for _, w := range s.crews {
		for _, c := range w.clients {
			sum.events += c.events
			sum.duplicates += c.duplicates
			sum.resets += c.resets
			sum.connects += c.connects
		}
	}
	return sum
}

// run serves the crew's clients until the swarm is closed.
func (w *crew) run() {
	events := make([]unix.EpollEvent, 512)
	buffer := make([]byte, 256<<10)
	for !w.swarm.stopped.Load() && w.err == nil {
		w.dial()
		w.revive()
		n, err := unix.EpollWait(w.epoll, events, 20)
		if err != nil && !errors.Is(err, unix.EINTR) {
			w.err = err
		}
		for _, e := range events[:max(n, 0)] {
			if c := w.byFD[e.Fd]; c != nil {
				w.handle(c, e.Events, buffer)
			}
		}
		if n > 0 && n < few {
			_ = unix.Nanosleep(&nap, nil)
		}
	}
	for _, c := range w.clients {
		if c.stage != away {
			c.hangUp(true)
		}
	}
	if w.err != nil {
		w.swarm.stopped.Store(true)
	}
}

// revive lets clients that have not read for long enough connect again.
func (w *crew) revive() {
	for c := range w.stalled {
		if w.again && c.since > 0 && time.Since(w.swarm.start)-c.since > stallTime {
			delete(w.stalled, c)
			w.lost(c)
		}
	}
}

func (w *crew) dial() {
	for len(w.queue) > 0 && w.dialing < window {
		c := w.queue[0]
		if err := c.dial(&w.swarm.to); err != nil {
			if w.again {
				return // the hub is away: in 20 ms again
			}
			w.err = err
			return
		}
		w.queue = w.queue[1:]
		w.dialing++
		w.byFD[c.fd] = c
		w.err = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: unix.EPOLLOUT, Fd: int32(c.fd)})
	}
}

func (w *crew) handle(c *client, events uint32, buffer []byte) {
	if c.stage == connecting {
		if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
			w.lost(c)
			return
		}
		if err := c.ask(); err != nil {
			w.lost(c)
			return
		}
		w.err = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)})
		return
	}
	if w.stalled[c] && c.stage == open {
		c.since = time.Since(w.swarm.start)
		w.err = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Fd: int32(c.fd)})
		return
	}
	n, err := unix.Read(c.fd, buffer)
	if errors.Is(err, unix.EAGAIN) {
		return
	}
	if err != nil || n <= 0 {
		w.lost(c)
		return
	}
	now := time.Since(w.swarm.start)
	was := c.stage
	c.take(buffer[:n], func(data []byte) { w.note(data, now) })
	if was == asked {
		w.dialing--
		w.swarm.opened.Add(1)
	}
}

// lost notes the end of a connection.
func (w *crew) lost(c *client) {
	if c.stage == open {
		w.swarm.opened.Add(-1)
	} else {
		w.dialing--
	}
	w.byFD[c.fd] = nil
	c.hangUp(false)
	if w.again {
		w.queue = append(w.queue, c)
	} else {
		w.err = fmt.Errorf("a client of topic %s lost its connection after %d events, in stage %d", c.topic, c.events, c.stage)
	}
}

// note measures an event: its data begins with its number and the time of its
// publication.
func (w *crew) note(data []byte, now time.Duration) {
	w.swarm.seen.Add(1)
	var number, sent int64
	at := 0
	for ; at < len(data) && data[at] != ' '; at++ {
		number = number*10 + int64(data[at]-'0')
	}
	for at++; at < len(data) && data[at] != ' '; at++ {
		sent = sent*10 + int64(data[at]-'0')
	}
	took := now - time.Duration(sent)
	w.times = append(w.times, took)
	for int64(len(w.last)) <= number {
		w.last = append(w.last, 0)
	}
	w.last[number] = max(w.last[number], took)
}
