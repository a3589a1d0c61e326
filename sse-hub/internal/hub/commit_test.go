package hub

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// gatedLog is a MemoryLog whose disk answers when the test says how.
type gatedLog struct {
	*MemoryLog
	begun  chan int   // gets the number of events of each Append
	answer chan error // is asked for its outcome
}

func (l *gatedLog) Append(events []*Event) error {
	l.begun <- len(events)
	if err := <-l.answer; err != nil {
		return err
	}
	return l.MemoryLog.Append(events)
}

func gated(t *testing.T) (*Hub, *gatedLog) {
	t.Helper()
	l := &gatedLog{NewMemoryLog(plenty), make(chan int), make(chan error)}
	h, err := New(l, Options{MaxData: 1 << 20, Heartbeat: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	return h, l
}

type answer struct {
	receipt Receipt
	err     error
}

// publishing publishes beside the test, once there are n in the queue before it.
func publishing(t *testing.T, h *Hub, n int, p Publication) <-chan answer {
	t.Helper()
	answers := make(chan answer, 1)
	go func() {
		r, err := h.Publish(p)
		answers <- answer{r, err}
	}()
	waitFor(h, n+1)
	return answers
}

// waitFor returns when the queue has n publications.
func waitFor(h *Hub, n int) {
	for {
		h.mu.Lock()
		queued := len(h.queue)
		h.mu.Unlock()
		if queued == n {
			return
		}
	}
}

// Those who publish while the log is written share the next write, in their order.
func TestGroupCommit(t *testing.T) {
	h, l := gated(t)
	s := subscribe(t, h, Request{})
	first := make(chan answer, 1)
	go func() {
		r, err := h.Publish(Publication{Topic: "t", Data: []byte("0")})
		first <- answer{r, err}
	}()
	if n := <-l.begun; n != 1 {
		t.Fatalf("the first write has %d events", n)
	}
	var waiting []<-chan answer
	for i := range 5 {
		waiting = append(waiting, publishing(t, h, i, Publication{Topic: "t", Data: fmt.Append(nil, i+1), Key: fmt.Sprint(i)}))
	}
	if got := drain(t, s); got != nil {
		t.Errorf("case 66: seen before it was stored: %q", got)
	}
	l.answer <- nil
	if a := <-first; a.err != nil || a.receipt.ID != epoch(t, h)+"-1" {
		t.Errorf("the first is answered %+v", a)
	}
	if n := <-l.begun; n != 5 {
		t.Errorf("the second write has %d events, want all that waited", n)
	}
	l.answer <- nil
	for i, w := range waiting {
		if a := <-w; a.err != nil || a.receipt.ID != fmt.Sprint(epoch(t, h), "-", i+2) || a.receipt.Receivers != 1 {
			t.Errorf("number %d is answered %+v", i+1, a)
		}
	}
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4", "5"}, drain(t, s)); diff != "" {
		t.Error(diff)
	}
}

// Case 44: a key that is repeated while the first publication is on its way.
func TestKeyInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, l := gated(t)
		answers := make(chan answer, 2)
		for i := range 2 {
			go func() {
				r, err := h.Publish(Publication{Topic: "t", Data: fmt.Append(nil, i), Key: "k"})
				answers <- answer{r, err}
			}()
			if i == 0 {
				<-l.begun
			}
			synctest.Wait() // the second one has found the first
		}
		l.answer <- nil
		first, second := <-answers, <-answers
		if first.err != nil || second.err != nil || first.receipt.ID != second.receipt.ID || first.receipt.Duplicate == second.receipt.Duplicate {
			t.Errorf("answered %+v and %+v", first, second)
		}
		if b, _ := h.log.Bounds(); b.Newest != 1 {
			t.Errorf("%d events", b.Newest)
		}
	})
}

// Case 44: the same key on another topic is another key, also on its way.
func TestKeyOfAnotherTopicInFlight(t *testing.T) {
	h, l := gated(t)
	first := make(chan answer, 1)
	go func() {
		r, err := h.Publish(Publication{Topic: "t", Key: "k"})
		first <- answer{r, err}
	}()
	<-l.begun
	second := publishing(t, h, 0, Publication{Topic: "u", Key: "k"})
	l.answer <- nil
	<-l.begun
	l.answer <- nil
	a, b := <-first, <-second
	if a.err != nil || b.err != nil || a.receipt.ID == b.receipt.ID || b.receipt.Duplicate {
		t.Errorf("answered %+v and %+v", a, b)
	}
}

