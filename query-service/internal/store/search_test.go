package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

// search returns the first page of what is found below a path.
func search(t testing.TB, s *Store, mode query.Mode, text, prefix string) []query.Result {
	t.Helper()
	return searchFor(t, s, mode, text, query.SearchQuery{Files: query.FileFilter{Prefix: prefix}, Limit: 100}).Items
}

func searchFor(t testing.TB, s *Store, mode query.Mode, text string, q query.SearchQuery) query.Results {
	t.Helper()
	var err error
	if q.Sought, err = query.Parse(mode, text); err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	q.Lines = 3
	results, err := query.Search(t.Context(), s, q)
	if err != nil {
		t.Fatalf("search for %q: %v", text, err)
	}
	return results
}

func paths(results []query.Result) []string {
	var paths []string
	for _, r := range results {
		paths = append(paths, r.Path)
	}
	return paths
}

func TestSearch(t *testing.T) {
	s, db := fresh(t)
	const cpp, cafe, nfd, cjk, latin, other = "/n/cpp.md", "/n/café.md", "/n/cafe\u0301-nfd.md", "/m/cjk.md", "/m/caf\xe9", "/n/other_50%.md"
	record(t, db, cpp, "written in C++ and x-y\n")
	record(t, db, cafe, "un café, s'il vous plaît\n")
	record(t, db, nfd, "decomposed: cafe\u0301\n")
	record(t, db, cjk, "全文検索 works 🎉 party\n")
	record(t, db, latin, "latin\n")
	record(t, db, other, "b c d, a b\n")
	for _, tc := range []struct {
		name, text, prefix string
		mode               query.Mode
		want               []string
	}{
		{"all words", "written in", "", query.Plain, []string{cpp}},
		{"a word of the path", "other", "", query.Plain, []string{other}},
		{"one word in the path, one in the content", "cpp written", "", query.Plain, []string{cpp}},
		{"a word that is missing", "written missing", "", query.Plain, nil},
		{"part of a word", "writ", "", query.Plain, nil},
		{"case 52: an operator is a word", "and", "", query.Plain, []string{cpp}},
		{"case 52: a hyphen", "x-y", "", query.Plain, []string{cpp}},
		{"case 52: the parts stand in order", "y-x", "", query.Plain, nil},
		{"case 52: an apostrophe", "S'IL", "", query.Plain, []string{cafe}},
		{"case 52: a column filter is none", "content:written", "", query.Plain, nil},
		{"case 53: punctuation counts for nothing", "C++ ---", "", query.Plain, []string{cpp, other}},
		{"case 53: only punctuation", "--- ++", "", query.Plain, nil},
		{"case 54: a whole run", "全文検索", "", query.Plain, []string{cjk}},
		{"case 54: two characters of a run", "検索", "", query.Plain, []string{cjk}},
		{"case 54: one character of a run", "検", "", query.Plain, []string{cjk}},
		{"case 54: a short one beside a longer one is not dropped", "全文検 語", "", query.Plain, nil},
		{"case 54: beside a word", "party 検索", "", query.Plain, []string{cjk}},
		{"case 54: beside a word that is missing", "missing 検索", "", query.Plain, nil},
		{"case 56: accents do not count", "cafe plait", "", query.Plain, []string{cafe}},
		{"case 56: composed finds decomposed", "café decomposed", "", query.Plain, []string{nfd}},
		{"case 56: emoji separate", "🎉party", "", query.Plain, []string{cjk}},
		{"below a path", "c", "/m", query.Plain, nil},
		{"case 31: a path that is not UTF-8", "latin", latin, query.Plain, []string{latin}},
		{"five hundred words", strings.TrimSpace(strings.Repeat("b c a b d ", 50)), "", query.Plain, []string{other}},
		{"a phrase", `"in c"`, "", query.Advanced, []string{cpp}},
		{"a prefix", "writ*", "", query.Advanced, []string{cpp}},
		{"a prefix of a phrase", `"vous pla"*`, "", query.Advanced, []string{cafe}},
		{"alternatives", "written OR (vous NOT missing)", "", query.Advanced, []string{cpp, cafe}},
		{"what is left out", "cafe NOT decomposed", "", query.Advanced, []string{cafe}},
		{"only in the path", "path:café", "", query.Advanced, []string{nfd, cafe}},
		{"only in the content", "content:café", "", query.Advanced, []string{nfd, cafe}},
		{"a group in the path", "path:(cpp OR other) NOT content:written", "", query.Advanced, []string{other}},
		{"case 52: sixteen groups", strings.Repeat("(written NOT (zz OR (", 5) + "c" + strings.Repeat(") missing))", 5), "", query.Advanced, []string{cpp}},
		{"part of a word", "ritte", "", query.Substring, []string{cpp}},
		{"every character counts", "C++ and X-", "", query.Substring, []string{cpp}},
		{"part of a path", "50%.m", "", query.Substring, []string{other}},
		{"case 58: nothing is a wildcard", "r_50_", "", query.Substring, nil},
		{"case 54: a text of one character", "検", "", query.Substring, []string{cjk}},
		{"case 55: a text of two characters", "検索", "", query.Substring, []string{cjk}},
		{"case 56: an emoji", "🎉", "", query.Substring, []string{cjk}},
		{"case 56: accents count", "cafe ", "", query.Substring, nil},
		{"below a path in a part of a word", "a", "/m", query.Substring, []string{latin, cjk}},
		{"over the end of a line", "y\n", "", query.Substring, []string{cjk, cpp}},
		{"nothing", "", "", query.Substring, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := paths(search(t, s, tc.mode, tc.text, tc.prefix))
			slices.Sort(got)
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Case 55: SQLite's LIKE and GLOB on a trigram index leave out terms of two
// characters. There is none: texts are looked for in the contents.
func TestSearchUsesNoPattern(t *testing.T) {
	for _, mode := range []query.Mode{query.Plain, query.Advanced, query.Substring} {
		sought, err := query.Parse(mode, "検索 a")
		if err != nil {
			t.Fatal(err)
		}
		q := query.FilesQuery{Match: sought.Match, InPath: sought.InPath, Files: query.FileFilter{Prefix: "/a", Pattern: "*", Extensions: []string{"md"}}}
		newest, _, err := newestStatement(q)
		if err != nil {
			t.Fatal(err)
		}
		best, _, err := rankedStatement(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{newest, best} {
			if upper := strings.ToUpper(statement); strings.Contains(upper, "LIKE") || strings.Contains(upper, "GLOB") {
				t.Errorf("case 55: a search runs\n%s", statement)
			}
		}
	}
}

func TestSearchFilters(t *testing.T) {
	s, db := fresh(t)
	for _, path := range []string{"/n/a.md", "/n/b.TXT", "/n/sub/c.md", "/m/d.md", "/m/caf\xe9.md"} {
		record(t, db, path, "needle 針")
	}
	exec(t, db, "UPDATE file_versions SET timestamp = '2024-06-01T00:00:00Z' WHERE file_path GLOB '/m/*'")
	exec(t, db, "UPDATE file_versions SET timestamp = 'unreadable' WHERE file_path = '/n/sub/c.md'")
	june := time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name  string
		files query.FileFilter
		want  []string
	}{
		{"a pattern", query.FileFilter{Pattern: "*/sub/*"}, []string{"/n/sub/c.md"}},
		{"a pattern below a path", query.FileFilter{Prefix: "/n", Pattern: "sub/*"}, []string{"/n/sub/c.md"}},
		{"extensions", query.FileFilter{Extensions: []string{"txt", ".rst"}}, []string{"/n/b.TXT"}},
		{"an extension below a path", query.FileFilter{Prefix: "/m", Extensions: []string{"md"}}, []string{"/m/caf\xe9.md", "/m/d.md"}},
		{"case 43: from a time on", query.FileFilter{Range: query.Range{From: june}}, []string{"/m/caf\xe9.md", "/m/d.md"}},
		{"case 43: before a time", query.FileFilter{Range: query.Range{To: june}}, []string{"/n/a.md", "/n/b.TXT"}},
		{"all of them", query.FileFilter{Prefix: "/m", Pattern: "d*", Extensions: []string{"md"}, Range: query.Range{From: june}}, []string{"/m/d.md"}},
		{"none", query.FileFilter{Pattern: "x*"}, nil},
	} {
		for mode, text := range map[query.Mode]string{query.Plain: "needle", query.Advanced: "needle NOT path:x", query.Substring: "EEDL"} {
			got := paths(searchFor(t, s, mode, text, query.SearchQuery{Files: tc.files, Limit: 10}).Items)
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s, mode %d (-want +got):\n%s", tc.name, mode, diff)
			}
		}
		if got := paths(searchFor(t, s, query.Plain, "needle 針", query.SearchQuery{Files: tc.files, Limit: 10}).Items); len(got) != len(tc.want) {
			t.Errorf("%s: a word that only the contents tell finds %q", tc.name, got)
		}
	}
}

func TestSearchRank(t *testing.T) {
	s, db := fresh(t)
	record(t, db, "/a", "budget budget "+strings.Repeat("word ", 20))
	record(t, db, "/b/budget.md", strings.Repeat("word ", 20))
	record(t, db, "/c", "budget")
	record(t, db, "/d", "budget")
	for i := range 20 { // a word that is everywhere weighs nothing
		record(t, db, fmt.Sprint("/filler/", i), "filler")
	}
	got := search(t, s, query.Plain, "budget", "")
	if diff := cmp.Diff("/b/budget.md", got[0].Path); diff != "" {
		t.Errorf("the path weighs more than the content (-want +got):\n%s", diff)
	}
	if got[0].Snippet.Text != "" || len(got[0].Lines) != 0 || len(got[0].Shown.Path) != 1 {
		t.Errorf("a match in the path alone shows %+v", got[0].Shown)
	}
	for mode, text := range map[query.Mode]string{query.Plain: "budget", query.Substring: "UDGE"} {
		var paged []string
		for q := (query.SearchQuery{Limit: 1}); ; {
			page := searchFor(t, s, mode, text, q)
			if paged = append(paged, paths(page.Items)...); page.Next == nil {
				break
			}
			q.From = *page.Next
		}
		if diff := cmp.Diff(paths(search(t, s, mode, text, "")), paged); diff != "" {
			t.Errorf("mode %d, page by page (-want +got):\n%s", mode, diff)
		}
	}
}

// Of a word that more files have than are ranked, those whose path has it are
// ranked all the same.
func TestSearchCommonWord(t *testing.T) {
	s, db := fresh(t)
	exec(t, db, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
		INSERT INTO file_versions (file_path, content_hash, content, timestamp)
		SELECT iif(i = 1, '/needle', '/' || i), printf('%064d', i), 'needle', 1 FROM n`)
	exec(t, db, "INSERT INTO obby_search (rowid, file_path, content) SELECT id, file_path, content FROM file_versions")
	q := query.SearchQuery{Limit: 100}
	var got []string
	for pages := 0; ; pages++ {
		page := searchFor(t, s, query.Plain, "needle", q)
		got = append(got, paths(page.Items)...)
		if page.Next == nil {
			break
		}
		q.From = *page.Next
	}
	if len(got) != query.MaxDepth || got[0] != "/needle" || got[1] != "/1200" {
		t.Errorf("%d results came, the first are %q", len(got), got[:2])
	}
	q.From = query.SearchCursor{Found: 5, Skip: query.MaxDepth + 5} // of a token that somebody made up
	if page := searchFor(t, s, query.Plain, "needle", q); len(page.Items) != 0 || page.Next != nil {
		t.Errorf("behind the last result come %q", paths(page.Items))
	}
}

func TestSearchPageBytes(t *testing.T) {
	s, db := fresh(t)
	line := strings.Repeat("é", 400) + "\n"
	for i := range 100 {
		record(t, db, fmt.Sprint("/", i), strings.Repeat(strings.Repeat(line, 20)+"hit\n", 20))
	}
	sought, err := query.Parse(query.Plain, "hit")
	if err != nil {
		t.Fatal(err)
	}
	q := query.SearchQuery{Sought: sought, Lines: 20, Around: 10, Limit: 100}
	seen := 0
	for pages := 1; ; pages++ {
		page, err := query.Search(t.Context(), s, q)
		if err != nil || len(page.Items) == 0 {
			t.Fatalf("page %d has %d results, %v", pages, len(page.Items), err)
		}
		size := 0
		for _, r := range page.Items {
			size += r.Size()
		}
		if size > query.PageBytes+1<<19 {
			t.Errorf("case 51: page %d has %d bytes", pages, size)
		}
		if seen += len(page.Items); page.Next == nil {
			break
		}
		q.From = *page.Next
	}
	if seen != 100 {
		t.Errorf("%d results came, want 100", seen)
	}
}

func TestSearchSnippet(t *testing.T) {
	s, db := fresh(t)
	long := strings.Repeat("lorem ipsum ", 5000)
	record(t, db, "/html", long+"before <script>alert(1)</script> needle & needles, NEEDLE\n"+long)
	record(t, db, "/one-token", strings.Repeat("x", 1<<20)+" pin "+strings.Repeat("y", 1<<20))
	for word, want := range map[string][]string{"needle": {"needle", "NEEDLE"}, "pin": {"pin"}} {
		r := search(t, s, query.Plain, word, "")[0]
		var got []string
		for _, h := range r.Snippet.Highlights {
			got = append(got, r.Snippet.Text[h.Start:h.End])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("case 57: highlights of %q (-want +got):\n%s", r.Snippet.Text, diff)
		}
		if len(r.Snippet.Text) > 200 {
			t.Errorf("snippet has %d bytes", len(r.Snippet.Text))
		}
	}
}

func TestSearchWithoutIndex(t *testing.T) {
	s := serve(t, sqlitetest.Legacy(t))
	for _, mode := range []query.Mode{query.Plain, query.Substring} {
		sought, err := query.Parse(mode, "milk")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := query.Search(t.Context(), s, query.SearchQuery{Sought: sought, Lines: 1, Limit: 10}); !errors.Is(err, query.ErrNoIndex) {
			t.Errorf("mode %d: a file without an index gave %v", mode, err)
		}
	}
}
