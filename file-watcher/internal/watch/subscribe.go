package watch

import (
	"context"
	"path/filepath"
	"slices"
	"time"
)

// heartbeatEvery is how long a subscriber waits for a sign of life.
const heartbeatEvery = 5 * time.Second

// Filter says what a subscriber wants; an empty field wants everything.
type Filter struct {
	Watches []string
	// Prefix wants paths equal to or below a directory. A rename is wanted for
	// either of its paths; one of a directory also where Prefix is below it.
	Prefix string
	Types  []Type
}

// Subscription is one reader of the events. It holds nothing but a position, so
// a slow reader costs nothing and slows nobody. Its methods are for one goroutine.
type Subscription struct {
	w        *Watcher
	filter   Filter
	token    string // of the last item delivered
	pos      uint64
	queued   []Item    // to be delivered before any event
	events   []entry   // read ahead, up to pos
	drops    uint64    // of the journal, when they were read
	snapshot *snapshot // to be delivered before any of them; nil: none
	last     time.Time // when the last item was delivered
}

// Subscribe returns a subscription that continues after token, or begins now
// where it is empty. The caller must Close it.
//
// Errors: ErrInvalidToken, ErrUnknownWatch, ErrShuttingDown.
func (w *Watcher) Subscribe(ctx context.Context, token string, f Filter) (*Subscription, error) {
	s := &Subscription{w: w, filter: f.clean(), token: token, last: time.Now()}
	if err := s.knowsWatches(ctx); err != nil {
		return nil, err
	}
	if err := s.begin(ctx, token); err != nil {
		return nil, err
	}
	w.counts.subscribers.Add(1)
	return s, nil
}

// Close ends the subscription.
func (s *Subscription) Close() { s.w.counts.subscribers.Add(-1) }

func (s *Subscription) knowsWatches(ctx context.Context) error {
	_, err := ask(ctx, s.w, func() (struct{}, error) {
		for _, id := range s.filter.Watches {
			if _, err := s.w.find(id); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}

func (s *Subscription) begin(ctx context.Context, token string) error {
	j := s.w.journal
	if token == "" {
		s.pos = j.head()
		s.token = j.token(s.pos)
		s.queued = []Item{{Kind: Ready, Token: s.token}}
		return nil
	}
	pos, mine, err := j.parseToken(token)
	if err != nil {
		return err
	}
	s.pos = pos
	s.queued = []Item{{Kind: Ready, Token: token}}
	switch {
	case !mine:
		return s.resync(ctx, Restarted)
	case !j.holds(pos):
		return s.resync(ctx, TokenExpired)
	}
	return nil
}

// Next returns the next item; it blocks until there is one. A Heartbeat comes
// when nothing else did for five seconds. After the last event of a service that
// shuts down it returns ErrShuttingDown, when ctx ends ctx.Err().
func (s *Subscription) Next(ctx context.Context) (Item, error) {
	for {
		switch {
		case len(s.queued) > 0:
			item := s.queued[0]
			s.queued = s.queued[1:]
			return s.deliver(item), nil
		case s.snapshot != nil:
			return s.deliver(s.nextFile()), nil
		case len(s.events) > 0 && s.drops != s.w.journal.drops.Load(): // some may be of a watch that has ended
			s.pos, s.events = s.events[0].pos-1, nil
		case len(s.events) > 0:
			e := s.events[0]
			s.events = s.events[1:]
			return s.deliver(Item{Kind: Change, Token: s.w.journal.token(e.pos), Event: e.Event}), nil
		}
		if err := s.read(ctx); err != nil {
			return Item{}, err
		}
	}
}

// read reads on in the journal, and waits where nothing is new.
func (s *Subscription) read(ctx context.Context) error {
	s.drops = s.w.journal.drops.Load()
	step := s.w.journal.after(s.pos, s.filter.wants)
	s.pos, s.events = step.pos, step.events
	switch {
	case step.overtaken:
		return s.resync(ctx, SlowConsumer)
	case len(s.events) > 0 || step.more:
		return nil
	case step.closed:
		return ErrShuttingDown
	}
	alive := time.NewTimer(heartbeatEvery - time.Since(s.last))
	defer alive.Stop()
	select {
	case <-step.wake:
	case <-alive.C:
		s.queued = append(s.queued, Item{Kind: Heartbeat, Token: s.w.journal.token(s.pos)})
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (s *Subscription) deliver(item Item) Item {
	s.token, s.last = item.Token, time.Now()
	return item
}

// resync queues one item for each root that the subscriber has to compare, and
// goes on with what happens from now. All but the last item keep the token that
// brought this about: who resumes after one of them is told to compare again.
func (s *Subscription) resync(ctx context.Context, why Reason) error {
	head := s.w.journal.head() // before the roots are listed: what starts later is told
	watches, err := s.w.List(ctx)
	if err != nil {
		return err
	}
	var items []Item
	for _, watch := range watches {
		if watch.State != Waiting && s.filter.overlaps(watch.ID, watch.Path) {
			items = append(items, Item{Kind: Lost, Token: s.token, Resync: Resync{why, watch.ID, watch.Path}})
		}
	}
	if len(items) == 0 {
		items = []Item{{Kind: Lost, Resync: Resync{Reason: why}}}
	}
	items[len(items)-1].Token = s.w.journal.token(head)
	s.pos = head
	s.queued = append(s.queued, items...)
	s.w.counts.resyncs[why].Add(1)
	s.w.log.Info("subscriber is told to compare", "reason", why, "roots", len(watches))
	return nil
}

// clean returns f with a prefix that can be compared.
func (f Filter) clean() Filter {
	switch f.Prefix = filepath.Clean(f.Prefix); f.Prefix {
	case ".", "/": // of an empty one, and of everything
		f.Prefix = ""
	}
	return f
}

func (f *Filter) wants(e *Event) bool {
	if len(f.Types) > 0 && !slices.Contains(f.Types, e.Type) {
		return false
	}
	if len(f.Watches) > 0 && !slices.Contains(f.Watches, e.Watch) && (e.oldWatch == "" || !slices.Contains(f.Watches, e.oldWatch)) {
		return false
	}
	return f.Prefix == "" || f.covers(e.Path, e.Directory) || (e.OldPath != "" && f.covers(e.OldPath, e.Directory))
}

func (f *Filter) covers(path string, isDir bool) bool {
	if _, ok := below(f.Prefix, path); ok {
		return true
	}
	_, ok := below(path, f.Prefix)
	return isDir && ok
}

func (f *Filter) overlaps(watch, path string) bool {
	return (len(f.Watches) == 0 || slices.Contains(f.Watches, watch)) &&
		(f.Prefix == "" || f.covers(path, true))
}
