package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Limits of a request.
const (
	maxTopics = 100
	maxLast   = 1000
)

// How much of the log is read in one go: few enough that nobody holds its lock
// for long, and a batch small enough that what a blocked client pins is little.
// Guesses.
const (
	readEvents = 256
	batchBytes = 256 << 10
)

// Request says what to subscribe to and where to begin.
type Request struct {
	Topics []string
	LastID string // of the last event handled; empty: none was
	// LastCount, where there is no LastID or it cannot be honoured, is how many
	// of the newest events to begin with.
	LastCount int
}

// Validate returns an *InvalidError for what is not as described. LastID may be
// anything.
func (r *Request) Validate() error {
	switch {
	case len(r.Topics) == 0:
		return &InvalidError{"topics", "is empty; name at least one topic"}
	case len(r.Topics) > maxTopics:
		return &InvalidError{"topics", fmt.Sprintf("has %d topics; at most %d are allowed", len(r.Topics), maxTopics)}
	case r.LastCount < 0 || r.LastCount > maxLast:
		return &InvalidError{"last_count", fmt.Sprintf("%d is not between 0 and %d", r.LastCount, maxLast)}
	}
	for _, name := range r.Topics {
		if reason := checkTopic(name); reason != "" {
			return &InvalidError{"topics", reason}
		}
	}
	return nil
}

// Reset says that what a subscriber missed cannot be replayed.
type Reset struct {
	Reason Reason `json:"reason"`
	Oldest string `json:"oldest"` // id of the oldest event held; empty: none is
	Newest string `json:"newest"` // id of the newest event given out
}

// Subscription is one reader. Its methods are for one goroutine.
type Subscription struct {
	hub    *Hub
	topics map[string]struct{}
	wake   chan Seq // 1: the first wanted event published since it was empty

	epoch  string
	live   Seq
	reset  *Reset
	cursor Seq
	// caughtUp: the log has been read to its end, so that as long as wake is
	// empty there is nothing to read.
	caughtUp bool
}

