package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// subscribe subscribes, to topic t where none is named, for the test's duration.
func subscribe(t testing.TB, h *Hub, r Request) *Subscription {
	t.Helper()
	if r.Topics == nil {
		r.Topics = []string{"t"}
	}
	s, err := h.Subscribe(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// drain returns the data of what is there now.
func drain(t testing.TB, s *Subscription) []string {
	t.Helper()
	var got []string
	for more := true; more; {
		var batch []*Event
		var err error
		if batch, more, err = s.Poll(nil); err != nil {
			t.Fatal(err)
		}
		for _, e := range batch {
			got = append(got, string(e.Data))
		}
	}
	return got
}

// numbered publishes data 1 to n on topic t.
func numbered(t testing.TB, h *Hub, n int) {
	t.Helper()
	for i := range n {
		publish(t, h, "t", fmt.Sprint(i+1))
	}
}

func TestSubscribeRefuses(t *testing.T) {
	h := newHub(plenty)
	for name, r := range map[string]Request{
		"case 54: to nothing":      {},
		"too many":                 {Topics: make([]string, 101)},
		"case 53: empty":           {Topics: []string{"t", ""}},
		"case 52: half a wildcard": {Topics: []string{"a.b*"}},
		"negative count":           {Topics: []string{"t"}, LastCount: -1},
		"large count":              {Topics: []string{"t"}, LastCount: 1001},
	} {
		t.Run(name, func(t *testing.T) {
			var invalid *InvalidError
			if _, err := h.Subscribe(r); !errors.As(err, &invalid) {
				t.Errorf("error is %v", err)
			}
		})
	}
	if s, _ := h.Stats(); s.Subscribers != 0 || len(h.index.exact) != 0 {
		t.Errorf("refused subscriptions are registered: %+v", s)
	}
}

func TestWhereASubscriptionBegins(t *testing.T) {
	h := newHub(Retention{Events: 4, Bytes: 1 << 20, Age: time.Hour})
	numbered(t, h, 10) // holds 7 to 10
	e := epoch(t, h)
	for _, tc := range []struct {
		name   string
		r      Request
		replay string
		why    Reason
		cursor string
	}{
		{"case 39: without an id live only", Request{}, "", "", "-10"},
		{"case 39: the newest three", Request{LastCount: 3}, "8 9 10", "", "-7"},
		{"case 39: the newest, more than there are", Request{LastCount: 100}, "7 8 9 10", "", "-6"},
		{"case 40: the newest id", Request{LastID: e + "-10"}, "", "", "-10"},
		{"case 40: an id in between", Request{LastID: e + "-8"}, "9 10", "", "-8"},
		{"case 40: the last id that is covered", Request{LastID: e + "-6"}, "7 8 9 10", "", "-6"},
		{"case 40: an id wins over a count", Request{LastID: e + "-9", LastCount: 3}, "10", "", "-9"},
		{"case 41: an id that is too old", Request{LastID: e + "-5"}, "", Expired, "-10"},
		{"case 41: and the newest two instead", Request{LastID: e + "-5", LastCount: 2}, "9 10", Expired, "-8"},
		{"case 42: another epoch", Request{LastID: "other-8"}, "", Epoch, "-10"},
		{"case 42: the future", Request{LastID: e + "-11"}, "", Future, "-10"},
		{"case 43: garbage", Request{LastID: "';--"}, "", Epoch, "-10"},
		{"case 43: not UTF-8", Request{LastID: "\xff\r\n"}, "", Epoch, "-10"},
		{"case 43: 10 KB", Request{LastID: e + "-" + strings.Repeat("0", 10_000) + "8"}, "", Epoch, "-10"},
		{"case 43: another spelling", Request{LastID: e + "-08"}, "", Epoch, "-10"},
		{"case 43: beyond 64 bits", Request{LastID: e + "-99999999999999999999"}, "", Epoch, "-10"},
		{"case 50: an id of another topic", Request{Topics: []string{"u"}, LastID: e + "-8"}, "", "", "-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := subscribe(t, h, tc.r)
			if got := strings.TrimPrefix(s.Cursor(), e); got != tc.cursor {
				t.Errorf("cursor is %s, want %s", got, tc.cursor)
			}
			want := (*Reset)(nil)
			if tc.why != "" {
				want = &Reset{Reason: tc.why, Oldest: e + "-7", Newest: e + "-10"}
			}
			if diff := cmp.Diff(want, s.Reset()); diff != "" {
				t.Errorf("reset (-want +got):\n%s", diff)
			}
			if got := strings.Join(drain(t, s), " "); got != tc.replay {
				t.Errorf("replay is %q, want %q", got, tc.replay)
			}
		})
	}
	s, err := h.Stats()
	if diff := cmp.Diff(map[Reason]int64{Expired: 2, Epoch: 6, Future: 1}, s.Resets); err != nil || diff != "" {
		t.Errorf("resets %v (-want +got):\n%s", err, diff)
	}
}

func TestEmptyHistory(t *testing.T) {
	h := newHub(plenty)
	e := epoch(t, h)
	if s := subscribe(t, h, Request{LastCount: 5}); s.Cursor() != e+"-0" || s.Live() != e+"-0" {
		t.Errorf("cursor is %s, live %s", s.Cursor(), s.Live())
	}
	if s := subscribe(t, h, Request{LastID: e + "-0"}); s.Reset() != nil {
		t.Errorf("the cursor before everything is refused: %+v", s.Reset())
	}
	want := &Reset{Reason: Epoch, Newest: e + "-0"}
	if diff := cmp.Diff(want, subscribe(t, h, Request{LastID: "x-1"}).Reset()); diff != "" {
		t.Error(diff)
	}
}

func TestTopics(t *testing.T) {
	h := newHub(plenty)
	s := subscribe(t, h, Request{Topics: []string{"a", "b", "a"}})
	for _, topic := range []string{"a", "c", "b", "A"} {
		publish(t, h, topic, topic)
	}
	t.Run("case 45: an event is delivered once", func(t *testing.T) {
		if diff := cmp.Diff([]string{"a", "b"}, drain(t, s)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("the newest of one topic among many others", func(t *testing.T) {
		numbered(t, h, 3*readEvents)
		if diff := cmp.Diff([]string{"a", "b"}, drain(t, subscribe(t, h, Request{Topics: []string{"a", "b"}, LastCount: 9}))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("case 51: a topic without subscribers takes no room", func(t *testing.T) {
		one, err := h.Subscribe(Request{Topics: []string{"x", "a"}})
		if err != nil {
			t.Fatal(err)
		}
		one.Close()
		if h.index.exact["x"] != nil || h.index.exact["a"] == nil {
			t.Errorf("topics are %v", h.index.exact)
		}
	})
}

func TestOvertaken(t *testing.T) {
	h := newHub(Retention{Events: 4, Bytes: 1 << 20, Age: time.Hour})
	slow := subscribe(t, h, Request{})
	numbered(t, h, 5)
	if _, err := slow.Next(t.Context()); !errors.Is(err, ErrOvertaken) {
		t.Errorf("slow subscriber: %v", err)
	}
	t.Run("an old cursor is not mistaken for a quiet one", func(t *testing.T) {
		s := subscribe(t, h, Request{Topics: []string{"other"}, LastID: epoch(t, h) + "-3"})
		numbered(t, h, 9)
		if _, err := s.Next(t.Context()); !errors.Is(err, ErrOvertaken) { // 4 and 5 were not looked at
			t.Errorf("error is %v", err)
		}
	})
	if s, _ := h.Stats(); s.Slow != 2 {
		t.Errorf("%d were slow, want 2", s.Slow)
	}
}

// Case 48: events of other topics overtake nobody.
func TestQuietTopic(t *testing.T) {
	h := newHub(Retention{Events: 4, Bytes: 1 << 20, Age: time.Hour})
	quiet := subscribe(t, h, Request{Topics: []string{"quiet"}})
	cursorIs := func(seq int) {
		t.Helper()
		if want := fmt.Sprint(epoch(t, h), "-", seq); quiet.Cursor() != want {
			t.Errorf("cursor is %s, want %s", quiet.Cursor(), want)
		}
	}
	numbered(t, h, 9)
	if got := drain(t, quiet); got != nil {
		t.Errorf("got %q", got)
	}
	quiet.Rest()
	cursorIs(9)
	numbered(t, h, 9)
	publish(t, h, "quiet", "x") // 19
	numbered(t, h, 2)
	if diff := cmp.Diff([]string{"x"}, drain(t, quiet)); diff != "" {
		t.Error(diff)
	}
	numbered(t, h, 9)
	publish(t, h, "quiet", "y") // 31
	for range 3 {               // a sender that is blocked asks again and again
		if err := quiet.CheckHeld(); err != nil {
			t.Fatal(err)
		}
	}
	cursorIs(30)
	numbered(t, h, 4) // y is gone
	if err := quiet.CheckHeld(); !errors.Is(err, ErrOvertaken) {
		t.Errorf("error is %v", err)
	}
}

// Case 48: a quiet subscription shows signs of life, and its cursor moves on.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(plenty)
		s := subscribe(t, h, Request{Topics: []string{"quiet"}})
		publish(t, h, "t", "x")
		start := time.Now()
		events, err := s.Next(t.Context())
		if err != nil || events != nil || time.Since(start) != 15*time.Second {
			t.Errorf("after %v: %v, %v", time.Since(start), events, err)
		}
		if want := epoch(t, h) + "-1"; s.Cursor() != want {
			t.Errorf("cursor is %s, want %s", s.Cursor(), want)
		}
	})
}

func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(Retention{Events: 10, Bytes: 10_000, Age: time.Hour})
		held := func() int64 {
			s, err := h.Stats()
			if err != nil || (s.Events == 0) != (s.Bytes == 0) {
				t.Errorf("stats are %+v, %v", s, err)
			}
			return s.Events
		}
		numbered(t, h, 11)
		if n := held(); n != 10 {
			t.Errorf("by number: %d are held", n)
		}
		publish(t, h, "t", strings.Repeat("x", 8000))
		if n := held(); n < 2 || n > 8 {
			t.Errorf("by bytes: %d are held", n)
		}
		publish(t, h, "t", strings.Repeat("x", 20_000))
		if n := held(); n != 1 {
			t.Errorf("an event larger than the bound: %d are held", n)
		}
		time.Sleep(time.Hour)
		publish(t, h, "t", "")
		if n := held(); n != 1 && n != 2 {
			t.Errorf("at the age: %d are held", n)
		}
		time.Sleep(time.Hour + 1)
		if n := held(); n != 0 {
			t.Errorf("beyond the age: %d are held", n)
		}
		if r := publish(t, h, "t", ""); r.ID != epoch(t, h)+"-15" {
			t.Errorf("the next event is %s", r.ID)
		}
	})
}

// What was published before the hub stopped is delivered; then the stream ends.
func TestStopDelivers(t *testing.T) {
	h := newHub(plenty)
	s := subscribe(t, h, Request{})
	publish(t, h, "t", "x")
	h.Close()
	if events, err := s.Next(t.Context()); err != nil || len(events) != 1 {
		t.Errorf("case 65: first %v, %v", events, err)
	}
	if _, err := s.Next(t.Context()); !errors.Is(err, ErrStopping) {
		t.Errorf("then %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	open := newHub(plenty)
	if _, err := subscribe(t, open, Request{}).Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled reader gets %v", err)
	}
}
