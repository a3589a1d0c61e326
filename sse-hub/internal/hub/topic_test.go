package hub

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCovers(t *testing.T) {
	for _, tc := range []struct {
		pattern, name string
		want          bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "A", false}, {"a", "a.b", false}, {"a.b", "a", false},
		{"a.*", "a.b", true}, {"a.*", "a", false}, {"a.*", "a.b.c", false}, {"a.*", "a.", true},
		{"*", "a", true}, {"*", "a.b", false}, {"*.b", "a.b", true}, {"*.b", "a.c", false}, {"a.*.c", "a.b.c", true},
		{"a.>", "a.b", true}, {"a.>", "a.b.c", true}, {"a.>", "a", false}, {">", "a", true}, {">", "a.b", true},
		// Patterns that are covered by patterns: who may read all of one may read the other.
		{">", ">", true}, {">", "a.>", true}, {"a.>", ">", false}, {"a.>", "a.*", true}, {"a.*", "a.>", false},
		{"*", "*", true}, {"*", ">", false}, {"a.*", "*.a", false}, {"*.*", "a.*", true}, {"a.b", "a.*", false},
	} {
		if got := Covers(tc.pattern, tc.name); got != tc.want {
			t.Errorf("case 52: %q covers %q: %v", tc.pattern, tc.name, got)
		}
	}
}

func TestPatternsRefused(t *testing.T) {
	for _, name := range []string{"a*", "*a", "a.b*", "a.>b", ">.a", "a.>.b", "**", "a.**", "", "a b.*", strings.Repeat("a.", 32) + "*"} {
		if checkTopic(name, true) == "" {
			t.Errorf("case 52: %q is taken as a pattern", name)
		}
	}
	for _, name := range []string{"*", ">", "a.*", "a.>", "*.b.>", "a.*.c"} {
		if reason := checkTopic(name, true); reason != "" {
			t.Errorf("case 52: %s", reason)
		}
	}
}

// Case 52: one subscription with several patterns, against what Covers says of
// each; case 45: an event is delivered once, and counted once.
func TestWildcards(t *testing.T) {
	h := newHub(plenty)
	wanted := [][]string{{"a.*"}, {"a.>"}, {">"}, {"*"}, {"a.b", "a.*", "*.b", ">"}, {"a.*.c", "x"}, {"*.*.c"}}
	var subs []*Subscription
	for _, topics := range wanted {
		subs = append(subs, subscribe(t, h, Request{Topics: topics}))
	}
	for _, topic := range []string{"a", "a.b", "a.b.c", "x", "x.b", "x.b.c", "a.", "q.r.s.t"} {
		var want []string
		for _, topics := range wanted {
			if slices.ContainsFunc(topics, func(p string) bool { return Covers(p, topic) }) {
				want = append(want, topics[0])
			}
		}
		r := publish(t, h, topic, topic)
		var got []string
		for i, s := range subs {
			if data := drain(t, s); cmp.Equal(data, []string{topic}) {
				got = append(got, wanted[i][0])
			} else if data != nil {
				t.Errorf("case 45: %q got %q for one event", wanted[i], data)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || r.Receivers != len(want) {
			t.Errorf("%s has %d receivers (-want +got):\n%s", topic, r.Receivers, diff)
		}
	}
	if got := drain(t, subscribe(t, h, Request{Topics: []string{"a.>", "*"}, LastID: epoch(t, h) + "-1"})); len(got) != 4 {
		t.Errorf("replay by patterns is %q", got)
	}
}

// Case 51: a hundred thousand topics come and go, and nothing is left of them.
func TestIndexIsEmptiedAgain(t *testing.T) {
	h := newHub(plenty)
	var subs []*Subscription
	for i := range 1000 {
		topics := []string{"shared", "shared.>"}
		for j := range 98 {
			topics = append(topics, fmt.Sprintf("t%d.%d%s", i, j, []string{"", ".*", ".>", ".*.x"}[j%4]))
		}
		s, err := h.Subscribe(Request{Topics: topics})
		if err != nil {
			t.Fatal(err)
		}
		subs = append(subs, s)
	}
	if r := publish(t, h, "shared.a", ""); r.Receivers != 1000 {
		t.Errorf("%d receivers", r.Receivers)
	}
	if r := publish(t, h, "t5.1.x", ""); r.Receivers != 1 {
		t.Errorf("%d receivers of one pattern", r.Receivers)
	}
	for i := range subs { // not in the order in which they came
		subs[(i*7)%len(subs)].Close()
	}
	if len(h.index.exact) != 0 || len(h.index.patterns.next) != 0 {
		t.Errorf("left are %d topics and %v", len(h.index.exact), h.index.patterns.next)
	}
}

// Case 45: a name that a request has twice counts once, in whatever order those
// who share it leave.
func TestTopicNamedTwice(t *testing.T) {
	h := newHub(plenty)
	sub := func(topics ...string) *Subscription {
		s, err := h.Subscribe(Request{Topics: topics})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, name := range []string{"t", "t.*"} {
		a, b, c, twice := sub(name), sub(name), sub(name), sub(name, "other", name)
		if r := publish(t, h, "t", "x"); name == "t" && r.Receivers != 4 {
			t.Errorf("%d receivers, want 4", r.Receivers)
		}
		for _, s := range []*Subscription{c, a, twice, b} {
			s.Close()
		}
	}
	if len(h.index.exact) != 0 || len(h.index.patterns.next) != 0 {
		t.Errorf("left are %d topics and %v", len(h.index.exact), h.index.patterns.next)
	}
}

// Case 63: the newest of a client's subscriptions wins.
func TestClientReplaced(t *testing.T) {
	h := newHub(plenty)
	first := subscribe(t, h, Request{ClientID: "c", Subject: "ann"})
	other := subscribe(t, h, Request{ClientID: "c", Subject: "bob"})
	second := subscribe(t, h, Request{ClientID: "c", Subject: "ann"})
	if _, err := first.Next(t.Context()); err != ErrReplaced {
		t.Errorf("the older one gets %v", err)
	}
	publish(t, h, "t", "x")
	for _, s := range []*Subscription{other, second} {
		if events, err := s.Next(t.Context()); err != nil || len(events) != 1 {
			t.Errorf("got %v, %v", events, err)
		}
	}
	third, err := h.Subscribe(Request{Topics: []string{"t"}, ClientID: "c", Subject: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	third.Close()
	if len(h.clients) != 1 {
		t.Errorf("%d clients are remembered", len(h.clients))
	}
}
