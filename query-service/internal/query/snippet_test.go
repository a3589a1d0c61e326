package query

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func parse(t testing.TB, mode Mode, text string) Sought {
	t.Helper()
	sought, err := Parse(mode, text)
	if err != nil {
		t.Fatalf("parse %q: %v", text, err)
	}
	return sought
}

// marked puts highlights into their text.
func marked(s Snippet) string {
	var b strings.Builder
	at := 0
	for _, h := range s.Highlights {
		fmt.Fprintf(&b, "%s[%s]", s.Text[at:h.Start], s.Text[h.Start:h.End])
		at = h.End
	}
	return b.String() + s.Text[at:]
}

func TestHighlights(t *testing.T) {
	for _, tc := range []struct {
		name, query, text, want string
		mode                    Mode
	}{
		{"words", "milk bread", "Milk, bread, milkman", "[Milk], [bread], milkman", Plain},
		{"parts next to each other", "x-y", "x y, y x, X/Y", "[x y], y x, [X/Y]", Plain},
		{"case 56: accents", "cafe", "un café, CAFÉ, cafe\u0301s", "un [café], [CAFÉ], cafe\u0301s", Plain},
		{"case 56: a decomposed accent", "café", "cafe\u0301!", "[cafe\u0301]!", Plain},
		{"case 54: inside a run", "検索", "全文検索と検索、検", "全文[検索]と[検索]、検", Plain},
		{"case 54: one character", "検", "全文検索検", "全文[検]索[検]", Plain},
		{"case 54: two runs", "検索、文", "全文検索、文字、索、文", "全文[検索、文]字、索、文", Plain},
		{"case 54: a script with spaces beside one without", "go検", "go検索 mango検索 go検", "[go検]索 mango検索 [go検]", Plain},
		{"case 54: Thai", "ครับ", "สวัสดีครับผม", "สวัสดี[ครับ]ผม", Plain},
		{"a phrase", `"buy milk"`, "buy milk, buy no milk", "[buy milk], buy no milk", Advanced},
		{"phrases that overlap", `"a b" "b c"`, "a b c", "[a b c]", Advanced},
		{"a prefix", "mil*", "milk smile Mild", "[milk] smile [Mild]", Advanced},
		{"a phrase with a prefix", `"buy mil"*`, "buy milk mild", "[buy milk] mild", Advanced},
		{"what is left out is not shown", "milk NOT bread", "milk bread", "[milk] bread", Advanced},
		{"only in the path", "path:milk bread", "milk bread", "milk [bread]", Advanced},
		{"part of a word", "ILK", "milk silk", "m[ilk] s[ilk]", Substring},
		{"every other character counts", "c++", "C+ C++ C+++", "C+ [C++] [C++]+", Substring},
		{"case 56: accents count", "cafe", "café cafe", "café [cafe]", Substring},
		{"case 56: emoji", "🎉", "a🎉b🎉🎉", "a[🎉]b[🎉][🎉]", Substring},
		{"letters of other lengths", "straſſe k", "STRASSE K strasse \u212A", "[STRASSE K] [strasse \u212A]", Substring},
		{"what may begin twice", "aab", "aaab", "a[aab]", Substring},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sought := parse(t, tc.mode, tc.query)
			if got := marked(sought.Show(t.Context(), "/", tc.text, 3, 0).Snippet); got != tc.want {
				t.Errorf("%q in %q is %s, want %s", tc.query, tc.text, got, tc.want)
			}
		})
	}
}

func TestHighlightsOfPath(t *testing.T) {
	for query, want := range map[string]string{"milk": "/[milk]/b.md", "path:b content:milk": "/milk/[b].md"} {
		path := "/milk/b.md"
		if got := marked(Snippet{path, parse(t, Advanced, query).Show(t.Context(), path, "milk", 3, 0).Path}); got != want {
			t.Errorf("%s in %s is %s, want %s", query, path, got, want)
		}
	}
}

