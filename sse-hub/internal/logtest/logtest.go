// Package logtest is the contract of hub.Log as tests: every implementation runs
// them.
package logtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// Open returns a new empty log; it is released with the test.
type Open func(t *testing.T, r hub.Retention) hub.Log

// plenty forgets nothing.
var plenty = hub.Retention{Events: 10_000, Bytes: 1 << 30, Age: time.Hour}

// Run tests a log.
func Run(t *testing.T, open Open) {
	t.Run("empty", func(t *testing.T) { empty(t, open(t, plenty)) })
	t.Run("order", func(t *testing.T) { order(t, open(t, plenty)) })
	t.Run("case 14: frames byte for byte", func(t *testing.T) { frames(t, open(t, plenty)) })
	t.Run("large events", func(t *testing.T) { large(t, open(t, plenty)) })
	t.Run("by number", func(t *testing.T) {
		l := open(t, hub.Retention{Events: 100, Bytes: 1 << 30, Age: time.Hour})
		for range 250 {
			Append(t, l, "x")
		}
		held(t, l, 151, 250)
	})
	t.Run("by bytes", func(t *testing.T) { byBytes(t, open(t, hub.Retention{Events: 1000, Bytes: 1 << 20, Age: time.Hour})) })
	t.Run("case 68: by age, whatever the wall clock says", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { byAge(t, open(t, hub.Retention{Events: 1000, Bytes: 1 << 20, Age: time.Hour})) })
	})
	t.Run("readers while it grows and forgets", func(t *testing.T) {
		readers(t, open(t, hub.Retention{Events: 500, Bytes: 1 << 20, Age: time.Hour}))
	})
}

// Append stores one event for each text, in one go.
func Append(t *testing.T, l hub.Log, texts ...string) []*hub.Event {
	t.Helper()
	b := bounds(t, l)
	var events []*hub.Event
	for i, text := range texts {
		events = append(events, hub.NewEvent(b.Epoch, hub.Event{
			Seq: b.Newest + 1 + hub.Seq(i), Topic: "topic.of." + text[:min(len(text), 9)], Type: "created", Data: []byte(text),
			Time: time.Now(), Key: "key " + text[:min(len(text), 9)], Receivers: 7,
		}))
	}
	if err := l.Append(events); err != nil {
		t.Fatal(err)
	}
	return events
}

// All reads everything after a cursor, at most n events at once.
func All(t *testing.T, l hub.Log, cursor hub.Seq, n int) []*hub.Event {
	t.Helper()
	var all []*hub.Event
	for {
		events, err := l.After(cursor, n)
		if err != nil {
			t.Fatalf("after %d: %v", cursor, err)
		}
		if len(events) == 0 {
			return all
		}
		if len(events) > n {
			t.Fatalf("%d events, asked for %d", len(events), n)
		}
		for _, e := range events {
			if e.Seq != cursor+1 {
				t.Fatalf("event %d follows %d", e.Seq, cursor)
			}
			cursor = e.Seq
		}
		all = append(all, events...)
	}
}

