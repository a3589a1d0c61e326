package store

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

func TestDiffsOrder(t *testing.T) {
	s, db := fresh(t)
	step(t, db, "/a", "created", "2024-03-05 10:00:00.5")
	step(t, db, "/a", "modified", "2024-03-05T09:00:00")
	step(t, db, "/a", "modified", 1)
	if diff := cmp.Diff([]int64{3, 2, 1}, ids(diffs(t, s, query.DiffQuery{}))); diff != "" {
		t.Errorf("case 34: the order is that of recording (-want +got):\n%s", diff)
	}
	page := diffs(t, s, query.DiffQuery{Limit: 2})
	if diff := cmp.Diff([]int64{3, 2}, ids(page)); diff != "" || !page.More {
		t.Errorf("first page, more is %v (-want +got):\n%s", page.More, diff)
	}
	page = diffs(t, s, query.DiffQuery{Limit: 2, Before: 2})
	if diff := cmp.Diff([]int64{1}, ids(page)); diff != "" || page.More {
		t.Errorf("last page, more is %v (-want +got):\n%s", page.More, diff)
	}
}

func TestDiffsRange(t *testing.T) {
	s, db := fresh(t)
	noon := time.Date(2024, 3, 5, 12, 0, 0, 0, time.Local)
	for _, stored := range []any{
		noon.Format("2006-01-02 15:04:05"),                               // 1
		noon.Format("2006-01-02 15:04:05.000000"),                        // 2
		noon.Format("2006-01-02T15:04:05"),                               // 3
		noon.UTC().Format("2006-01-02T15:04:05Z"),                        // 4
		noon.Format("2006-01-02 15:04:05-07:00"),                         // 5
		noon.Unix(),                                                      // 6
		float64(noon.Unix()) + 0.25,                                      // 7
		noon.Add(-time.Microsecond).Format("2006-01-02T15:04:05.000000"), // 8
		"yesterday", // 9
		noon.Add(time.Second).Format("2006-01-02 15:04:05"), // 10
	} {
		step(t, db, "/a", "modified", stored)
	}
	for _, tc := range []struct {
		name string
		r    query.Range
		want []int64
	}{
		{"case 44: every form of a time is in the range", query.Range{From: noon, To: noon.Add(time.Second)}, []int64{1, 2, 3, 4, 5, 6, 7}},
		{"case 46: T and blank compare as times", query.Range{To: noon}, []int64{8}},
		{"case 43: the start is in the range", query.Range{From: noon.Add(-time.Microsecond), To: noon}, []int64{8}},
		{"case 43: the end is not", query.Range{From: noon.Add(time.Second)}, []int64{10}},
		{"case 43: an empty range is empty", query.Range{From: noon, To: noon}, nil},
		{"bounds between two microseconds", query.Range{From: noon.Add(-999), To: noon.Add(1)}, []int64{1, 2, 3, 4, 5, 6}},
		{"case 45: a row whose time is unreadable is only where there is no range", query.Range{}, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ids(diffs(t, s, query.DiffQuery{Filter: query.Filter{Range: tc.r}, Oldest: true}))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, d := range diffs(t, s, query.DiffQuery{}).Items {
		if d.Observed.IsZero() != (d.ID == 9) {
			t.Errorf("case 45: the time of step %d is %v", d.ID, d.Observed)
		}
	}
}

func TestDiffsFilter(t *testing.T) {
	s, db := fresh(t)
	for _, path := range []string{"/a", "/a/b", "/a/b%c", "/a_", "/a0", "/A/b", "/a/caf\xe9", "/a/caf\xe9/x", "/"} {
		step(t, db, path, "created", sqlitetest.TimeMicros)
	}
	step(t, db, "/a", "deleted", sqlitetest.TimeMicros)
	for _, tc := range []struct {
		name, prefix string
		types        []query.ChangeType
		want         []string
	}{
		{"equal or below", "/a", nil, []string{"/a", "/a/b", "/a/b%c", "/a/caf\xe9", "/a/caf\xe9/x", "/a"}},
		{"case 58: a wildcard is a character", "/a/b%", nil, nil},
		{"case 58: another wildcard is one too", "/a_", nil, []string{"/a_"}},
		{"case 31: a path that is not UTF-8", "/a/caf\xe9", nil, []string{"/a/caf\xe9", "/a/caf\xe9/x"}},
		{"the root", "/", nil, []string{"/a", "/a/b", "/a/b%c", "/a_", "/a0", "/A/b", "/a/caf\xe9", "/a/caf\xe9/x", "/", "/a"}},
		{"types", "", []query.ChangeType{query.Deleted, query.Moved}, []string{"/a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, d := range diffs(t, s, query.DiffQuery{Filter: query.Filter{Prefix: tc.prefix, Types: tc.types}, Oldest: true}).Items {
				got = append(got, d.Path)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiffsSize(t *testing.T) {
	s, db := fresh(t)
	text := func(id int64, diff string) {
		exec(t, db, "UPDATE content_diffs SET diff_content = ? WHERE id = ?", diff, id)
	}
	text(step(t, db, "/a", "modified", 1), strings.Repeat("é", query.PageBytes))
	text(step(t, db, "/b", "modified", 1), strings.Repeat("b", 2<<20))
	text(step(t, db, "/c", "modified", 1), strings.Repeat("c", 2<<20))
	text(step(t, db, "/d", "modified", 1), "caf\xe9")
	exec(t, db, "INSERT INTO obby_diffs (diff_id, truncated) VALUES (4, 1)")

	page := diffs(t, s, query.DiffQuery{WithText: true})
	if diff := cmp.Diff([]int64{4, 3}, ids(page)); diff != "" || !page.More {
		t.Errorf("case 51: a page ends before it is too large, more is %v (-want +got):\n%s", page.More, diff)
	}
	if d := page.Items[0]; d.Text != "caf\uFFFD" || !d.Truncated {
		t.Errorf("a step that was stored cut is %q, truncated %v", d.Text, d.Truncated)
	}
	d := diffs(t, s, query.DiffQuery{WithText: true, Before: 2}).Items[0]
	if len(d.Text) != query.MaxDiffText || !utf8.ValidString(d.Text) || strings.ContainsRune(d.Text, utf8.RuneError) || !d.Truncated {
		t.Errorf("case 51: a long text has %d bytes, truncated %v", len(d.Text), d.Truncated)
	}
	page = diffs(t, s, query.DiffQuery{})
	if len(page.Items) != 4 || page.Items[3].Text != "" || page.Items[3].Truncated || !page.Items[0].Truncated {
		t.Errorf("without text the page is %+v", page)
	}
}

func TestSince(t *testing.T) {
	s, db := fresh(t)
	const steps = 2*query.StreamPage + 1
	for range steps {
		step(t, db, "/a", "modified", sqlitetest.TimeSeconds)
	}
	last, err := s.Last(t.Context())
	if err != nil || last.ID != steps || len(last.Database) != 32 {
		t.Fatalf("last is %+v, %v", last, err)
	}
	want := int64(1)
	for d, err := range query.Since(t.Context(), s, query.DiffQuery{}, last) {
		if err != nil || d.ID != want {
			t.Fatalf("case 47: step %d came, %v, want %d", d.ID, err, want)
		}
		step(t, db, "/a", "modified", sqlitetest.TimeSeconds) // a writer that never rests
		if want++; d.ID%400 == 0 {
			var busy int
			if err := db.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, new(int), new(int)); err != nil || busy != 0 {
				t.Errorf("case 50: the log cannot be reset while a step is being sent: %d, %v", busy, err)
			}
		}
	}
	if want != steps+1 {
		t.Errorf("case 47: %d steps came, want %d", want-1, steps)
	}
	exec(t, db, "DELETE FROM content_diffs")
	if again, err := s.Last(t.Context()); err != nil || again.ID != 2*steps {
		t.Errorf("after all steps were deleted the last is %+v, %v", again, err)
	}
}

// One odd value in a row takes nothing else away: columns of SQLite hold any type.
func TestOddValues(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, "PRAGMA foreign_keys = OFF")
	odd := []any{1.5, "x", []byte("2"), 1e300, nil, -1, 1}
	for _, value := range odd {
		exec(t, db, `INSERT INTO content_diffs (file_path, old_version_id, new_version_id, change_type, lines_added, lines_removed, timestamp)
			VALUES ('/a', ?1, ?1, 'modified', ?1, ?1, ifnull(?1, 'never'))`, value)
	}
	exec(t, db, "INSERT INTO file_versions (file_path, content_hash, content, line_count, timestamp) VALUES ('/a', ?, 'needle', 'many', 1)", sqlitetest.Hash("needle"))
	for _, q := range []query.DiffQuery{{}, {Oldest: true, WithText: true}, {Filter: query.Filter{Prefix: "/a"}}} {
		if got := len(diffs(t, s, q).Items); got != len(odd) {
			t.Errorf("%+v: %d steps, want %d", q, got, len(odd))
		}
	}
	for _, q := range []query.VersionQuery{{Path: "/a", Limit: 10}, {Filter: query.Filter{Prefix: "/a"}, Limit: 10}} {
		if page, err := s.Versions(t.Context(), q); err != nil || len(page.Items) != 1 {
			t.Errorf("%+v: versions %+v, %v", q, page, err)
		}
	}
	if h, err := query.SearchHistory(t.Context(), s, query.HistoryQuery{Text: "needle", Limit: 1}); err != nil || len(h.Matches) != 1 {
		t.Errorf("history is %+v, %v", h, err)
	}
	if got := counts(t, s, query.Range{}, ""); got == "" {
		t.Error("nothing was counted")
	}
}
