package store

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/pathrule"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/stepindex"
	"github.com/obby/go-services/query-service/internal/query"
)

// pack puts the steps of some ids into one block, as the content-tracker would.
func pack(t testing.TB, db *sql.DB, first, last int64) {
	t.Helper()
	exec(t, db, "INSERT OR IGNORE INTO obby_paths (file_path) SELECT DISTINCT file_path FROM content_diffs WHERE id BETWEEN ? AND ? ORDER BY id", first, last)
	rows, err := db.QueryContext(t.Context(), `SELECT d.id, ifnull(obby_time(d.timestamp), ?), p.path_id, d.change_type, d.lines_added, d.lines_removed
		FROM content_diffs d JOIN obby_paths p ON p.file_path = d.file_path WHERE d.id BETWEEN ? AND ? ORDER BY d.id`, int64(stepindex.NoTime), first, last)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var block stepindex.Block
	for rows.Next() {
		var id, at, path, added, removed int64
		var kind string
		if err := rows.Scan(&id, &at, &path, &kind, &added, &removed); err != nil {
			t.Fatal(err)
		}
		block.Add(id, at, path, stepindex.Type(kind), added, removed)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if block.Len() == 0 {
		return
	}
	var from, to any
	if least, greatest, ok := block.Times(); ok {
		from, to = least, greatest
	}
	exec(t, db, "INSERT INTO obby_steps (first_id, last_id, steps, min_time, max_time, data) VALUES (?, ?, ?, ?, ?, ?)",
		block.ID[0], block.ID[block.Len()-1], block.Len(), from, to, block.Encode())
}

// scatter records steps of many kinds, removes some, and packs some of the rest into
// blocks with rows between them.
func scatter(t *testing.T, db *sql.DB, rng *rand.Rand, steps int64) {
	t.Helper()
	exec(t, db, "PRAGMA synchronous = OFF") // hundreds of transactions
	noon := time.Date(2024, 3, 5, 12, 0, 0, 0, time.Local)
	for i := range steps {
		path := []string{"/a", "/a/b", "/a/b.md", "/a0", "/b/c.md", "/b/caf\xe9.txt", "/"}[rng.IntN(7)]
		at := any(noon.Add(time.Duration(i+rng.Int64N(40)) * time.Minute).Format("2006-01-02 15:04:05.000000"))
		if rng.IntN(4) == 0 {
			at = "no time"
		}
		diff := []any{nil, "", "short", []byte(fmt.Sprintf("%04000d", i))}[rng.IntN(4)]
		exec(t, db, `INSERT INTO content_diffs (file_path, change_type, diff_content, lines_added, lines_removed, timestamp) VALUES (?, ?, ?, ?, ?, ?)`,
			rawpath.Encode(path), []string{"created", "modified", "deleted", "moved"}[rng.IntN(4)], diff, rng.IntN(9), rng.IntN(9), at)
	}
	exec(t, db, "DELETE FROM content_diffs WHERE id % 7 = ?", rng.IntN(7))
	for id := int64(1); id <= steps; {
		n := 1 + rng.Int64N(60)*rng.Int64N(2) // often a single one
		if rng.IntN(3) > 0 {
			pack(t, db, id, id+n-1)
		}
		id += n
	}
}

// However rows are packed, removed after it or not packed at all, a filtered list is
// the rows that pass, page by page in both directions.
func TestWalk(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s, db := fresh(t)
			rng := rand.New(rand.NewPCG(seed, 1))
			scatter(t, db, rng, 400)
			if seed%3 == 0 {
				exec(t, db, "DELETE FROM content_diffs WHERE id % 11 = 0") // as Python would
			}
			all := diffs(t, s, query.DiffQuery{Oldest: true}).Items
			for range 40 {
				q := randomQuery(t, rng)
				want := slices.Collect(func(yield func(query.Diff) bool) {
					for _, d := range all {
						if passes(q, d) && !yield(d) {
							return
						}
					}
				})
				if !q.Oldest {
					slices.Reverse(want)
				}
				if diff := cmp.Diff(want, pages(t, s, q)); diff != "" {
					t.Fatalf("%+v (-rows +pages):\n%s", q, diff)
				}
			}
		})
	}
}