// Subscribe begins to read. The caller must Close the subscription.
//
// Errors: *InvalidError, ErrStopping.
func (h *Hub) Subscribe(r Request) (*Subscription, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	s := &Subscription{hub: h, topics: map[string]struct{}{}, wake: make(chan Seq, 1)}
	for _, name := range r.Topics {
		s.topics[name] = struct{}{}
	}
	bounds, err := h.enter(s)
	if err != nil {
		return nil, err
	}
	if err := s.begin(&r, &bounds); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the subscription.
func (s *Subscription) Close() { s.hub.leave(s) }

// CloseSlow ends it and counts it as one that read too slowly: for a transport
// that notices by itself.
func (s *Subscription) CloseSlow() {
	s.hub.counts.slow.Add(1)
	s.Close()
}

// Cursor returns the id after which Next goes on.
func (s *Subscription) Cursor() string { return formatID(s.epoch, s.cursor) }

// Live returns the id of the newest event at the time of the subscription: what
// Next returns up to it was missed, what it returns after it is live.
func (s *Subscription) Live() string { return formatID(s.epoch, s.live) }

// Reset returns why the request's last id was not honoured, nil where it was.
func (s *Subscription) Reset() *Reset { return s.reset }

// Opening is what a stream begins with: the cursor, so that a client that loses
// the connection before the first event does not lose events with it, and the
// reset where there is one.
func (s *Subscription) Opening() []byte {
	if s.reset != nil {
		return resetFrame(s.reset, s.Cursor())
	}
	return IDFrame(s.Cursor())
}

func (s *Subscription) begin(r *Request, b *Bounds) (err error) {
	s.epoch, s.live = b.Epoch, b.Newest
	if r.LastID != "" {
		cursor, why := b.place(r.LastID)
		if why == "" {
			s.cursor, s.caughtUp = cursor, cursor == b.Newest
			return nil
		}
		s.refuse(why, b)
	}
	s.cursor, err = s.rewind(r.LastCount, b)
	s.caughtUp = s.cursor == b.Newest
	return err
}

func (s *Subscription) refuse(why Reason, b *Bounds) {
	s.reset = &Reset{Reason: why, Newest: formatID(b.Epoch, b.Newest)}
	if b.Oldest <= b.Newest {
		s.reset.Oldest = formatID(b.Epoch, b.Oldest)
	}
	s.hub.counts.resets[why].Add(1)
}

// rewind returns the cursor before the n newest events of the topics within b.
func (s *Subscription) rewind(n int, b *Bounds) (Seq, error) {
	end := b.Newest
	for n > 0 && end >= b.Oldest {
		start := max(b.Oldest-1, end-min(end, readEvents))
		events, err := s.hub.log.After(start, int(end-start))
		if errors.Is(err, ErrOvertaken) {
			return end, nil // the history ends here by now
		}
		if err != nil {
			return 0, err
		}
		for _, e := range slices.Backward(events) {
			if !s.wants(e) {
				continue
			}
			if n--; n == 0 {
				return e.Seq - 1, nil
			}
		}
		end = start
	}
	return end, nil
}

func (s *Subscription) wants(e *Event) bool {
	_, ok := s.topics[e.Topic]
	return ok
}

// Next returns what comes after the cursor, in order, and moves the cursor behind
// it. It waits until there is something; when there is nothing for Heartbeat it
// returns no events, and the cursor may have moved past events of other topics.
//
// Errors: ErrOvertaken, ErrStopping, ctx.Err().
func (s *Subscription) Next(ctx context.Context) ([]*Event, error) {
	quiet := time.NewTimer(s.hub.options.Heartbeat)
	defer quiet.Stop()
	for due := false; ; {
		stopped := isClosed(s.hub.stopping) // first: what was published before is read below
		batch, more, err := s.read()
		switch {
		case err != nil:
			return nil, err
		case len(batch) > 0:
			s.hub.counts.delivered.Add(int64(len(batch)))
			return batch, nil
		case more:
			continue
		case stopped:
			return nil, ErrStopping
		case due:
			return nil, nil
		}
		select {
		case first := <-s.wake:
			s.heed(first)
		case <-s.hub.stopping:
		case <-quiet.C:
			due = true
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// read returns the wanted ones of the next events and whether there are more.
func (s *Subscription) read() (batch []*Event, more bool, err error) {
	events, err := s.hub.log.After(s.cursor, readEvents)
	if errors.Is(err, ErrOvertaken) {
		return nil, true, s.CheckHeld()
	}
	if err != nil {
		return nil, false, err
	}
	s.caughtUp = false
	size := 0
	for _, e := range events {
		s.cursor = e.Seq
		if !s.wants(e) {
			continue
		}
		batch = append(batch, e)
		if size += len(e.Frame); size >= batchBytes {
			return batch, true, nil
		}
	}
	s.caughtUp = len(events) < readEvents
	return batch, !s.caughtUp, nil
}

// heed takes a hint: what lies before the first wanted event need not be read. It
// may itself have been read already, and later ones may have come with it.
func (s *Subscription) heed(first Seq) {
	s.caughtUp = false
	s.cursor = max(s.cursor, first-1)
}

// CheckHeld returns ErrOvertaken when the log no longer holds what comes next. A
// subscription that was overtaken by events of other topics alone has missed
// nothing, and goes on after them (hub case 48).
func (s *Subscription) CheckHeld() error {
	s.hub.mu.Lock() // nothing is published between the questions
	defer s.hub.mu.Unlock()
	bounds, err := s.hub.log.Bounds()
	if err != nil || s.cursor+1 >= bounds.Oldest {
		return err
	}
	if s.caughtUp {
		select {
		case first := <-s.wake:
			s.heed(first)
		default:
			s.cursor = bounds.Newest
		}
	}
	if s.cursor+1 < bounds.Oldest {
		s.hub.counts.slow.Add(1)
		return ErrOvertaken
	}
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
