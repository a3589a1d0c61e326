package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

func search(t testing.TB, s *Store, text, prefix string, offset, limit int) query.Page[query.Result] {
	t.Helper()
	words, err := query.ParseWords(text)
	if err != nil {
		t.Fatalf("words of %q: %v", text, err)
	}
	page, err := s.Search(t.Context(), query.SearchQuery{Words: words, Prefix: prefix, Offset: offset, Limit: limit})
	if err != nil {
		t.Fatalf("search for %q: %v", text, err)
	}
	return page
}

func paths(page query.Page[query.Result]) []string {
	var paths []string
	for _, r := range page.Items {
		paths = append(paths, r.Path)
	}
	return paths
}

func TestSearch(t *testing.T) {
	s, db := fresh(t)
	record(t, db, "/n/cpp.md", "written in C++ and x-y\n")
	record(t, db, "/n/café.md", "un café, s'il vous plaît\n")
	record(t, db, "/n/cafe\u0301-nfd.md", "decomposed: cafe\u0301\n")
	record(t, db, "/m/cjk.md", "全文検索 works 🎉 party\n")
	record(t, db, "/m/caf\xe9", "latin\n")
	record(t, db, "/n/other.md", "b c d, a b\n")
	for _, tc := range []struct {
		name, text, prefix string
		want               []string
	}{
		{"all words", "written in", "", []string{"/n/cpp.md"}},
		{"a word of the path", "other", "", []string{"/n/other.md"}},
		{"one word in the path, one in the content", "cpp written", "", []string{"/n/cpp.md"}},
		{"a word that is missing", "written missing", "", nil},
		{"part of a word", "writ", "", nil},
		{"case 52: an operator is a word", "and", "", []string{"/n/cpp.md"}},
		{"case 52: a hyphen", "x-y", "", []string{"/n/cpp.md"}},
		{"case 52: the parts stand in order", "y-x", "", nil},
		{"case 52: an apostrophe", "S'IL", "", []string{"/n/café.md"}},
		{"case 52: a column filter is none", "content:written", "", nil},
		{"case 53: punctuation counts for nothing", "C++ ---", "", []string{"/n/cpp.md", "/n/other.md"}},
		{"case 53: only punctuation", "--- ++", "", nil},
		{"case 54: a whole run", "全文検索", "", []string{"/m/cjk.md"}},
		{"case 54: a part of a run is not searched", "検索", "", nil},
		{"case 56: accents do not count", "cafe plait", "", []string{"/n/café.md"}},
		{"case 56: composed finds decomposed", "café decomposed", "", []string{"/n/cafe\u0301-nfd.md"}},
		{"case 56: emoji separate", "🎉party", "", []string{"/m/cjk.md"}},
		{"below a path", "c", "/m", nil},
		{"case 31: a path that is not UTF-8", "latin", "/m/caf\xe9", []string{"/m/caf\xe9"}},
		{"five hundred words", strings.TrimSpace(strings.Repeat("b c a b d ", 50)), "", []string{"/n/other.md"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := paths(search(t, s, tc.text, tc.prefix, 0, 10))
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSearchLive(t *testing.T) {
	s, db := fresh(t)
	old := record(t, db, "/gone", "needle")
	exec(t, db, "UPDATE file_states SET content_hash = NULL WHERE file_path = '/gone'")
	pruned := record(t, db, "/pruned", "needle")
	exec(t, db, "DELETE FROM file_versions WHERE id = ?", pruned)
	record(t, db, "/moved-on", "needle")
	exec(t, db, "UPDATE file_states SET content_hash = ? WHERE file_path = '/moved-on'", sqlitetest.Hash("pin"))
	record(t, db, "/stateless", "needle")
	exec(t, db, "DELETE FROM file_states WHERE file_path = '/stateless'")
	record(t, db, "/live", "hay")
	live := record(t, db, "/live", "needle")
	page := search(t, s, "needle", "", 0, 10)
	if diff := cmp.Diff([]string{"/stateless", "/live"}, paths(page)); diff != "" {
		t.Errorf("case 59: deleted, pruned and outdated rows are left out (-want +got):\n%s", diff)
	}
	if r := page.Items[1]; r.Version != live || !r.Observed.Equal(at(t, sqlitetest.TimeMicros)) || r.Score <= 0 {
		t.Errorf("result is %+v, want version %d", r, live)
	}
	if old >= live {
		t.Fatal("ids do not grow")
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
	got := search(t, s, "budget", "", 0, 10)
	if diff := cmp.Diff("/b/budget.md", got.Items[0].Path); diff != "" {
		t.Errorf("the path weighs more than the content (-want +got):\n%s", diff)
	}
	if got.Items[0].Snippet.Text != "" {
		t.Errorf("a match in the path alone has the snippet %q", got.Items[0].Snippet.Text)
	}
	var paged []string
	for offset, more := 0, true; more; offset++ {
		page := search(t, s, "budget", "", offset, 1)
		paged, more = append(paged, paths(page)...), page.More
	}
	if diff := cmp.Diff(paths(got), paged); diff != "" {
		t.Errorf("page by page (-want +got):\n%s", diff)
	}
}

func TestSearchSnippet(t *testing.T) {
	s, db := fresh(t)
	long := strings.Repeat("lorem ipsum ", 5000)
	record(t, db, "/html", long+"before <script>alert(1)</script> needle & needles, NEEDLE\n"+long)
	record(t, db, "/one-token", strings.Repeat("x", 1<<20)+" pin "+strings.Repeat("y", 1<<20))
	for word, want := range map[string][]string{"needle": {"needle", "NEEDLE"}, "pin": {"pin"}} {
		r := search(t, s, word, "", 0, 10).Items[0]
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
	if _, err := s.Search(t.Context(), query.SearchQuery{Words: query.Words{"milk"}, Limit: 10}); !errors.Is(err, query.ErrNoIndex) {
		t.Errorf("a file without an index gave %v", err)
	}
}

// FuzzSearch: whatever a person types is answered (cases 52 and 53).
func FuzzSearch(f *testing.F) {
	s, db := fresh(f)
	record(f, db, "/a", "it's foo.bar: C++ in a/b, x=1 and x-y\n")
	for _, text := range []string{
		"", " ", `"`, `""`, "(foo", "foo)", "foo AND", "NOT foo", "foo OR", "*", "foo*", "^foo", "foo.bar", "it's", "a/b", "C++", "x=1",
		"x-y", "a:b", "a\x00b", "---", "NEAR(a b)", "{a b}:c", "a + b", "検索", "\xff", "é\u0301", "𝟘", "\U000E0001", "content:x",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := query.ParseWords(text)
		if err != nil {
			return
		}
		if _, err := s.Search(t.Context(), query.SearchQuery{Words: words, Limit: 10}); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
