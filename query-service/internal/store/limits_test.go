package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

// A page that its bytes end loses no path: the next one goes on behind it (case 51).
func TestHistoryPagesByBytes(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, "PRAGMA synchronous = OFF")
	long := strings.Repeat("/long", 800)
	const n = query.MaxResults
	for i := range n {
		file := fmt.Sprintf("/%03d%s", i, long)
		exec(t, db, "INSERT INTO file_versions (file_path, content_hash, content, timestamp) VALUES (?, ?, 'needle', 1)", file, sqlitetest.Hash(file))
	}
	q := query.HistoryQuery{Text: "needle", Limit: n}
	first, err := query.SearchHistory(t.Context(), s, q)
	if err != nil || len(first.Matches) == n || first.Next == "" {
		t.Fatalf("of %d paths of %d bytes a page has %d, %v", n, len(long), len(first.Matches), err)
	}
	if got := len(history(t, s, q)); got != n {
		t.Errorf("on all pages are %d of %d paths", got, n)
	}
}

// The same of results with many long lines.
func TestSearchPagesByBytes(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, "PRAGMA synchronous = OFF")
	const n = 30
	for i := range n {
		record(t, db, fmt.Sprint("/", i), strings.Repeat(strings.Repeat("x ", 600)+"\n", query.MaxLines)+fmt.Sprint(i))
	}
	for _, mode := range []query.Mode{query.Plain, query.Substring} {
		sought, err := query.Parse(mode, "x")
		if err != nil {
			t.Fatal(err)
		}
		q := query.SearchQuery{Sought: sought, Lines: query.MaxLines, Limit: query.MaxResults}
		found := 0
		for {
			page, err := query.Search(t.Context(), s, q)
			if err != nil {
				t.Fatal(err)
			}
			size := 0
			for i, r := range page.Items {
				if size > query.PageBytes {
					t.Fatalf("before result %d of a page are %d bytes", i, size)
				}
				size += r.Size()
			}
			if found += len(page.Items); page.Next == nil {
				break
			}
			q.From = *page.Next
		}
		if found != n {
			t.Errorf("on all pages are %d of %d results", found, n)
		}
	}
}