func TestSnippet(t *testing.T) {
	long := strings.Repeat("é", 500)
	for _, tc := range []struct{ name, text, want string }{
		{"no match", "some text", ""},
		{"far in a long text", long + " hit " + long, strings.Repeat("é", 29) + " [hit] " + strings.Repeat("é", 68)},
		{"at the end of a long text", long + " hit", strings.Repeat("é", 98) + " [hit]"},
		{"a second match far away", "hit " + long + " hit", "[hit] " + strings.Repeat("é", 98)},
		{"case 57: markup stays as it is", "<b>hit</b>", "<b>[hit]</b>"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := parse(t, Plain, "hit").Show(t.Context(), "/", tc.text, 3, 0).Snippet
			if got := marked(s); got != tc.want || len(s.Text) > snippetBytes {
				t.Errorf("snippet of %d bytes is %s, want %s", len(s.Text), got, tc.want)
			}
		})
	}
}

func TestLines(t *testing.T) {
	const text = "one\ntwo hit\nthree\nfour\nfive hit hit\nsix hit\nseven\neight\nnine\nten hit\n"
	for _, tc := range []struct {
		name, query   string
		lines, around int
		want          []string
	}{
		{"alone", "hit", 2, 0, []string{"2 two [hit]", "5 five [hit] [hit]"}},
		{"with lines around, each once", "hit", 3, 1, []string{"1 one", "2 two [hit]", "3 three", "4 four", "5 five [hit] [hit]", "6 six [hit]", "7 seven"}},
		{"around the last", "hit", 20, 2, []string{"1 one", "2 two [hit]", "3 three", "4 four", "5 five [hit] [hit]", "6 six [hit]", "7 seven", "8 eight", "9 nine", "10 ten [hit]"}},
		{"a phrase over the end of a line", `"hit three"`, 3, 1, []string{"1 one", "2 two [hit]", "3 [three]", "4 four"}},
		{"the first line", "one", 3, 1, []string{"1 [one]", "2 two hit"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, l := range parse(t, Advanced, tc.query).Show(t.Context(), "/", text, tc.lines, tc.around).Lines {
				got = append(got, fmt.Sprint(l.Number, " ", marked(l.Snippet)))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLongLine(t *testing.T) {
	long := strings.Repeat("é ", 2000)
	lines := parse(t, Plain, "hit").Show(t.Context(), "/", long+"\n"+long+"hit "+long+"hit\nhit", 3, 1).Lines
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%d %d %v %d", l.Number, len(l.Text), l.Truncated, len(l.Highlights)))
	}
	if diff := cmp.Diff([]string{"1 999 true 0", "2 1000 true 1", "3 3 false 1"}, got); diff != "" {
		t.Errorf("number, length, whether cut, matches (-want +got):\n%s", diff)
	}
	many := parse(t, Substring, "é").Show(t.Context(), "/", long, 20, 0)
	if n := len(many.Lines[0].Highlights); n != 333 {
		t.Errorf("a line that is cut has %d highlights", n)
	}
}

func FuzzShow(f *testing.F) {
	f.Add("a b", 0, "x a b", 1)
	f.Add("検", 0, "全文検索\n検", 2)
	f.Add(`"a b"*`, 1, "a\nb", 3)
	f.Add("ſ", 2, "S\u017fK", 3)
	f.Fuzz(func(t *testing.T, query string, mode int, text string, repeat int) {
		sought, err := Parse(Mode(mode&3), query)
		if err != nil {
			return
		}
		text = strings.Repeat(strings.ToValidUTF8(text, "\uFFFD"), min(max(repeat, 1), 50))
		shown := sought.Show(t.Context(), text, text, 3, 1)
		parts := []Snippet{shown.Snippet, {text, shown.Path}}
		for _, l := range shown.Lines {
			parts = append(parts, l.Snippet)
			if strings.Contains(l.Text, "\n") || len(l.Text) > lineBytes {
				t.Errorf("line %d is %q", l.Number, l.Text)
			}
		}
		for _, s := range parts {
			at := 0
			for _, h := range s.Highlights {
				if h.Start < at || h.Start >= h.End || h.End > len(s.Text) || !utf8.ValidString(s.Text[h.Start:h.End]) {
					t.Fatalf("%q: highlight %v after %d of %q", query, h, at, s.Text)
				}
				at = h.End
			}
			if !utf8.ValidString(s.Text) {
				t.Fatalf("text is %q", s.Text)
			}
		}
	})
}