// Same compares events as a reader sees them.
func Same(t *testing.T, want, got []*hub.Event) {
	t.Helper()
	show := func(events []*hub.Event) (all []string) {
		for _, e := range events {
			all = append(all, fmt.Sprintf("%d %s %s %s %q %d %q %q", e.Seq, e.ID, e.Topic, e.Type, e.Key, e.Time.UnixNano(), e.Data, e.Frame))
		}
		return all
	}
	if diff := cmp.Diff(show(want), show(got)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func bounds(t *testing.T, l hub.Log) hub.Bounds {
	t.Helper()
	b, err := l.Bounds()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// held checks what a log holds, and that it can be read and what is older cannot.
func held(t *testing.T, l hub.Log, oldest, newest hub.Seq) {
	t.Helper()
	b := bounds(t, l)
	if b.Oldest != oldest || b.Newest != newest || (b.Bytes == 0) != (oldest > newest) {
		t.Errorf("bounds are %+v, want %d to %d", b, oldest, newest)
	}
	if got := len(All(t, l, b.Oldest-1, 64)); got != int(newest+1-oldest) {
		t.Errorf("%d events, want %d", got, newest+1-oldest)
	}
	if b.Oldest > 1 {
		if _, err := l.After(b.Oldest-2, 10); !errors.Is(err, hub.ErrOvertaken) {
			t.Errorf("before the oldest: %v", err)
		}
	}
}

func empty(t *testing.T, l hub.Log) {
	held(t, l, 1, 0)
	if b := bounds(t, l); b.Epoch == "" || strings.Contains(b.Epoch, "-") {
		t.Errorf("epoch is %q", b.Epoch)
	}
	if events, err := l.After(5, 10); err != nil || len(events) > 0 {
		t.Errorf("after what is not there yet: %v, %v", events, err)
	}
}

func order(t *testing.T, l hub.Log) {
	want := Append(t, l, "one")
	want = append(want, Append(t, l, "two", "three")...)
	for i := range 100 {
		want = append(want, Append(t, l, fmt.Sprint(i))...)
	}
	for _, n := range []int{1, 2, 64, 1000} {
		Same(t, want, All(t, l, 0, n))
		Same(t, want[50:], All(t, l, 50, n))
	}
	held(t, l, 1, 103)
}

func frames(t *testing.T, l hub.Log) {
	want := Append(t, l, "", "a\r\nb\rc\n", "\ufeff:x", " data: \x00", "é\u2028")
	Same(t, want, All(t, l, 0, 10))
}

func large(t *testing.T, l hub.Log) {
	var want []*hub.Event
	for i := range 12 {
		want = append(want, Append(t, l, strings.Repeat(fmt.Sprint(i), 1<<19), "small")...)
	}
	Same(t, want[3:], All(t, l, 3, 100))
}

func byBytes(t *testing.T, l hub.Log) {
	for range 40 {
		Append(t, l, strings.Repeat("x", 100<<10))
		if b := bounds(t, l); b.Bytes > 1<<20 {
			t.Fatalf("holds %d bytes", b.Bytes)
		}
	}
	if b := bounds(t, l); b.Newest != 40 || b.Newest+1-b.Oldest < 5 {
		t.Errorf("holds %+v", b)
	}
	Append(t, l, strings.Repeat("x", 2<<20))
	held(t, l, 41, 41) // the newest is held whatever its size
}

func byAge(t *testing.T, l hub.Log) {
	Append(t, l, "one", "two")
	time.Sleep(40 * time.Minute) // of the bubble's clock
	Append(t, l, "three")
	time.Sleep(20*time.Minute + 1)
	held(t, l, 3, 3)
	time.Sleep(time.Hour)
	held(t, l, 4, 3)
	Append(t, l, "four")
	held(t, l, 4, 4)
}

func readers(t *testing.T, l hub.Log) {
	const n = 3000
	errs := make(chan error, 4)
	for range cap(errs) {
		go func() { errs <- read(l, n) }()
	}
	for range n / 3 {
		Append(t, l, "x", "yy", "zzz")
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// read reads up to event n; where it is overtaken it goes on from the oldest.
func read(l hub.Log, n hub.Seq) error {
	for cursor := hub.Seq(0); cursor < n; {
		events, err := l.After(cursor, 16)
		if errors.Is(err, hub.ErrOvertaken) {
			b, err := l.Bounds()
			if err != nil || b.Oldest <= cursor+1 {
				return fmt.Errorf("overtaken at %d, but %+v are held: %w", cursor, b, err)
			}
			cursor = b.Oldest - 1
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range events {
			if want := strings.Repeat(string("zxy"[e.Seq%3]), int((e.Seq-1)%3)+1); e.Seq != cursor+1 || string(e.Data) != want {
				return fmt.Errorf("event %d with %q follows %d", e.Seq, e.Data, cursor)
			}
			cursor = e.Seq
		}
	}
	return nil
}
