package store

import (
	"context"
	"database/sql"
	"slices"
	"testing"

	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

// packTens records n steps and puts them into blocks of ten, but for the last rest.
func packTens(t *testing.T, db *sql.DB, n, rest int64) {
	t.Helper()
	exec(t, db, "PRAGMA synchronous = OFF")
	exec(t, db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO content_diffs (file_path, change_type, timestamp) SELECT '/d/' || i, 'modified', 1700000000 + i FROM n`, n)
	for first := int64(1); first <= n-rest; first += 10 {
		pack(t, db, first, first+9)
	}
}

// walked returns the ids of a walk, in its order. during is called before a stretch is
// picked from, as another process might be at that moment.
func walked(t *testing.T, s *Store, oldest bool, during func(*stretch)) []int64 {
	t.Helper()
	q := query.DiffQuery{Oldest: oldest, Limit: 1 << 30}
	w := newWalk(s, q)
	p := &picker{asker: s, q: q, after: w.after, upTo: w.before}
	err := w.run(t.Context(), func(st *stretch) (bool, error) {
		during(st)
		return p.visit(context.Background(), st)
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.ids
}

// wantAll requires the ids from 1 to n, each once.
func wantAll(t *testing.T, got []int64, n int64, oldest bool) {
	t.Helper()
	if !oldest {
		slices.Reverse(got)
	}
	for i, id := range got {
		if id != int64(i)+1 {
			t.Fatalf("at place %d is step %d, of %d", i+1, id, len(got))
		}
	}
	if int64(len(got)) != n {
		t.Errorf("%d steps, want %d", len(got), n)
	}
}

// The tracker packs while a walk of more than blocksAtOnce blocks is under way: no step
// comes twice and none is left out.
func TestWalkWhileTrackerPacks(t *testing.T) {
	t.Run("the last block grows, oldest first", func(t *testing.T) {
		s, db := fresh(t)
		packTens(t, db, 660, 20)
		wantAll(t, walked(t, s, true, func(st *stretch) {
			if slices.Contains(st.ID, 640) {
				exec(t, db, "DELETE FROM obby_steps WHERE first_id = 631")
				pack(t, db, 631, 660)
			}
		}), 660, true)
	})
	t.Run("blocks get other bounds, newest first", func(t *testing.T) {
		s, db := fresh(t)
		packTens(t, db, 700, 0)
		done := false
		wantAll(t, walked(t, s, false, func(st *stretch) {
			if !done && slices.Contains(st.ID, 61) {
				done = true
				exec(t, db, "DELETE FROM obby_steps WHERE first_id BETWEEN 51 AND 61")
				pack(t, db, 51, 70)
			}
		}), 700, false)
	})
	t.Run("a block is taken apart, oldest first", func(t *testing.T) {
		s, db := fresh(t)
		packTens(t, db, 700, 0)
		wantAll(t, walked(t, s, true, func(st *stretch) {
			if slices.Contains(st.ID, 640) {
				exec(t, db, "DELETE FROM obby_steps WHERE first_id = 641")
			}
		}), 700, true)
	})
}

// Blocks are of the rows that there are, whatever the form of the last one's time and
// whichever rows were removed.
func TestEndsWell(t *testing.T) {
	for _, stored := range []any{sqlitetest.TimeMicros, sqlitetest.TimeSeconds, 1709600000, 1709600000.5, "no time"} {
		s, db := fresh(t)
		for range 4 {
			step(t, db, "/a", "modified", stored)
		}
		pack(t, db, 1, 2)
		pack(t, db, 3, 4)
		for _, removed := range []int{0, 4, 3} {
			exec(t, db, "DELETE FROM content_diffs WHERE id = ?", removed)
			if well, err := endsWell(t.Context(), s); !well || err != nil {
				t.Errorf("times like %v, %d removed: the blocks are of other rows, %v", stored, removed, err)
			}
		}
		exec(t, db, "UPDATE content_diffs SET timestamp = 1 WHERE id = 2")
		if well, err := endsWell(t.Context(), s); well || err != nil {
			t.Errorf("times like %v: the blocks are of these rows, %v", stored, err)
		}
	}
}
