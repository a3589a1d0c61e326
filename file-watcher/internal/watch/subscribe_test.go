package watch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// subscribe returns a subscription whose Ready has been taken.
func (w *world) subscribe(token string, f Filter) *Subscription {
	w.t.Helper()
	s, err := w.w.Subscribe(w.t.Context(), token, f)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	if item := w.next(s); item.Kind != Ready {
		w.t.Fatalf("the first item is %+v, want ready", item)
	}
	return s
}

func (w *world) next(s *Subscription) Item {
	w.t.Helper()
	item, err := s.Next(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return item
}

// expect checks that the next items are these events and nothing else.
func (w *world) expect(s *Subscription, events ...string) {
	w.t.Helper()
	for _, want := range events {
		item := w.next(s)
		if item.Kind != Change || w.describe(item.Event) != want {
			w.t.Fatalf("item is %+v, want %s", item, want)
		}
	}
}

// newNotes returns a world with a root r, which watches *.md.
func newNotes(t *testing.T, o Options) *world {
	t.Helper()
	w := newWorldWith(t, o)
	w.disk("mkdir", []string{"r"})
	w.disk("write", []string{"r/.obbywatch", "*.md"})
	w.watch("r")
	return w
}

// create makes files and has each reported.
func (w *world) create(from, to int) (events []string) {
	for i := from; i <= to; i++ {
		name := fmt.Sprintf("r/%d.md", i)
		w.disk("write", []string{name, "x"})
		events = append(events, "created "+name)
		w.flush()
	}
	return events
}

func TestResume(t *testing.T) {
	w := newNotes(t, Options{})
	first := w.subscribe("", Filter{Watches: []string{w.ids["r"]}})
	w.expect(first, w.create(1, 2)...)

	t.Run("case 48: a token continues with exactly what was missed", func(t *testing.T) {
		missed := w.create(3, 5)
		w.expect(w.subscribe(first.token, Filter{Watches: []string{w.ids["r"]}}), append(missed, w.create(6, 6)...)...)
	})
	t.Run("case 48: a token of an earlier process asks for a comparison", func(t *testing.T) {
		old := newJournal(1, 1).token(7)
		s := w.subscribe(old, Filter{Watches: []string{w.ids["r"]}})
		item := w.next(s)
		want := Resync{Restarted, w.ids["r"], filepath.Join(w.dir, "r")}
		if item.Kind != Lost || item.Resync != want {
			t.Errorf("item is %+v, want %+v", item, want)
		}
		w.expect(w.subscribe(item.Token, Filter{Watches: []string{w.ids["r"]}}), w.create(7, 7)...)
		w.expect(s, "created r/7.md")
	})
	t.Run("a comparison of several roots is asked for again until the last", func(t *testing.T) {
		old := newJournal(1, 1).token(7)
		s := w.subscribe(old, Filter{})
		barrier, root := w.next(s), w.next(s)
		if barrier.Token != old || root.Token == old || barrier.Resync.Path == root.Resync.Path {
			t.Errorf("items are %+v and %+v", barrier, root)
		}
	})
	t.Run("a comparison where nothing is watched names no root", func(t *testing.T) {
		s := w.subscribe(newJournal(1, 1).token(7), Filter{Prefix: "/elsewhere"})
		if item := w.next(s); item.Resync != (Resync{Reason: Restarted}) || item.Token != w.w.journal.token(w.w.journal.head()) {
			t.Errorf("item is %+v", item)
		}
	})
}

func TestSubscribeRefuses(t *testing.T) {
	w := newWorld(t)
	t.Run("a token that was never made is refused", func(t *testing.T) {
		if _, err := w.w.Subscribe(t.Context(), "garbage", Filter{}); !errors.Is(err, ErrInvalidToken) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("an unknown watch is refused", func(t *testing.T) {
		if _, err := w.w.Subscribe(t.Context(), "", Filter{Watches: []string{"x"}}); !errors.Is(err, ErrUnknownWatch) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestOvertaken(t *testing.T) {
	w := newNotes(t, Options{JournalEvents: 5, JournalBytes: 1 << 20})
	only := Filter{Watches: []string{w.ids["r"]}}
	slow, quick := w.subscribe("", only), w.subscribe("", only)
	start := slow.token
	for i := range 10 {
		w.expect(quick, w.create(i, i)...)
	}
	t.Run("case 47: a slow subscriber is told to compare and goes on", func(t *testing.T) {
		if item := w.next(slow); item.Kind != Lost || item.Resync.Reason != SlowConsumer {
			t.Fatalf("item is %+v", item)
		}
		w.expect(slow, w.create(10, 11)...)
	})
	t.Run("a token that the journal does not reach any more", func(t *testing.T) {
		s := w.subscribe(start, only)
		if item := w.next(s); item.Kind != Lost || item.Resync.Reason != TokenExpired {
			t.Fatalf("item is %+v", item)
		}
		w.expect(s, w.create(12, 12)...)
	})
	if got := w.w.Stats().Resyncs; got[SlowConsumer] != 1 || got[TokenExpired] != 1 {
		t.Errorf("counted %v", got)
	}
}

func TestManySubscribers(t *testing.T) {
	t.Run("case 49: subscribers come and go, each gets every event once", func(t *testing.T) {
		w := newNotes(t, Options{})
		var all sync.WaitGroup
		for range 20 {
			s := w.subscribe("", Filter{Watches: []string{w.ids["r"]}})
			all.Go(func() {
				for i := 1; i <= 20; i++ {
					item, err := s.Next(t.Context())
					if want := fmt.Sprintf("created r/%d.md", i); err != nil || w.describe(item.Event) != want {
						t.Errorf("item is %+v, %v, want %s", item, err, want)
						return
					}
				}
			})
		}
		w.create(1, 20)
		all.Wait()
	})
}

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &Watcher{journal: newJournal(10, 1<<20)}
		s := &Subscription{w: w, filter: Filter{Types: []Type{Deleted}}, last: time.Now()}
		for pos := range uint64(3) {
			before := time.Now()
			item, err := s.Next(t.Context())
			if err != nil || item.Kind != Heartbeat || item.Token != w.journal.token(pos) {
				t.Errorf("item is %+v, %v, want a heartbeat past %d", item, err, pos)
			}
			if waited := time.Since(before); waited != heartbeatEvery {
				t.Errorf("it came after %v", waited)
			}
			w.journal.append(numbered(1, 1)[0]) // not wanted, but passed
			w.journal.tell()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v, want that of the context", err)
		}
		w.journal.close()
		if _, err := s.Next(t.Context()); !errors.Is(err, ErrShuttingDown) {
			t.Errorf("error is %v, want the end", err)
		}
	})
}

func TestFilter(t *testing.T) {
	event := Event{Watch: "w", Type: Created, Path: "/r/d/f"}
	rename := Event{Watch: "w", Type: Renamed, Path: "/r/d/f", OldPath: "/s/e/f", oldWatch: "v"}
	move := Event{Watch: "w", Type: Renamed, Directory: true, Path: "/r/d", OldPath: "/r/e"}
	for _, tc := range []struct {
		name   string
		filter Filter
		event  Event
		want   bool
	}{
		{"everything", Filter{}, event, true},
		{"its type", Filter{Types: []Type{Deleted, Created}}, event, true},
		{"another type", Filter{Types: []Type{Deleted}}, event, false},
		{"its watch", Filter{Watches: []string{"w"}}, event, true},
		{"another watch", Filter{Watches: []string{"v"}}, event, false},
		{"the watch of its old path", Filter{Watches: []string{"v"}}, rename, true},
		{"its directory", Filter{Prefix: "/r/d"}, event, true},
		{"itself", Filter{Prefix: "/r/d/f"}, event, true},
		{"a directory of a longer name", Filter{Prefix: "/r/d/f/g"}, event, false},
		{"a beginning that is no directory", Filter{Prefix: "/r/d/"[:4]}, Event{Type: Created, Path: "/r/dd"}, false},
		{"its old directory", Filter{Prefix: "/s"}, rename, true},
		{"a directory below a renamed one", Filter{Prefix: "/r/e/sub"}, move, true},
		{"a directory beside a renamed one", Filter{Prefix: "/r/x"}, move, false},
	} {
		if got := tc.filter.wants(&tc.event); got != tc.want {
			t.Errorf("%s: wanted is %v, want %v", tc.name, got, tc.want)
		}
	}
}
