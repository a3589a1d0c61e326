package hub

import (
	"fmt"
	"time"
)

// Bounds of what is stored in one go: what comes later waits no longer than this
// takes. Guesses.
const (
	// MaxGroup is how many events a Log is given at most in one go.
	MaxGroup   = 512
	groupBytes = 4 << 20
)

// publication is one on its way into the log. Its place in the queue is its place
// in the order.
type publication struct {
	event   *Event
	frame   []byte // begun
	extra   int
	receipt Receipt
	err     error
	// told, 1: true, it is its publisher's turn to store; false, it is done.
	told chan bool
	// answered, where there is a key, is closed when receipt and err are final.
	answered chan struct{}
}

func (p *publication) scoped() scoped { return scoped{p.event.Topic, p.event.Key} }

// Publish gives a publication its place, stores it and wakes the subscribers of
// its topic. What it has answered is delivered or replayed.
//
// Errors: *InvalidError, ErrTooLarge, ErrStopping, ErrHistory; with any error
// nobody has seen the publication. After ErrHistory it is not certain that a
// restart does not find it, so it is to be repeated under the same key.
func (h *Hub) Publish(p Publication) (Receipt, error) {
	if p.Type == "" {
		p.Type = DefaultType
	}
	if err := p.check(h.options.MaxData); err != nil {
		return Receipt{}, err
	}
	// Before the lock: 1 MiB takes its time.
	frame, data, extra := openFrame(p.Type, p.Data)
	mine := &publication{
		event: &Event{Topic: p.Topic, Type: p.Type, Data: data, Key: p.Key},
		frame: frame, extra: extra, told: make(chan bool, 1),
	}
	if first, err := h.join(mine); first != nil || err != nil {
		return h.repeat(first, err)
	}
	if <-mine.told {
		h.store()
	}
	return mine.receipt, mine.err
}

// join puts a publication into the queue. When its key is known it returns the
// first publication under that key instead, whose answer may be still to come.
func (h *Hub) join(p *publication) (first *publication, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrStopping
	}
	key := p.scoped()
	if receipt, ok := h.keys.find(key); ok {
		return &publication{receipt: receipt}, nil
	}
	if first := h.inFlight[key]; first != nil {
		return first, nil
	}
	if key.key != "" {
		h.inFlight[key] = p
		p.answered = make(chan struct{})
	}
	h.queue = append(h.queue, p)
	if !h.storing {
		h.storing = true
		p.told <- true
	}
	return nil, nil
}

// repeat answers a publication as the first under its key was answered.
func (h *Hub) repeat(first *publication, err error) (Receipt, error) {
	if err != nil {
		return Receipt{}, err
	}
	if first.answered != nil {
		<-first.answered
	}
	if first.err != nil {
		return Receipt{}, first.err
	}
	h.counts.duplicates.Add(1)
	receipt := first.receipt
	receipt.Duplicate = true
	return receipt, nil
}

// store stores the head of the queue and answers it. Who comes next in the queue
// then does the same: nobody stores for others without end.
func (h *Hub) store() {
	h.mu.Lock()
	group := h.take()
	bounds, err := h.log.Bounds()
	now := time.Now()
	events := make([]*Event, len(group))
	for i, p := range group {
		h.marks++
		p.event.Receivers = h.index.count(p.event.Topic, h.marks)
		events[i] = p.event
	}
	h.mu.Unlock()

	for i, e := range events {
		e.Seq, e.Time = bounds.Newest+1+Seq(i), now
		e.seal(bounds.Epoch, group[i].frame, group[i].extra)
	}
	if err == nil {
		err = h.log.Append(events)
	}
	if err == nil {
		h.latest.Store(&page{bounds.Newest, events})
	} else {
		err = fmt.Errorf("%w: %w", ErrHistory, err)
	}
	h.answer(group, err)
}

// take returns what is stored in one go.
func (h *Hub) take() []*publication { // with mu held
	size := 0
	n := 0
	for n < len(h.queue) && n < MaxGroup && size < groupBytes {
		size += cap(h.queue[n].frame)
		n++
	}
	group := h.queue[:n:n]
	h.queue = h.queue[n:]
	return group
}

// answer makes a group known, where it is stored, and answers its publishers.
func (h *Hub) answer(group []*publication, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range group {
		e := p.event
		if p.err = err; err == nil {
			h.counts.published.Add(1)
			h.newest = e.Seq
			p.receipt = Receipt{ID: e.ID, Receivers: e.Receivers}
			h.keys.add(e.Topic, e.Key, p.receipt)
			h.index.each(e.Topic, func(s *Subscription) { s.notice(e) })
		}
		if p.answered != nil {
			delete(h.inFlight, p.scoped())
			close(p.answered)
		}
		select {
		case p.told <- false:
		default: // the one who stores
		}
	}
	switch {
	case len(h.queue) > 0:
		h.queue[0].told <- true
	case h.closed:
		close(h.stopping)
		fallthrough
	default:
		h.storing, h.queue = false, nil
	}
}
