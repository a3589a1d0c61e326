package watch

import (
	"errors"
	"testing"
	"time"
)

func TestPollerPauses(t *testing.T) {
	const floor, ceiling = 100 * time.Millisecond, time.Second
	top := &node{info: info{kind: dir}}
	p := newPoller(floor, ceiling)
	if p.begin(top, ms(0)); !p.next.IsZero() || len(p.round) > 0 {
		t.Fatal("there is nothing to poll")
	}
	p.add(top, nil, ms(0))
	round := func(at time.Time, took time.Duration, found bool) time.Duration {
		if p.begin(top, at); len(p.round) != 1 {
			t.Fatalf("no round at %v", at)
		}
		p.round, p.took, p.found = nil, took, found
		p.end(at)
		return p.next.Sub(at)
	}
	if p.begin(top, p.next.Add(-1)); len(p.round) > 0 {
		t.Error("the round begins before the pause is over")
	}
	t.Run("case 45: the pause grows from the floor to the ceiling while nothing is found", func(t *testing.T) {
		last := floor
		for range 10 {
			pause := round(p.next, 0, false)
			if pause < last || pause > ceiling {
				t.Errorf("pause is %v after %v", pause, last)
			}
			last = pause
		}
		if last != ceiling {
			t.Errorf("it ends at %v", last)
		}
	})
	t.Run("case 45: it is the floor again when something was found", func(t *testing.T) {
		if pause := round(p.next, 0, true); pause != floor {
			t.Errorf("pause is %v", pause)
		}
	})
	t.Run("case 45: polling takes a bounded share of the time", func(t *testing.T) {
		if pause := round(p.next, 2*time.Second, true); pause != pollShare*2*time.Second {
			t.Errorf("pause is %v", pause)
		}
	})
	t.Run("nothing ticks when nothing is left to poll", func(t *testing.T) {
		p.drop(top)
		if !p.next.IsZero() || len(p.why) > 0 {
			t.Errorf("next is %v", p.next)
		}
	})
}

func TestPollerListing(t *testing.T) {
	top := &node{info: info{kind: dir}}
	p := newPoller(time.Second, time.Second)
	p.add(top, errors.New("full"), ms(0))
	was := info{modified: epoch.UnixNano(), changed: epoch.UnixNano()}
	p.listed(top, was, epoch.Add(fileTick))
	if p.unchanged(top, was) {
		t.Error("case 44: what changed within the last tick may change again without a trace")
	}
	p.listed(top, was, epoch.Add(fileTick+1))
	if !p.unchanged(top, was) || p.unchanged(top, info{modified: was.modified + 1, changed: was.changed}) {
		t.Error("a listing holds until one of the times changes")
	}
}

func TestPollSameSecond(t *testing.T) {
	t.Run("case 44: a write in the second and size of the last one is not lost to polling", func(t *testing.T) {
		w := newWorldWith(t, Options{RescanEvery: never, Method: Poll})
		w.disk("mkdir", []string{"r"})
		w.given["r"] = &Patterns{Watch: []string{"*.md"}}
		w.disk("write", []string{"r/a.md", "one"})
		w.watch("r")
		r := w.w.roots[1]
		known := r.tree.top.children["a.md"]
		second := time.Now().Truncate(time.Second)
		in := known.info
		in.modified, in.changed = second.UnixNano(), second.UnixNano() // as a coarse file system has them
		w.do(func() {
			known.info = in
			r.polled(known, place{r.tree.top, "a.md"}, in, second)
			if got := r.settle.len(); got != 0 {
				t.Errorf("%d files are dirty at once", got)
			}
			if got := r.poll.due(second.Add(fileTick)); len(got) != 1 || got[0].name != "a.md" {
				t.Errorf("looked at once more: %v", got)
			}
		})
	})
}
