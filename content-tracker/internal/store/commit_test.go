package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/obby/go-services/content-tracker/internal/store"
	"github.com/obby/go-services/content-tracker/internal/track"
)

func insertEvent(path string) store.Piece {
	return func(_ context.Context, exec func(string) error) error {
		return exec(fmt.Sprintf(`INSERT INTO events (type, path, timestamp) VALUES ('created', '%s', '2024-01-01 00:00:00')`, path))
	}
}

// TestGroup: callers who share a transaction do not share each other's failures.
func TestGroup(t *testing.T) {
	errOwn := errors.New("own failure")
	failing := func(ctx context.Context, exec func(string) error) error {
		return errors.Join(insertEvent("/half")(ctx, exec), errOwn)
	}
	panicking := func(ctx context.Context, exec func(string) error) error {
		if err := insertEvent("/half")(ctx, exec); err != nil {
			return err
		}
		panic("oops")
	}
	live := context.Background()
	gone, cancel := context.WithCancel(live)
	cancel()
	for name, tc := range map[string]struct {
		caller context.Context
		piece  store.Piece
		want   string // in the error of the second of three callers
	}{
		"all well":  {live, insertEvent("/b"), ""},
		"one fails": {live, failing, "own failure"},
		"one breaks a rule": {live, func(_ context.Context, exec func(string) error) error {
			return exec(`INSERT INTO events (type) VALUES ('no')`)
		}, "constraint"},
		"one panics":               {live, panicking, "panic: oops"},
		"one has left":             {gone, insertEvent("/half"), "canceled"},
		"one leaves in the middle": {live, func(context.Context, func(string) error) error { return context.Canceled }, "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			errs := w.store.Group([]context.Context{live, tc.caller, live}, insertEvent("/a"), tc.piece, insertEvent("/c"))
			if errs[0] != nil || errs[2] != nil {
				t.Errorf("the others are told %v and %v", errs[0], errs[2])
			}
			if (tc.want == "") != (errs[1] == nil) || errs[1] != nil && !strings.Contains(errs[1].Error(), tc.want) {
				t.Errorf("error is %v, want %q", errs[1], tc.want)
			}
			want := 2
			if tc.want == "" {
				want = 3
			}
			expect(t, "rows", one[int](w, `SELECT count(*) FROM events`), want)
			expect(t, "rows of the failed piece", one[int](w, `SELECT count(*) FROM events WHERE path = '/half'`), 0)
		})
	}
}

// TestGroupFullDisk: where the transaction as a whole fails, all are told, and
// nothing of any is left.
func TestGroupFullDisk(t *testing.T) { // case 38
	w := newWorld(t, "")
	w.store.Writer(t, fmt.Sprintf("PRAGMA max_page_count = %d", one[int](w, `PRAGMA page_count`)))
	big := func(_ context.Context, exec func(string) error) error {
		return exec(`INSERT INTO obby_blobs (content_hash, data) VALUES ('big', zeroblob(1000000))`)
	}
	live := context.Background()
	errs := w.store.Group([]context.Context{live, live, live}, insertEvent("/a"), big, insertEvent("/c"))
	if !errors.Is(errs[1], track.ErrFull) {
		t.Errorf("case 38: error is %v", errs[1])
	}
	for i, path := range []string{"/a", "", "/c"} {
		if stored := one[int](w, `SELECT count(*) FROM events WHERE path = ?`, path) == 1; path != "" && stored != (errs[i] == nil) {
			t.Errorf("case 38: %s is stored: %t, but its caller was told %v", path, stored, errs[i])
		}
	}
	w.store.Writer(t, "PRAGMA max_page_count = 1000000")
	w.write("a", "x\n")
	expect(t, "case 38: after space was freed", w.track("a"), "created +1 -0")
}

// TestCrowd: many callers at once; what is too much to index in their transactions
// is found after CatchUp, by its newest text alone.
func TestCrowd(t *testing.T) {
	w := newWorld(t, "")
	const files = 300
	for round := range 3 {
		var callers sync.WaitGroup
		for i := range files {
			name := fmt.Sprintf("f%03d", i)
			w.write(name, fmt.Sprintf("common round%d mine%d\n", round, i))
			callers.Go(func() {
				if _, err := w.tracker.Track(context.Background(), track.Request{Path: w.path(name)}); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
	}
	w.remove("f000")
	w.rename("f001", "g001")
	w.track("f000")
	w.trackMove("f001", "g001")
	if err := w.store.CatchUpNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]int{"common": files - 1, "round0": 0, "round1": 0, "round2": files - 1, "mine0": 0, "mine1": 1, "mine299": 1, "g001": 1, "f001": 0} {
		expect(t, "files found by "+word, one[int](w, `SELECT count(*) FROM obby_search WHERE obby_search MATCH ?`, word), want)
	}
	w.sound()
	w.store.Writer(t, `INSERT INTO obby_search (obby_search) VALUES ('integrity-check')`)
}

// TestIndexedAgain: a path that returns to an earlier content.
func TestIndexedAgain(t *testing.T) { // case 11
	w := newWorld(t, "")
	for _, text := range []string{"one\n", "two\n", "one\n", "two\n"} {
		w.write("a", text)
		w.track("a")
		for _, word := range []string{"one", "two"} {
			expect(t, "case 11: with "+text+" found: "+word, w.found(word), word+"\n" == text)
		}
	}
}
