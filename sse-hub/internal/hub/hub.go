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
// Whoever publishes while the log is being written shares the next write: the
// order is fixed first, and one of those who wait stores for all.
//
// # Invariants
//
//   - An id is never given to two events.
//   - A subscription gets every event of its topics after its cursor, once and in
//     order, until it is told (Reset, ErrOvertaken) that it cannot.
//   - A publication that was answered is in the log; nobody has seen one that is
//     not.
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
	stopping chan struct{} // closed by Close, when all that was taken is stored
	latest   atomic.Pointer[page]

	// mu guards what follows. It is never held while the log is written.
	mu          sync.Mutex
	index       index
	keys        keys
	clients     map[string]*Subscription // by client id, of those that have one
	subscribers int
	closed      bool
	newest      Seq            // whose subscribers have been woken
	queue       []*publication // in their order, to be stored
	storing     bool           // somebody stores, and will see to the queue
	inFlight    map[scoped]*publication
	marks       uint64 // see index.count
}

type counts struct {
	published, duplicates, delivered, slow atomic.Int64
	resets                                 map[Reason]*atomic.Int64 // complete from the start
}

// New returns a hub whose history is in log. Where the log outlives the process,
// so do the idempotency keys.
func New(log Log, o Options) (*Hub, error) {
	h := &Hub{
		log: log, options: o, stopping: make(chan struct{}), index: newIndex(), keys: newKeys(keyWindow),
		clients: map[string]*Subscription{}, inFlight: map[scoped]*publication{},
	}
	h.counts.resets = map[Reason]*atomic.Int64{Expired: {}, Epoch: {}, Future: {}}
	bounds, err := log.Bounds()
	if err != nil {
		return nil, err
	}
	h.newest = bounds.Newest
	if l, ok := log.(Recaller); ok {
		err = l.Recall(keyWindow, h.keys.add)
	}
	return h, err
}

// enter makes s a subscriber and returns the log's bounds at that moment: what is
// published later wakes it.
func (h *Hub) enter(s *Subscription, r *Request) (Bounds, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return Bounds{}, ErrStopping
	}
	bounds, err := h.log.Bounds()
	if err != nil {
		return Bounds{}, err
	}
	s.last.Store(uint64(bounds.Newest))
	h.index.add(s, r.Topics)
	h.subscribers++
	if r.ClientID != "" { // the newest wins: the older connection may be dead (hub case 63)
		s.client = r.Subject + "\x00" + r.ClientID
		if older := h.clients[s.client]; older != nil {
			older.replaced.Store(true)
			older.waiter.Ready(1)
		}
		h.clients[s.client] = s
	}
	return bounds, nil
}

func (h *Hub) leave(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.index.remove(s)
	h.subscribers--
	if h.clients[s.client] == s {
		delete(h.clients, s.client)
	}
}

// Close refuses publications and subscriptions from now on. The subscriptions
// that stand end with ErrStopping when they have read what was published before.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	if !h.storing { // else whoever stores does it
		close(h.stopping)
	}
}

// Stopping is closed when everything that was ever published can be read, and the
// subscriptions are to end.
func (h *Hub) Stopping() <-chan struct{} { return h.stopping }

// Heartbeat returns how long a subscription may be silent.
func (h *Hub) Heartbeat() time.Duration { return h.options.Heartbeat }

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
	Memory      int64 // that those of them in memory take there
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
		Events: int64(bounds.Newest + 1 - bounds.Oldest), Bytes: bounds.Bytes, Memory: bounds.Memory,
	}
	for why, n := range h.counts.resets {
		s.Resets[why] = n.Load()
	}
	return s, err
}
