package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/stepindex"
	"github.com/obby/go-services/query-service/internal/query"
)

func TestSteps(t *testing.T) {
	s, db := fresh(t)
	if got, want := counts(t, s, wholeRange, ""), "0 changes of 0 files, +0 -0"; got != want {
		t.Errorf("case 43: an empty database has %s, want %s", got, want)
	}
	hour := time.Date(2024, 3, 5, 10, 0, 0, 0, time.Local)
	step(t, db, "/a", "created", hour.Format("2006-01-02T15:04:05"))
	step(t, db, "/a/b", "modified", hour.Unix())
	step(t, db, "/a/b", "modified", "unreadable")
	step(t, db, "/a/b", "modified", hour.Add(time.Hour).Format("2006-01-02 15:04:05.000000"))
	exec(t, db, "UPDATE content_diffs SET lines_added = NULL, lines_removed = 'many' WHERE id = 1")
	one := query.Range{From: hour, To: hour.Add(time.Hour)}
	for _, tc := range []struct {
		name   string
		r      query.Range
		prefix string
		want   string
	}{
		{"case 44: every form of a time counts, none that is unreadable", wholeRange, "", "3 changes of 2 files, +2 -4"},
		{"case 43: the end is excluded", one, "", "2 changes of 2 files, +1 -2"},
		{"below a path", one, "/a/b", "1 changes of 1 files, +1 -2"},
		{"case 43: an empty range has zeros", query.Range{From: hour, To: hour}, "", "0 changes of 0 files, +0 -0"},
		{"all of an open range is readable", query.Range{}, "", "3 changes of 2 files, +2 -4"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := counts(t, s, tc.r, tc.prefix); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// However rows are packed and removed, the counts are those of the rows.
func TestStepsOfBlocks(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s, db := fresh(t)
			rng := rand.New(rand.NewPCG(seed, 2))
			scatter(t, db, rng, 300)
			switch seed % 4 {
			case 1:
				exec(t, db, "DELETE FROM content_diffs WHERE id % 11 = 0") // as Python would
			case 2:
				exec(t, db, "UPDATE obby_steps SET data = x'00' WHERE first_id % 2 = 0") // damaged
			case 3: // ids begin anew
				exec(t, db, "UPDATE content_diffs SET timestamp = '2024-03-05 12:00:00', lines_added = 1")
			}
			all := diffs(t, s, query.DiffQuery{Oldest: true, WithText: true}).Items
			for range 30 {
				q := randomQuery(t, rng)
				q.Glob, q.Types, q.After, q.Before = nil, nil, 0, 0
				if q.Range.From.IsZero() {
					q.Range.From = time.Unix(0, 0)
				}
				if diff := cmp.Diff(plainStats(q, all), summary(t, s, q)); diff != "" {
					t.Fatalf("%+v (-rows +counts):\n%s", q.Filter, diff)
				}
			}
		})
	}
}

// plainStats counts rows one by one.
func plainStats(q query.DiffQuery, all []query.Diff) string {
	var counts query.Counts
	files := map[string]int{}
	types := map[query.ChangeType]int{}
	for _, d := range all {
		if passes(q, d) {
			counts.Changes++
			counts.Added += d.Added
			counts.Removed += d.Removed
			files[d.Path]++
			types[d.Type]++
		}
	}
	counts.Files = int64(len(files))
	return fmt.Sprint(counts, files, types)
}

func summary(t *testing.T, s *Store, q query.DiffQuery) string {
	t.Helper()
	stats, err := query.Summarize(t.Context(), s, q.Range, q.Prefix, 100, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]int{}
	for _, f := range stats.ByFile {
		files[f.Name] = int(f.Changes)
	}
	types := map[query.ChangeType]int{}
	for _, f := range stats.ByType {
		types[query.ChangeType(f.Name)] = int(f.Changes)
	}
	return fmt.Sprint(stats.Total, files, types)
}

// There are more blocks than buffers that they are read into.
func TestStepsOfManyBlocks(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, "PRAGMA synchronous = OFF") // a transaction for each block
	var want, got []int64
	for id := int64(1); id <= 3*blocksAhead; id++ {
		exec(t, db, "INSERT INTO content_diffs (file_path, change_type, lines_added, timestamp) VALUES ('/f', 'modified', ?, '2024-03-05 10:00:00')", id)
		pack(t, db, id, id)
		want = append(want, id)
	}
	err := s.Steps(t.Context(), wholeRange, "", func(b *stepindex.Block) { got = append(got, b.Added...) }, nil)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("lines of the steps: %v (-want +got):\n%s", err, diff)
	}
}
