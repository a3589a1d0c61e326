// Package hub distributes publications to the subscribers of their topics.
//
// # Model
//
// All publications stand in one order, whatever their topic, and a Log keeps the
// newest of them. An event's id is `<epoch>-<sequence>`, its place in that order;
// any id is therefore a cursor for any set of topics. A Subscription is a cursor
// into the log: it holds no queue, so a slow one costs nothing and slows nobody,
// and replay and live events are the same thing, reading on. A publication wakes
// the subscribers of its topic; that is a hint to look, and may be lost or come
// twice.
//
// # Invariants
//
//   - An id is never given to two events.
//   - A subscription gets every event of its topics after its cursor, once and in
//     order, until it is told (Reset, ErrOvertaken) that it cannot.
//   - A publication that was answered is in the log.
//   - An event's frame is built once and shared by all who write it.
//
// The package does not know who may publish or subscribe, and not HTTP or gRPC.
package hub

import (
	"sync"
	"sync/atomic"
	"time"
)

// Options of a hub.
type Options struct {
	MaxData   int           // bytes of data, counted as framedSize does
	Heartbeat time.Duration // how long a subscription is silent at most
}

// Hub takes publications and lets subscribers read them.
type Hub struct {
	log      Log
	options  Options
	counts   counts
	stopping chan struct{} // closed by Close

	// mu guards what follows, and makes a publication's place, its storage and
	// its wake-up one step in the eyes of those who subscribe.
	mu          sync.Mutex
	topics      topics
	keys        keys
	subscribers int
	closed      bool
}

type counts struct {
	published, duplicates, delivered, slow atomic.Int64
	resets                                 map[Reason]*atomic.Int64 // complete from the start
}

// New returns a hub whose history is in log.
func New(log Log, o Options) *Hub {
	h := &Hub{log: log, options: o, stopping: make(chan struct{}), topics: topics{}, keys: newKeys(keyWindow)}
	h.counts.resets = map[Reason]*atomic.Int64{Expired: {}, Epoch: {}, Future: {}}
	return h
}

// Publish gives a publication its place, stores it and wakes the subscribers of
// its topic. What it has answered is delivered or replayed.
//
// Errors: *InvalidError, ErrTooLarge, ErrStopping; with any error nothing was
// published and no place was taken.
func (h *Hub) Publish(p Publication) (Receipt, error) {
	if p.Type == "" {
		p.Type = DefaultType
	}
	if err := p.check(h.options.MaxData); err != nil {
		return Receipt{}, err
	}
	// Before the lock: 1 MiB takes its time.
	frame, data, extra := openFrame(p.Type, p.Data)

	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return Receipt{}, ErrStopping
	}
	if first, ok := h.keys.find(p.Key); ok {
		h.counts.duplicates.Add(1)
		first.Duplicate = true
		return first, nil
	}
	bounds, err := h.log.Bounds()
	if err != nil {
		return Receipt{}, err
	}
	e := &Event{Seq: bounds.Newest + 1, Topic: p.Topic, Type: p.Type, Data: data, Time: time.Now()}
	e.ID = formatID(bounds.Epoch, e.Seq)
	e.Frame = closeFrame(frame, e.ID)
	e.size = int64(cap(e.Frame)+extra+len(e.Topic)) + eventOverhead
	if err := h.log.Append(e); err != nil {
		return Receipt{}, err
	}
	h.counts.published.Add(1)
	receipt := Receipt{ID: e.ID, Receivers: h.topics.wake(e)}
	h.keys.add(p.Key, receipt)
	return receipt, nil
}

// enter makes s a subscriber of its topics and returns the log's bounds at that
// moment: what is published later wakes it.
func (h *Hub) enter(s *Subscription) (Bounds, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return Bounds{}, ErrStopping
	}
	bounds, err := h.log.Bounds()
	if err != nil {
		return Bounds{}, err
	}
	h.topics.add(s)
	h.subscribers++
	return bounds, nil
}

func (h *Hub) leave(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.topics.remove(s)
	h.subscribers--
}

// Close refuses publications and subscriptions from now on. The subscriptions
// that stand end with ErrStopping when they have read what was published before.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.stopping)
	}
}

// Stats is what an operator wants to know. Counts are since the start.
type Stats struct {
	Published   int64
	Duplicates  int64 // publications answered by their idempotency key
	Delivered   int64 // events handed to subscribers
	Slow        int64 // subscribers ended because they read too slowly
	Resets      map[Reason]int64
	Subscribers int
	Events      int64 // held
	Bytes       int64 // that they take
}

// Stats returns the present numbers.
func (h *Hub) Stats() (Stats, error) {
	bounds, err := h.log.Bounds()
	h.mu.Lock()
	subscribers := h.subscribers
	h.mu.Unlock()
	s := Stats{
		Published: h.counts.published.Load(), Duplicates: h.counts.duplicates.Load(),
		Delivered: h.counts.delivered.Load(), Slow: h.counts.slow.Load(),
		Resets: map[Reason]int64{}, Subscribers: subscribers,
		Events: int64(bounds.Newest + 1 - bounds.Oldest), Bytes: bounds.Bytes,
	}
	for why, n := range h.counts.resets {
		s.Resets[why] = n.Load()
	}
	return s, err
}
