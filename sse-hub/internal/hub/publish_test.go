package hub

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var plenty = Retention{Events: 1_000_000, Bytes: 1 << 30, Age: time.Hour}

func newHub(r Retention) *Hub {
	h, err := New(NewMemoryLog(r), Options{MaxData: 1 << 20, Heartbeat: 15 * time.Second})
	if err != nil {
		panic(err) // a log in memory has no reason to fail
	}
	return h
}

// epoch is that of the hub's ids.
func epoch(t *testing.T, h *Hub) string {
	t.Helper()
	b, err := h.log.Bounds()
	if err != nil {
		t.Fatal(err)
	}
	return b.Epoch
}

func publish(t testing.TB, h *Hub, topic, data string) Receipt {
	t.Helper()
	r, err := h.Publish(Publication{Topic: topic, Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPublishRefuses(t *testing.T) {
	h := newHub(plenty)
	for _, tc := range []struct {
		name, field string
		p           Publication
	}{
		{"case 7: event type with LF", "event_type", Publication{Topic: "t", Type: "a\nb"}},
		{"case 7: event type with CR", "event_type", Publication{Topic: "t", Type: "a\rid: 1"}},
		{"case 7: event type with NUL", "event_type", Publication{Topic: "t", Type: "a\x00"}},
		{"case 7: topic with LF", "topic", Publication{Topic: "a\nb"}},
		{"case 11: data that is not UTF-8", "data", Publication{Topic: "t", Data: []byte("a\xff")}},
		{"case 12: a lone surrogate", "data", Publication{Topic: "t", Data: []byte("\xed\xa0\x80")}},
		{"case 12: an overlong sequence", "data", Publication{Topic: "t", Data: []byte("\xc0\xaf")}},
		{"case 16: open", "event_type", Publication{Topic: "t", Type: "open"}},
		{"case 16: error", "event_type", Publication{Topic: "t", Type: "error"}},
		{"case 16: reset", "event_type", Publication{Topic: "t", Type: "reset"}},
		{"case 16: hub.", "event_type", Publication{Topic: "t", Type: "hub.auth"}},
		{"event type too long", "event_type", Publication{Topic: "t", Type: strings.Repeat("a", 65)}},
		{"event type not ASCII", "event_type", Publication{Topic: "t", Type: "é"}},
		{"key too long", "idempotency_key", Publication{Topic: "t", Key: strings.Repeat("k", 256)}},
		{"case 52: a wildcard", "topic", Publication{Topic: "a.*"}},
		{"case 52: a tail wildcard", "topic", Publication{Topic: "a.>"}},
		{"case 53: empty topic", "topic", Publication{}},
		{"case 53: long topic", "topic", Publication{Topic: strings.Repeat("a", 256)}},
		{"case 53: topic with a control character", "topic", Publication{Topic: "a\x7f"}},
		{"case 53: topic with a mark of direction", "topic", Publication{Topic: "a\u202eb"}},
		{"case 53: topic with a space of no width", "topic", Publication{Topic: "a\u200b"}},
		{"case 53: topic with a byte order mark", "topic", Publication{Topic: "\ufeffa"}},
		{"case 53: topic with a soft hyphen", "topic", Publication{Topic: "a\u00adb"}},
		{"case 53: topic with a space", "topic", Publication{Topic: "a b"}},
		{"case 53: topic with a wide space", "topic", Publication{Topic: "a\u3000b"}},
		{"case 53: topic not UTF-8", "topic", Publication{Topic: "a\xff"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := h.Publish(tc.p)
			var invalid *InvalidError
			if !errors.As(err, &invalid) || invalid.Field != tc.field {
				t.Errorf("error is %v, want one of field %s", err, tc.field)
			}
		})
	}
	if r := publish(t, h, "t", ""); r.ID != epoch(t, h)+"-1" {
		t.Errorf("case 7: the first event is %s: a refused publication took a place", r.ID)
	}
}

func TestPublishSize(t *testing.T) {
	h := newHub(plenty)
	for _, tc := range []struct {
		name string
		data string
		ok   bool
	}{
		{"case 19: one line at the limit", strings.Repeat("a", 1<<20), true},
		{"case 19: one byte more", strings.Repeat("a", 1<<20+1), false},
		{"case 19: 8 MB", strings.Repeat("a", 8<<20), false},
		{"case 20: 10,000 lines", strings.Repeat("line\n", 10_000), true},
		{"case 20: lines that grow over the limit in the stream", strings.Repeat("\n", 1<<20/7+1), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := h.Publish(Publication{Topic: "t", Data: []byte(tc.data)})
			if tc.ok && err != nil || !tc.ok && !errors.Is(err, ErrTooLarge) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestPublish(t *testing.T) {
	h := newHub(plenty)
	e := epoch(t, h)
	t.Run("case 61: without a subscriber it is kept", func(t *testing.T) {
		if diff := cmp.Diff(Receipt{ID: e + "-1"}, publish(t, h, "t", "x")); diff != "" {
			t.Error(diff)
		}
		if got := drain(t, subscribe(t, h, Request{LastID: e + "-0"})); len(got) != 1 {
			t.Errorf("replay is %v", got)
		}
	})
	t.Run("receivers are the subscribers of the topic", func(t *testing.T) {
		subscribe(t, h, Request{})
		subscribe(t, h, Request{Topics: []string{"t", "u"}})
		if r := publish(t, h, "t", "x"); r.Receivers != 2 {
			t.Errorf("%d receivers, want 2", r.Receivers)
		}
		if r := publish(t, h, "u", "x"); r.Receivers != 1 {
			t.Errorf("%d receivers, want 1", r.Receivers)
		}
	})
	t.Run("case 44: a key is answered as the first time", func(t *testing.T) {
		first, err := h.Publish(Publication{Topic: "v", Key: "k", Data: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		again, err := h.Publish(Publication{Topic: "v", Key: "k", Data: []byte("y")})
		if err != nil || again.ID != first.ID || first.Duplicate || !again.Duplicate {
			t.Errorf("first %+v, then %+v, %v", first, again, err)
		}
		if got := drain(t, subscribe(t, h, Request{Topics: []string{"v"}, LastCount: 10})); len(got) != 1 {
			t.Errorf("events are %v", got)
		}
	})
	t.Run("case 44: a key is one of its topic", func(t *testing.T) {
		first, err := h.Publish(Publication{Topic: "w", Key: "k"})
		if err != nil || first.Duplicate {
			t.Errorf("the key of another topic is answered %+v, %v", first, err)
		}
	})
	t.Run("case 65: a hub that stops takes nothing", func(t *testing.T) {
		h.Close()
		h.Close()
		if _, err := h.Publish(Publication{Topic: "t"}); !errors.Is(err, ErrStopping) {
			t.Errorf("publish: %v", err)
		}
		if _, err := h.Subscribe(Request{Topics: []string{"t"}}); !errors.Is(err, ErrStopping) {
			t.Errorf("subscribe: %v", err)
		}
	})
}

func TestKeys(t *testing.T) {
	k := newKeys(2)
	for i := range 3 {
		k.add("t", fmt.Sprint(i), Receipt{ID: fmt.Sprint(i)})
		k.add("t", "", Receipt{})
	}
	if _, ok := k.find(scoped{"t", "0"}); ok {
		t.Error("case 44: a key outside the window is still known")
	}
	if r, ok := k.find(scoped{"t", "2"}); !ok || r.ID != "2" || len(k.answers) != 2 {
		t.Errorf("newest key is %+v, %v of %d", r, ok, len(k.answers))
	}
	if _, ok := k.find(scoped{"t", ""}); ok {
		t.Error("no key is a key")
	}
}
