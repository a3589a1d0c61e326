package hub

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// How much of the log is read in one go: few enough that nobody holds its lock
// for long, and a batch small enough that what a blocked client pins is little.
// Guesses.
const (
	readEvents = 256
	batchBytes = 256 << 10
)

// manyNames is where a set is quicker than a look at each name. A guess.
const manyNames = 8

// Waiter is told that a subscription has something to read, or has ended.
type Waiter interface {
	// Ready is called at least once after Poll has returned nothing and more was
	// published. It is called under the hub's lock: it must only take note.
	// Audience is how many subscribers there are to be told beside this one.
	Ready(audience int)
}

// Subscription is one reader. Its methods are for one goroutine.
type Subscription struct {
	hub     *Hub
	waiter  Waiter
	entries []entry             // the names subscribed to; the hub's lock guards their places
	set     map[string]struct{} // the exact ones of them, where there are many
	counted uint64              // see index.count; guarded by the hub's lock
	client  string

	// first is the first wanted event that was published since Poll took note, 0:
	// none. last is the newest wanted one: what comes up to it is to be read. Both
	// are written under the hub's lock.
	first, last atomic.Uint64
	replaced    atomic.Bool

	epoch  string
	live   Seq
	reset  *Reset
	cursor Seq
	// caughtUp: every wanted event up to last has been read, so that as long as
	// first is 0 there is nothing to read.
	caughtUp bool
}

// Subscribe begins to read, with Next. The caller must Close the subscription.
//
// Errors: *InvalidError, ErrStopping.
func (h *Hub) Subscribe(r Request) (*Subscription, error) {
	return h.SubscribeFor(r, make(channel, 1))
}

// channel is the Waiter of Next. 1: there is something to look for.
type channel chan struct{}

func (c channel) Ready(int) {
	select {
	case c <- struct{}{}:
	default: // it has been told and has not looked yet
	}
}

