package store

import (
	"testing"
	"time"

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
