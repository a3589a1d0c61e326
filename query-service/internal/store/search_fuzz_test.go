package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/query-service/internal/query"
)

// manyScripts is a database of short contents in many scripts.
func manyScripts(t testing.TB) *Store {
	t.Helper()
	s, db := fresh(t)
	for i, text := range []string{
		"it's foo.bar: C++ in a/b, x=1 and x-y\nfoo AND bar OR NOT baz*\n", "un café, cafe\u0301, CAFÉ, naïve, Straße ſ ß ẞ\n",
		"Ελληνικά: ΟΔΟΣ οδός, Σίσυφος\n", "Съешь ещё этих мягких булок, ё е\n", "İstanbul ıI iİ\n", "שלום עולם, שָׁלוֹם\n", "السلام عليكم، مَرْحَبًا\n",
		"नमस्ते दुनिया, क्षेत्र\n", "สวัสดีครับ ภาษาไทย\n", "ສະບາຍດີ\n", "សួស្តី\u200bពិភពលោក\n", "မင်္ဂလာပါ\n", "བཀྲ་ཤིས་བདེ་ལེགས\n",
		"全文検索、漢字かな交じり文。カタカナ ｶﾀｶﾅ ー\n", "中文全文检索，没有空格\n", "한국어 검색을 한다\n", "🎉 party 👩‍👩‍👧 👍🏽 ☕️\n",
		"a\x00b\x00c\n", "\ue000 private \uef80, 𝟘𝔸 𐐀𐐨, \U000E0001\n", "\ufeffbom, zero\u200bwidth, soft\u00adhyphen, K\u212a\n",
		"<b onclick=\"x\">&amp;</b>\r\nlf\n\n\n", "a\u0301\u0302\u0303b \u0301x 1\u20dd\n", strings.Repeat("a b ", 100) + "\n" + strings.Repeat("x", 900),
	} {
		record(t, db, fmt.Sprintf("/scripts/%d-caf\u00e9 検.md", i), text)
	}
	record(t, db, "/caf\xe9/\xff\xfe.md", "\U0010FFFD latin\n")
	return s
}

func addTexts(f *testing.F) {
	for _, text := range []string{
		"", " ", `"`, `""`, "(foo", "foo)", "foo AND", "NOT foo", "foo OR", "*", "foo*", "^foo", "foo.bar", "it's", "a/b", "C++", "x=1",
		"x-y", "a:b", "a\x00b", "---", "NEAR(a b)", "{a b}:c", "a + b", "検索", "検", "\xff", "é\u0301", "𝟘", "\U000E0001", "content:x",
		"cafe", "ครับ", "검색", "🎉", "path:(a OR b*) NOT content:c", `"a b"*`, "οδος", "ſ", "\ue000", "0 検", "x\u0301",
	} {
		f.Add(text)
	}
}

// shown checks that what a result shows is valid text whose highlights are in it,
// on characters, and that there is one.
func shown(t *testing.T, text string, r query.Result) {
	t.Helper()
	path := strings.ToValidUTF8(r.Path, "\uFFFD")
	parts := []query.Snippet{r.Snippet, {Text: path, Highlights: r.Shown.Path}}
	for _, l := range r.Lines {
		parts = append(parts, l.Snippet)
	}
	found := 0
	for _, s := range parts {
		for _, h := range s.Highlights {
			if found++; h.Start < 0 || h.Start >= h.End || h.End > len(s.Text) || !utf8.ValidString(s.Text[h.Start:h.End]) {
				t.Fatalf("%q: highlight %v of %q", text, h, s.Text)
			}
		}
		if !utf8.ValidString(s.Text) {
			t.Fatalf("%q shows %q", text, s.Text)
		}
	}
	if found == 0 && utf8.ValidString(r.Path) {
		t.Fatalf("%q found %s and highlights nothing in it", text, path)
	}
}

// FuzzSearch: whatever a person types is answered (cases 52 and 53), and what is
// highlighted is what FTS5 itself would highlight.
func FuzzSearch(f *testing.F) {
	s := manyScripts(f)
	addTexts(f)
	f.Fuzz(func(t *testing.T, text string) {
		for _, mode := range []query.Mode{query.Plain, query.Substring} {
			sought, err := query.Parse(mode, text)
			if errors.Is(err, query.ErrTooLong) {
				return
			}
			if err != nil {
				t.Fatalf("case 52: mode %d: %q: %v", mode, text, err)
			}
			results, err := query.Search(t.Context(), s, query.SearchQuery{Sought: sought, Lines: 20, Around: 1, Limit: 100})
			if err != nil {
				t.Fatalf("case 52: mode %d: %q: %v", mode, text, err)
			}
			for _, r := range results.Items {
				shown(t, text, r)
			}
			if mode == query.Plain && sought.Indexed() && !sought.Empty() {
				agrees(t, s, sought, results.Items)
			}
		}
	})
}

// agrees compares the highlights in the first line with those of FTS5.
func agrees(t *testing.T, s *Store, sought query.Sought, results []query.Result) {
	t.Helper()
	want := map[int64]string{}
	rows, err := s.database.QueryContext(t.Context(), `SELECT rowid, highlight(obby_search, 1, '`+"\U000F0000"+`', '`+"\U000F0001"+`') FROM obby_search WHERE obby_search MATCH ?`, sought.Match)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			t.Fatal(err)
		}
		want[id], _, _ = strings.Cut(valid(text), "\n")
	}
	if err := rows.Err(); err != nil || len(want) != len(results) {
		t.Fatalf("%s: FTS5 finds %d, %v, the search %d", sought.Match, len(want), err, len(results))
	}
	for _, r := range results {
		var got strings.Builder
		at := 0
		for _, l := range r.Lines {
			if l.Number != 1 {
				break
			}
			for _, h := range l.Highlights {
				got.WriteString(l.Text[at:h.Start] + "\U000F0000" + l.Text[h.Start:h.End] + "\U000F0001")
				at = h.End
			}
			got.WriteString(l.Text[at:])
		}
		if strings.Contains(got.String(), "\x00") { // where highlight() leaves out
			continue
		}
		if first := want[r.Version]; strings.Contains(first, "\U000F0001") && first != got.String() {
			t.Fatalf("%s: highlights (-FTS5 +search):\n%s", sought.Match, cmp.Diff(first, got.String()))
		}
	}
}

// FuzzSearchAdvanced: a text is answered, or its mistake has a position inside of
// it.
func FuzzSearchAdvanced(f *testing.F) {
	s := manyScripts(f)
	addTexts(f)
	f.Fuzz(func(t *testing.T, text string) {
		sought, err := query.Parse(query.Advanced, text)
		var mistake *query.SyntaxError
		switch {
		case errors.Is(err, query.ErrTooLong):
			return
		case errors.As(err, &mistake):
			if mistake.Position < 0 || mistake.Position >= utf8.RuneCountInString(text) {
				t.Errorf("case 52: %q has a mistake at %d", text, mistake.Position)
			}
			return
		case err != nil:
			t.Fatalf("case 52: %q: %v", text, err)
		}
		results, err := query.Search(t.Context(), s, query.SearchQuery{Sought: sought, Lines: 20, Around: 1, Limit: 100})
		if err != nil {
			t.Fatalf("case 52: %q as %s: %v", text, sought.Match, err)
		}
		for _, r := range results.Items {
			shown(t, text, r)
		}
	})
}
