package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	publishers   = 8
	publications = 12_500 // each: 100,000 together (hub case 40)
)

// reader reads topic t until it has seen the last event of every publisher, and
// leaves and comes back with its last id all the while.
type reader struct {
	hub    *Hub
	start  Request
	lastID string
	last   Seq
	next   [publishers]int // number that each publisher's next event has
	resets int
}

// anyNumber is what comes next after events were missed.
const anyNumber = -1

func (r *reader) run(ctx context.Context) error {
	for {
		request := r.start
		request.LastID = r.lastID
		s, err := r.hub.Subscribe(request)
		if err != nil {
			return err
		}
		if s.Reset() != nil {
			r.resets++
			for p := range r.next {
				r.next[p] = anyNumber
			}
		}
		if r.lastID == "" || s.Reset() != nil {
			r.lastID = s.Cursor()
		}
		done, err := r.visit(ctx, s)
		s.Close()
		if done || err != nil && !errors.Is(err, ErrOvertaken) {
			return err
		}
	}
}

// visit reads a random number of batches, and leaves inside the last.
func (r *reader) visit(ctx context.Context, s *Subscription) (done bool, err error) {
	for range 1 + rand.N(20) {
		batch, err := s.Next(ctx)
		if err != nil {
			return false, err
		}
		for _, e := range batch {
			if done, err := r.take(e); done || err != nil {
				return done, err
			}
			if rand.N(500) == 0 {
				return false, nil
			}
		}
	}
	return false, nil
}

func (r *reader) take(e *Event) (done bool, err error) {
	var publisher, number int
	if _, err := fmt.Sscan(string(e.Data), &publisher, &number); err != nil {
		return false, err
	}
	if want := r.next[publisher]; e.Seq <= r.last || (number != want && want != anyNumber) {
		return false, fmt.Errorf("after %d: event %d is number %d of publisher %d, want %d", r.last, e.Seq, number, publisher, want)
	}
	r.last, r.lastID = e.Seq, e.ID
	r.next[publisher] = number + 1
	return number == publications, nil
}

// storm publishes from all publishers at once, then one last event.
func storm(t *testing.T, h *Hub) {
	t.Helper()
	var all sync.WaitGroup
	for p := range publishers {
		all.Go(func() {
			for i := range publications {
				_, err := h.Publish(Publication{Topic: "t", Data: fmt.Append(nil, p, " ", i)})
				if rand.N(4) == 0 {
					_, err = h.Publish(Publication{Topic: "other"})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	publish(t, h, "t", fmt.Sprint(0, " ", publications))
}

// Cases 40, 45, 47 and 49: readers that come and go while all publish see every
// event once and in order.
func TestEveryEventOnce(t *testing.T) {
	h := newHub(plenty)
	begin := epoch(t, h) + "-0"
	readers := make([]*reader, 6)
	errs := make(chan error, len(readers))
	for i := range readers {
		readers[i] = &reader{hub: h, lastID: begin, start: Request{Topics: []string{"t", "unused"}}}
		go func() { errs <- readers[i].run(t.Context()) }()
	}
	storm(t, h)
	late := &reader{hub: h, lastID: begin, start: Request{Topics: []string{"t"}}}
	if err := late.run(t.Context()); err != nil {
		t.Errorf("case 47: a late reader: %v", err)
	}
	for range readers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	for _, r := range append(readers, late) {
		for p, next := range r.next {
			if p != 0 && next != publications || r.resets != 0 {
				t.Errorf("a reader has %d events of publisher %d, %d resets", next, p, r.resets)
			}
		}
	}
	if s, _ := h.Stats(); s.Subscribers != 0 || len(h.index.exact) != 0 {
		t.Errorf("after the last reader: %d subscribers, topics %v", s.Subscribers, h.index.exact)
	}
}

// Cases 41 and 49: where the history is short, a gap is always announced.
func TestNoSilentGap(t *testing.T) {
	h := newHub(Retention{Events: 50, Bytes: 1 << 20, Age: time.Hour})
	readers := make([]*reader, 4)
	errs := make(chan error, len(readers))
	for i := range readers {
		readers[i] = &reader{hub: h, lastID: epoch(t, h) + "-0", start: Request{Topics: []string{"t"}, LastCount: 20}}
		go func() { errs <- readers[i].run(t.Context()) }()
	}
	storm(t, h)
	for range readers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	s, _ := h.Stats()
	t.Logf("%d resets, %d readers overtaken", s.Resets[Expired], s.Slow)
}

// A place that the log has given to nothing is passed over, whoever reads, and
// counts for nobody.
func TestPlacesOfNothing(t *testing.T) {
	h := newHub(plenty)
	publish(t, h, "t", "one")
	var nothing []*Event
	for i := range Seq(600) {
		nothing = append(nothing, NewEvent(epoch(t, h), Event{Seq: 2 + i, Time: time.Now()}))
	}
	if err := h.log.Append(nothing); err != nil {
		t.Fatal(err)
	}
	if r := publish(t, h, "u", "two"); r.ID != epoch(t, h)+"-602" {
		t.Errorf("the next id is %s", r.ID)
	}
	for _, r := range []Request{{LastID: epoch(t, h) + "-0"}, {LastCount: 2}} {
		for _, topics := range [][]string{{">"}, {"*"}, {"t", "*"}, {"t", "u"}} {
			r.Topics = topics
			if diff := cmp.Diff([]string{"one", "two"}, drain(t, subscribe(t, h, r))); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", r, diff)
			}
		}
	}
}
