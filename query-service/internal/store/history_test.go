package store

import (
	"database/sql"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

// change records a step of a path between two versions; 0 is none.
func change(t testing.TB, db *sql.DB, path, kind string, before, after int64) int64 {
	t.Helper()
	return exec(t, db, `INSERT INTO content_diffs (file_path, change_type, old_version_id, new_version_id, timestamp)
		VALUES (?, ?, nullif(?, 0), nullif(?, 0), ?)`, rawpath.Encode(path), kind, before, after, sqlitetest.TimeMicros)
}

// history returns all that is found, a match a line, page by page.
func history(t testing.TB, s *Store, q query.HistoryQuery) (lines []string) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 1
	}
	for {
		page, err := query.SearchHistory(t.Context(), s, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Matches {
			line := fmt.Sprint(m.Path, " ", m.First.ID, "-", m.Last.ID, " present ", m.Present)
			for _, c := range m.Changes {
				line += fmt.Sprintf(", step %d: %d to %d", c.ID, c.Before, c.After)
			}
			lines = append(lines, line)
		}
		if page.Next == "" {
			return lines
		}
		q.After = page.Next
	}
}

func TestSearchHistory(t *testing.T) {
	s, db := fresh(t)
	one, two, three := record(t, db, "/a", "hay\n"), record(t, db, "/a", "needle needle\n"), record(t, db, "/a", "a Needle\nhay\n")
	change(t, db, "/a", "created", 0, one)
	change(t, db, "/a", "modified", one, two)
	change(t, db, "/a", "modified", two, three)
	change(t, db, "/a", "modified", three, two) // case 11: back to a content that it had
	change(t, db, "/a", "deleted", two, 0)
	exec(t, db, "UPDATE file_states SET content_hash = NULL WHERE file_path = '/a'")
	from, to := record(t, db, "/b/from", "needle\n"), record(t, db, "/c/to", "needle\n")
	change(t, db, "/b/from", "created", 0, from)
	move := change(t, db, "/c/to", "moved", from, to)
	exec(t, db, "INSERT INTO obby_diffs (diff_id, old_path) VALUES (?, '/b/from')", move)
	exec(t, db, "UPDATE file_states SET content_hash = NULL WHERE file_path = '/b/from'")
	stepless := record(t, db, "/d/caf\xe9.md", "50% needle_1\n")
	binary := record(t, db, "/e", "x")
	exec(t, db, "UPDATE file_versions SET content = NULL WHERE id = ?", binary)
	a := fmt.Sprintf("/a %d-%d present false, step 2: 0 to 2, step 3: 2 to 0, step 4: 0 to 2, step 5: 2 to 0", two, two)
	b := fmt.Sprintf("/b/from %d-%d present false, step 6: 0 to 1, step 7: 1 to 0", from, from)
	c := fmt.Sprintf("/c/to %d-%d present true, step 7: 0 to 1", to, to)
	d := fmt.Sprintf("/d/caf\xe9.md %d-%d present true", stepless, stepless)
	both := fmt.Sprintf("/a %d-%d present false, step 2: 0 to 2, step 3: 2 to 1, step 4: 1 to 2, step 5: 2 to 0", two, three)
	for _, tc := range []struct {
		name string
		q    query.HistoryQuery
		want []string
	}{
		{"case counts", query.HistoryQuery{Text: "needle"}, []string{a, b, c, d}},
		{"case does not count", query.HistoryQuery{Text: "nEEDLE", IgnoreCase: true}, []string{both, b, c, d}},
		{"all on a page", query.HistoryQuery{Text: "needle", Limit: 100}, []string{a, b, c, d}},
		{"over the end of a line", query.HistoryQuery{Text: "Needle\nhay"}, []string{fmt.Sprintf("/a %d-%d present false, step 3: 0 to 1, step 4: 1 to 0", three, three)}},
		{"case 58: nothing is a wildcard", query.HistoryQuery{Text: "0% needle_"}, []string{d}},
		{"case 58: nor any character", query.HistoryQuery{Text: "n%"}, nil},
		{"of a path", query.HistoryQuery{Text: "needle", Path: "/c/to"}, []string{c}},
		{"below a path", query.HistoryQuery{Text: "needle", Files: query.FileFilter{Prefix: "/b"}}, []string{b}},
		{"below everything", query.HistoryQuery{Text: "needle", Files: query.FileFilter{Prefix: "/"}}, []string{a, b, c, d}},
		{"by a pattern", query.HistoryQuery{Text: "needle", Files: query.FileFilter{Pattern: "*\xe9.md"}}, []string{d}},
		{"nowhere", query.HistoryQuery{Text: "thread"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, history(t, s, tc.q)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What the Python side leaves: steps that do not say what was before.
func TestSearchHistoryUnknownSteps(t *testing.T) {
	s, db := fresh(t)
	one, two := record(t, db, "/a", "needle"), record(t, db, "/a", "needle needle")
	change(t, db, "/a", "created", 0, one)
	change(t, db, "/a", "modified", 0, two)
	change(t, db, "/a", "deleted", 0, 0)
	change(t, db, "/a", "modified", 0, two)
	change(t, db, "/a", "created", 0, one) // a deletion was not recorded
	exec(t, db, "UPDATE file_states SET content_hash = ?", sqlitetest.Hash("needle"))
	want := []string{fmt.Sprintf("/a %d-%d present true, step 1: 0 to 1, step 2: 1 to 2, step 3: 2 to 0, step 4: 0 to 2, step 5: 0 to 1", one, two)}
	if diff := cmp.Diff(want, history(t, s, query.HistoryQuery{Text: "needle"})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Nobody knows whether the text stood in a version that was removed or not kept: it did
// not go and come back. In a binary one it did not stand.
func TestSearchHistoryUnknownVersions(t *testing.T) {
	for kind, want := range map[string]string{
		"removed": "step 1: 0 to 1",
		"omitted": "step 1: 0 to 1",
		"binary":  "step 1: 0 to 1, step 2: 1 to 0, step 3: 0 to 1",
	} {
		t.Run(kind, func(t *testing.T) {
			s, db := fresh(t)
			exec(t, db, "PRAGMA foreign_keys = OFF")
			one, two, three := record(t, db, "/a", "needle 1"), record(t, db, "/a", "needle 2"), record(t, db, "/a", "needle 3")
			change(t, db, "/a", "created", 0, one)
			change(t, db, "/a", "modified", one, two)
			change(t, db, "/a", "modified", two, three)
			if kind == "removed" {
				exec(t, db, "DELETE FROM file_versions WHERE id = ?", two)
			} else {
				exec(t, db, "UPDATE file_versions SET content = NULL WHERE id = ?", two)
				exec(t, db, "INSERT INTO obby_versions VALUES (?, ?, 'lf', 1, 1)", two, kind)
			}
			want := []string{fmt.Sprintf("/a %d-%d present true, %s", one, three, want)}
			if diff := cmp.Diff(want, history(t, s, query.HistoryQuery{Text: "needle"})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A move onto a path with a version of its own: what the step before has left counts, not
// the version that was moved.
func TestSearchHistoryMovedOnto(t *testing.T) {
	s, db := fresh(t)
	from, old, moved := record(t, db, "/b", "needle"), record(t, db, "/a", "needle needle"), record(t, db, "/a", "needle")
	change(t, db, "/a", "created", 0, old)
	change(t, db, "/b", "created", 0, from)
	exec(t, db, "INSERT INTO obby_diffs (diff_id, old_path) VALUES (?, '/b')", change(t, db, "/a", "moved", from, moved))
	want := fmt.Sprintf("/a %d-%d present true, step 1: 0 to 2, step 3: 2 to 1", old, moved)
	if got := history(t, s, query.HistoryQuery{Text: "needle", Path: "/a"}); len(got) != 1 || got[0] != want {
		t.Errorf("history is %v, want %s", got, want)
	}
}

func TestSearchHistoryLimits(t *testing.T) {
	s, db := fresh(t)
	with, without := record(t, db, "/a", "needle"), record(t, db, "/a", "hay")
	change(t, db, "/a", "created", 0, with)
	for range 60 {
		change(t, db, "/a", "modified", with, without)
		change(t, db, "/a", "modified", without, with)
	}
	page, err := query.SearchHistory(t.Context(), s, query.HistoryQuery{Text: "needle", Limit: 10})
	if err != nil || len(page.Matches) != 1 || len(page.Matches[0].Changes) != query.MaxChanges || !page.Matches[0].Truncated {
		t.Errorf("121 changes gave %d, %v", len(page.Matches[0].Changes), err)
	}
	exec(t, db, `WITH n (i) AS (VALUES (0), (1), (2), (3)) INSERT INTO file_versions (file_path, content_hash, content, timestamp)
		SELECT '/large/' || i, printf('%064d', i), hex(zeroblob(24 << 20)), 1 FROM n`)
	exec(t, db, "INSERT INTO obby_indexed (file_path, version_id) SELECT file_path, id FROM file_versions WHERE file_path GLOB '/large/*'")
	page, err = query.SearchHistory(t.Context(), s, query.HistoryQuery{Text: "y", Limit: 10, Files: query.FileFilter{Prefix: "/large"}})
	if err != nil || len(page.Matches) != 0 || page.Next != "/large/2" {
		t.Errorf("of 192 MiB a page read up to %q, %v, want to end after /large/2", page.Next, err)
	}
	got := searchFor(t, s, query.Substring, "y", query.SearchQuery{Limit: 10})
	if len(got.Items) != 0 || got.Next == nil {
		t.Errorf("a page of a search among 192 MiB has %d results and next %v", len(got.Items), got.Next)
	}
}
