package hub

import (
	"errors"
	"fmt"
	"sync"
	"testing"

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
	again := make(chan answer, 1)
	go func() { // case 44: the same key while the first is on its way
		r, err := h.Publish(Publication{Topic: "t", Data: []byte("other"), Key: "3"})
		again <- answer{r, err}
	}()
	l.answer <- nil
	for i, w := range waiting {
		if a := <-w; a.err != nil || a.receipt.ID != fmt.Sprint(epoch(t, h), "-", i+2) || a.receipt.Receivers != 1 {
			t.Errorf("number %d is answered %+v", i+1, a)
		}
	}
	if a := <-again; a.err != nil || !a.receipt.Duplicate || a.receipt.ID != epoch(t, h)+"-5" {
		t.Errorf("case 44: the repetition is answered %+v", a)
	}
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4", "5"}, drain(t, s)); diff != "" {
		t.Error(diff)
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
	mu    sync.Mutex
	told  bool
	check chan struct{}
}

func (p *poller) Ready(int) {
	p.mu.Lock()
	p.told = true
	p.mu.Unlock()
	select {
	case p.check <- struct{}{}:
	default:
	}
}

// Cases 40 and 49: nobody who is polled only when told misses an event, with a
// reader that many share.
func TestPollWhenTold(t *testing.T) {
	h := newHub(plenty)
	const n = 50
	var reader Reader
	pollers := make([]*poller, n)
	subs := make([]*Subscription, n)
	check := make(chan struct{}, 1)
	for i := range subs {
		pollers[i] = &poller{check: check, told: true}
		s, err := h.SubscribeFor(Request{Topics: []string{"t"}, LastID: epoch(t, h) + "-0"}, pollers[i])
		if err != nil {
			t.Fatal(err)
		}
		subs[i] = s
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 2000 {
				topic := "t"
				if i%3 == 0 {
					topic = "other"
				}
				if _, err := h.Publish(Publication{Topic: topic}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { all.Wait(); h.Close(); check <- struct{}{} }()
	last := make([]Seq, n)
	counts := make([]int, n)
	ended := 0
	for ended < n {
		for i, p := range pollers {
			p.mu.Lock()
			told := p.told || isClosed(h.Stopping()) && last[i] != ^Seq(0)
			p.told = false
			p.mu.Unlock()
			for more := told; more; {
				batch, again, err := subs[i].Poll(&reader)
				for _, e := range batch {
					if e.Seq <= last[i] {
						t.Fatalf("event %d after %d", e.Seq, last[i])
					}
					last[i] = e.Seq
					counts[i]++
				}
				if more = again; err != nil {
					last[i], more = ^Seq(0), false
					ended++
				}
			}
		}
	}
	for i, got := range counts {
		if want := 4 * (2000 - 667); got != want {
			t.Errorf("number %d got %d events, want %d", i, got, want)
		}
		subs[i].Close()
	}
}