// SubscribeFor begins to read, with Poll, whenever w is told to. W may be told
// before SubscribeFor returns.
//
// Errors: *InvalidError, ErrStopping.
func (h *Hub) SubscribeFor(r Request, w Waiter) (*Subscription, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	r.Topics = distinct(r.Topics)
	s := &Subscription{hub: h, waiter: w}
	if len(r.Topics) > manyNames {
		s.set = map[string]struct{}{}
		for _, name := range r.Topics {
			s.set[name] = struct{}{}
		}
	}
	bounds, err := h.enter(s, &r)
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

// Cursor returns the id after which reading goes on.
func (s *Subscription) Cursor() string { return FormatID(s.epoch, s.cursor) }

// Place returns the same as a number.
func (s *Subscription) Place() Seq { return s.cursor }

// Back moves the cursor back to where it was before a batch was read of which
// only a part has been sent.
func (s *Subscription) Back(cursor Seq) { s.cursor, s.caughtUp = cursor, false }

// Live returns the id of the newest event at the time of the subscription: what
// is published later comes after it.
func (s *Subscription) Live() string { return FormatID(s.epoch, s.live) }

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

func (s *Subscription) wants(e *Event) bool {
	if e.Topic == "" {
		return false // see Log.After; a pattern would match it
	}
	if s.set != nil {
		if _, ok := s.set[e.Topic]; ok {
			return true
		}
	}
	for i := range s.entries {
		if name := s.entries[i].of.name; name == e.Topic || isPattern(name) && Covers(name, e.Topic) {
			return true
		}
	}
	return false
}

// Next returns what comes after the cursor, in order, and moves the cursor behind
// it. It waits until there is something; when there is nothing for Heartbeat it
// returns no events, and the cursor may have moved past events of other topics.
//
// Errors: ErrOvertaken, ErrReplaced, ErrStopping, ctx.Err().
func (s *Subscription) Next(ctx context.Context) ([]*Event, error) {
	quiet := time.NewTimer(s.hub.options.Heartbeat)
	defer quiet.Stop()
	for {
		batch, more, err := s.Poll(nil)
		switch {
		case err != nil || len(batch) > 0:
			return batch, err
		case more:
			continue
		}
		select {
		case <-s.waiter.(channel):
		case <-s.hub.stopping:
		case <-quiet.C:
			s.Rest()
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Poll returns what comes after the cursor, in order, as far as one read of the
// log goes, and whether there is more. It moves the cursor and does not wait. R
// may be nil.
//
// Errors: ErrOvertaken, ErrReplaced, ErrStopping.
func (s *Subscription) Poll(r *Reader) (batch []*Event, more bool, err error) {
	if s.replaced.Load() {
		return nil, false, ErrReplaced
	}
	if s.caughtUp {
		stopped := isClosed(s.hub.stopping) // first: what was published before is read below
		if !s.heed() {
			if stopped {
				err = ErrStopping
			}
			return nil, s.first.Load() != 0, err
		}
	}
	batch, err = s.read(r)
	s.hub.counts.delivered.Add(int64(len(batch)))
	return batch, !s.caughtUp || s.first.Load() != 0 || isClosed(s.hub.stopping), err
}

// notice takes a hint that e was published.
func (s *Subscription) notice(e *Event) { // with the hub's lock held
	s.last.Store(uint64(e.Seq))
	if s.first.Load() == 0 { // else it has been told of an earlier one and has not looked yet
		s.first.Store(uint64(e.Seq))
		s.waiter.Ready(e.Receivers)
	}
}

// heed looks at the hints of a subscription that is caught up: what lies before
// the first wanted event need not be read. That event may itself have been read
// already, and later ones may have come with it. It reports whether there is
// something to read.
func (s *Subscription) heed() bool {
	if first := Seq(s.first.Swap(0)); first != 0 {
		s.cursor = max(s.cursor, first-1)
		s.caughtUp = s.cursor >= Seq(s.last.Load())
	}
	return !s.caughtUp
}

// read returns the next of the wanted events.
func (s *Subscription) read(r *Reader) (batch []*Event, err error) {
	events, err := r.after(s.hub, s.cursor)
	if errors.Is(err, ErrOvertaken) {
		return nil, s.CheckHeld()
	}
	if err != nil {
		return nil, err
	}
	batch = s.run(events)
	s.caughtUp = s.cursor >= Seq(s.last.Load())
	return batch, nil
}

// run returns the first of the wanted events that stand side by side, and moves
// the cursor behind them and what follows that is not wanted. It is a piece of
// events, so that thousands of readers of one event need no memory for it.
func (s *Subscription) run(events []*Event) []*Event {
	start, end, size := 0, 0, 0
	for i, e := range events {
		switch wanted := s.wants(e); {
		case wanted && end > start && (end < i || size >= batchBytes):
			return events[start:end]
		case wanted && end == start:
			start = i
			fallthrough
		case wanted:
			end = i + 1
			size += len(e.Frame)
		}
		s.cursor = e.Seq
	}
	return events[start:end]
}

// Rest tells that nothing has come for a while: the cursor of a quiet
// subscription moves to the newest event (hub case 48).
func (s *Subscription) Rest() {
	s.hub.mu.Lock() // nobody is woken meanwhile
	defer s.hub.mu.Unlock()
	if s.caughtUp && s.first.Load() == 0 {
		s.cursor = max(s.cursor, s.hub.newest)
	}
}

// CheckHeld returns ErrOvertaken when the log no longer holds what comes next. A
// subscription that was overtaken by events of other topics alone has missed
// nothing, and goes on after them (hub case 48).
func (s *Subscription) CheckHeld() error {
	s.hub.mu.Lock() // nobody is woken between the questions
	defer s.hub.mu.Unlock()
	bounds, err := s.hub.log.Bounds()
	if err != nil || s.cursor+1 >= bounds.Oldest {
		return err
	}
	if s.caughtUp && !s.heed() {
		s.cursor = max(s.cursor, s.hub.newest)
		return nil // what is newer is announced
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