func randomQuery(t *testing.T, rng *rand.Rand) query.DiffQuery {
	q := query.DiffQuery{Limit: 1 + rng.IntN(30), Oldest: rng.IntN(2) == 0}
	q.Prefix = []string{"", "/a", "/b", "/a/b.md", "/none", "/"}[rng.IntN(6)]
	if rng.IntN(2) == 0 {
		glob, err := pathrule.NewFilter(q.Prefix, []string{"*.md", "b", "c*", "*"}[rng.IntN(4)], nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Glob = glob
	}
	for range rng.IntN(3) {
		q.Types = append(q.Types, []query.ChangeType{query.Created, query.Modified, query.Deleted, query.Moved}[rng.IntN(4)])
	}
	noon := time.Date(2024, 3, 5, 12, 0, 0, 0, time.Local)
	if rng.IntN(2) == 0 {
		q.Range.From = noon.Add(time.Duration(rng.IntN(400)) * time.Minute)
	}
	if rng.IntN(2) == 0 {
		q.Range.To = noon.Add(time.Duration(400+rng.IntN(100)) * time.Minute)
	}
	q.After = rng.Int64N(100) * rng.Int64N(2)
	q.Before = (300 + rng.Int64N(100)) * rng.Int64N(2)
	return q
}

func passes(q query.DiffQuery, d query.Diff) bool {
	return q.Path(d.Path) && (len(q.Types) == 0 || slices.Contains(q.Types, d.Type)) && q.Range.Has(d.Observed) &&
		d.ID > q.After && (q.Before == 0 || d.ID < q.Before)
}

// pages reads a list to its end.
func pages(t *testing.T, s *Store, q query.DiffQuery) (all []query.Diff) {
	t.Helper()
	for {
		page, err := s.Diffs(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) > q.Limit {
			t.Errorf("a page of %d has %d", q.Limit, len(page.Items))
		}
		all = append(all, page.Items...)
		if !page.More {
			return all
		}
		if last := page.Items[len(page.Items)-1].ID; q.Oldest {
			q.After = last
		} else {
			q.Before = last
		}
	}
}

// Without the diffs, what stands behind a long one is read from its block: the pages of
// the diff are not touched.
func TestLongDiffIsNotRead(t *testing.T) {
	s, db := fresh(t)
	for range 3 {
		exec(t, db, `INSERT INTO content_diffs (file_path, change_type, diff_content, lines_added, lines_removed, timestamp)
			VALUES ('/a', 'modified', zeroblob(8000000), 3, 1, '2024-03-05 12:00:00')`)
	}
	want := diffs(t, s, query.DiffQuery{}).Items
	pack(t, db, 1, 3)
	// Were it read from the row, this would be seen; only the block has the first lines.
	exec(t, db, "UPDATE content_diffs SET lines_added = 100")
	if diff := cmp.Diff(want, diffs(t, s, query.DiffQuery{}).Items); diff != "" {
		t.Errorf("(-before +from the block):\n%s", diff)
	}
	got := diffs(t, s, query.DiffQuery{WithText: true, Limit: 1})
	if d := got.Items[0]; d.Added != 100 || len(d.Text) != query.MaxDiffText || !d.Truncated {
		t.Errorf("with its text it is +%d, %d bytes, truncated %v", d.Added, len(d.Text), d.Truncated)
	}
}

// A program empties content_diffs and has ids begin anew, and no tracker is there to
// mend the blocks: lists are those of the rows.
func TestEmptiedTable(t *testing.T) {
	for _, n := range []int{20, 15, 30} {
		t.Run(fmt.Sprint("filled with ", n), func(t *testing.T) {
			s, db := fresh(t)
			noon := time.Date(2024, 3, 5, 12, 0, 0, 0, time.Local)
			june, later := noon.AddDate(0, 3, 0), noon.AddDate(1, 0, 0)
			for i := range 20 {
				step(t, db, "/a", "created", noon.Add(time.Duration(i)*time.Minute).Format(time.DateTime))
			}
			pack(t, db, 1, 20)
			exec(t, db, "DELETE FROM content_diffs")
			exec(t, db, "DELETE FROM sqlite_sequence WHERE name = 'content_diffs'")
			for i := range n {
				step(t, db, "/b", "modified", later.Add(time.Duration(i)*time.Minute).Format(time.DateTime))
			}
			for _, tc := range []struct {
				filter query.Filter
				want   int
			}{
				{query.Filter{Types: []query.ChangeType{query.Modified}}, n},
				{query.Filter{Types: []query.ChangeType{query.Created}}, 0},
				{query.Filter{Range: query.Range{From: june}}, n},
				{query.Filter{Range: query.Range{To: june}}, 0},
			} {
				for _, oldest := range []bool{false, true} {
					if got := len(diffs(t, s, query.DiffQuery{Filter: tc.filter, Oldest: oldest}).Items); got != tc.want {
						t.Errorf("%+v, oldest first %v: %d steps, want %d", tc.filter, oldest, got, tc.want)
					}
				}
			}
			if got, want := counts(t, s, query.Range{From: june}, ""), fmt.Sprintf("%d changes of 1 files, +%d -%d", n, n, 2*n); got != want {
				t.Errorf("counts are %s, want %s", got, want)
			}
		})
	}
}