// What cannot be stored was never there; the next takes its place.
func TestLogFails(t *testing.T) {
	h, l := gated(t)
	s := subscribe(t, h, Request{})
	broken := errors.New("disk on fire")
	for i, outcome := range []error{broken, nil} {
		done := make(chan answer, 1)
		go func() {
			r, err := h.Publish(Publication{Topic: "t", Data: fmt.Append(nil, i), Key: "k"})
			done <- answer{r, err}
		}()
		<-l.begun
		l.answer <- outcome
		a := <-done
		if outcome != nil && (!errors.Is(a.err, ErrHistory) || !errors.Is(a.err, broken)) {
			t.Errorf("error is %v", a.err)
		}
		if outcome == nil && (a.err != nil || a.receipt.ID != epoch(t, h)+"-1" || a.receipt.Duplicate) {
			t.Errorf("then %+v", a)
		}
	}
	if diff := cmp.Diff([]string{"1"}, drain(t, s)); diff != "" {
		t.Error(diff)
	}
}

// Case 65: what is on its way when the hub stops is answered and delivered; the
// streams end after it.
func TestStopWhileStoring(t *testing.T) {
	h, l := gated(t)
	s := subscribe(t, h, Request{})
	done := make(chan answer, 1)
	go func() {
		r, err := h.Publish(Publication{Topic: "t", Data: []byte("0")})
		done <- answer{r, err}
	}()
	<-l.begun
	second := publishing(t, h, 0, Publication{Topic: "t", Data: []byte("1")})
	h.Close()
	if _, err := h.Publish(Publication{Topic: "t"}); !errors.Is(err, ErrStopping) {
		t.Errorf("after the stop: %v", err)
	}
	if isClosed(h.Stopping()) {
		t.Error("the streams end before the publications are stored")
	}
	l.answer <- nil
	<-l.begun
	l.answer <- nil
	for _, a := range []answer{<-done, <-second} {
		if a.err != nil {
			t.Error(a.err)
		}
	}
	var got []string
	for {
		events, err := s.Next(t.Context())
		if errors.Is(err, ErrStopping) {
			break
		}
		for _, e := range events {
			got = append(got, string(e.Data))
		}
	}
	if diff := cmp.Diff([]string{"0", "1"}, got); diff != "" {
		t.Error(diff)
	}
}

// poller is a Waiter as the loops are: it is polled only when it was told.
type poller struct {
	told   atomic.Bool
	sub    *Subscription
	events int
	last   Seq
}

func (p *poller) Ready(int) { p.told.Store(true) }

// poll reads what there is, if it was told that there is something.
func (p *poller) poll(t *testing.T, r *Reader) {
	t.Helper()
	for more := p.told.Swap(false); more; {
		batch, again, err := p.sub.Poll(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range batch {
			if e.Seq <= p.last {
				t.Fatalf("event %d after %d", e.Seq, p.last)
			}
			p.last = e.Seq
			p.events++
		}
		more = again
	}
}

// Cases 40 and 49: nobody who is polled only when told misses an event, with a
// reader that many share.
func TestPollWhenTold(t *testing.T) {
	h := newHub(plenty)
	var reader Reader
	pollers := make([]*poller, 50)
	for i := range pollers {
		p := &poller{}
		p.told.Store(true)
		var err error
		if p.sub, err = h.SubscribeFor(Request{Topics: []string{"t"}, LastID: epoch(t, h) + "-0"}, p); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.sub.Close)
		pollers[i] = p
	}
	const each, publishers = 2000, 4
	for range publishers {
		go func() { // ends before the last event is read
			for i := range each {
				topic := "t"
				if i%3 == 0 {
					topic = "other"
				}
				if _, err := h.Publish(Publication{Topic: topic}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	const want = publishers * (each - each/3 - 1)
	missing := func(p *poller) bool { return p.events < want }
	for limit := time.Now().Add(30 * time.Second); slices.ContainsFunc(pollers, missing); {
		if time.Now().After(limit) {
			t.Fatal("a poller was not told of what was published")
		}
		for _, p := range pollers {
			p.poll(t, &reader)
		}
	}
}
