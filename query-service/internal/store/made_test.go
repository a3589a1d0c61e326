package store

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/pathrule"
	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

// edits makes a history of three files: /a is created, modified, and back to its first
// content; /b.md is created and deleted; /c/d.md is created.
func edits(t *testing.T, db *sql.DB) {
	t.Helper()
	minute := func(n int) string {
		return time.Date(2024, 3, 5, 12, n, 0, 0, time.Local).Format("2006-01-02 15:04:05")
	}
	for i, v := range []struct{ path, text string }{{"/a", "1"}, {"/a", "2"}, {"/b.md", "1"}, {"/c/d.md", "1"}} {
		exec(t, db, "INSERT INTO file_versions (id, file_path, content_hash, content, timestamp) VALUES (?, ?, ?, ?, ?)", i+1, v.path, sqlitetest.Hash(v.text), v.text, minute(i))
	}
	for i, d := range []struct {
		path     string
		old, new any
		kind     string
	}{{"/a", nil, 1, "created"}, {"/a", 1, 2, "modified"}, {"/b.md", nil, 3, "created"}, {"/c/d.md", nil, 4, "created"}, {"/a", 2, 1, "modified"}, {"/b.md", 3, nil, "deleted"}} {
		exec(t, db, "INSERT INTO content_diffs (file_path, old_version_id, new_version_id, change_type, lines_added, lines_removed, timestamp) VALUES (?, ?, ?, ?, 1, 0, ?)",
			d.path, d.old, d.new, d.kind, minute(i))
	}
}

func TestVersionsOfFilter(t *testing.T) {
	glob, err := pathrule.NewFilter("", "*.md", nil)
	if err != nil {
		t.Fatal(err)
	}
	minute := func(n int) time.Time { return time.Date(2024, 3, 5, 12, n, 0, 0, time.Local) }
	for _, packed := range []bool{false, true} {
		s, db := fresh(t)
		edits(t, db)
		if packed {
			pack(t, db, 1, 4)
		}
		for _, tc := range []struct {
			name string
			q    query.VersionQuery
			want []int64
		}{
			{"case 11: a version stands where its newest step does", query.VersionQuery{Filter: query.Filter{Prefix: "/"}}, []int64{1, 4, 3, 2}},
			{"by pattern", query.VersionQuery{Filter: query.Filter{Glob: glob}}, []int64{4, 3}},
			{"by prefix", query.VersionQuery{Filter: query.Filter{Prefix: "/c"}}, []int64{4}},
			{"by type: its newest step that passes", query.VersionQuery{Filter: query.Filter{Prefix: "/", Types: []query.ChangeType{query.Created}}}, []int64{4, 3, 1}},
			{"by time: its newest step that passes", query.VersionQuery{Filter: query.Filter{Prefix: "/", Range: query.Range{To: minute(4)}}}, []int64{4, 3, 2, 1}},
			{"of a path", query.VersionQuery{Path: "/a"}, []int64{2, 1}},
			{"of a path, in a range", query.VersionQuery{Path: "/a", Filter: query.Filter{Range: query.Range{From: minute(1)}}}, []int64{2}},
			{"of a path, by type", query.VersionQuery{Path: "/a", Filter: query.Filter{Types: []query.ChangeType{query.Created}}}, []int64{1}},
			{"of a path that the pattern leaves out", query.VersionQuery{Path: "/a", Filter: query.Filter{Glob: glob}}, nil},
		} {
			for _, limit := range []int{1, 2, 50} {
				t.Run(fmt.Sprint(tc.name, ", pages of ", limit, ", packed ", packed), func(t *testing.T) {
					var got []int64
					q := tc.q
					for q.Limit = limit; ; {
						page, err := s.Versions(t.Context(), q)
						if err != nil {
							t.Fatal(err)
						}
						for _, v := range page.Items {
							got = append(got, v.ID)
						}
						if q.Before = page.Next; !page.More {
							break
						}
					}
					if diff := cmp.Diff(tc.want, got); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}

func TestVersionAt(t *testing.T) {
	s, db := fresh(t)
	edits(t, db)
	minute := func(n int) time.Time { return time.Date(2024, 3, 5, 12, n, 0, 0, time.Local) }
	for _, tc := range []struct {
		path string
		at   time.Time
		want int64
	}{{"/a", minute(0), 1}, {"/a", minute(3), 2}, {"/a", minute(4), 1}, {"/a", minute(-1), 0}, {"/b.md", minute(4), 3}, {"/b.md", minute(5), 0}, {"/c/d.md", minute(9), 4}} {
		if got, err := s.VersionAt(t.Context(), tc.path, tc.at); got != tc.want || err != nil {
			t.Errorf("%s at %v was %d, %v, want %d", tc.path, tc.at, got, err, tc.want)
		}
	}
	if _, err := s.VersionAt(t.Context(), "/c", minute(9)); err == nil {
		t.Error("a folder was a version")
	}
}

// Steps that made no version cost a bounded part of a page, and pages go on behind them.
func TestVersionsOfStepsWithout(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, "PRAGMA synchronous = OFF")
	edits(t, db)
	exec(t, db, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO content_diffs (file_path, change_type, timestamp) SELECT '/d/' || i, 'deleted', 1700000000 + i FROM n`, maxSteps+2*stepsAtOnce)
	for first := int64(1); first < maxSteps; first += stepsAtOnce {
		pack(t, db, first, first+stepsAtOnce-1)
	}
	q := query.VersionQuery{Filter: query.Filter{Prefix: "/"}, Limit: 1}
	page, err := s.Versions(t.Context(), q)
	if err != nil || len(page.Items) != 0 || !page.More || page.Next == 0 {
		t.Fatalf("the first page is %+v, %v: want none yet, and a next page", page, err)
	}
	q.Before = page.Next
	if page, err = s.Versions(t.Context(), q); err != nil || len(page.Items) != 1 || page.Items[0].ID != 1 || !page.More {
		t.Errorf("the second page is %+v, %v: want version 1, and a next page", page, err)
	}
}
