package query

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParsePlain(t *testing.T) {
	for _, tc := range []struct{ name, text, match string }{
		{"plain", "buy milk", `"buy" AND "milk"`},
		{"a word twice", "milk Mílk", `"milk"`},
		{"case 52: nothing", "", ""},
		{"case 52: blanks", " \t\n\u3000", ""},
		{"case 52: a quote", `"`, ""},
		{"case 52: quotes around words", `"buy milk"`, `"buy" AND "milk"`},
		{"case 52: operators", "foo AND (NOT bar* OR", `"foo" AND "AND" AND "NOT" AND "bar" AND "OR"`},
		{"case 52: punctuation", "foo.bar it's a/b C++ x=1 x-y a:b *", `"foo bar" AND "it s" AND "a b" AND "C" AND "x 1" AND "x y"`},
		{"case 52: NUL", "a\x00b", `"a" AND "b"`},
		{"case 53: no token", "--- -> foo", `"foo"`},
		{"case 54: a script without spaces is read out of the contents", "検索 Go ไทย", `"Go"`},
		{"case 56: emoji", "🎉 party", `"party"`},
		{"case 56: a combining mark is in its word", "cafe\u0301", "\"cafe\u0301\""},
		{"not UTF-8", "caf\xe9 \xff", `"caf"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sought, err := Parse(Plain, tc.text)
			if diff := cmp.Diff(tc.match, sought.Match); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestParseLimit(t *testing.T) {
	for _, mode := range []Mode{Plain, Advanced, Substring} {
		if _, err := Parse(mode, strings.Repeat("é", 1000)); err != nil {
			t.Errorf("1,000 characters: %v", err)
		}
		if _, err := Parse(mode, strings.Repeat("é", 1001)); !errors.Is(err, ErrTooLong) {
			t.Errorf("1,001 characters: %v", err)
		}
	}
}

func TestParseAdvanced(t *testing.T) {
	for _, tc := range []struct{ text, match string }{
		{"", ""},
		{" \x00 ", ""},
		{"milk", `"milk"`},
		{"milk bread", `("milk" AND "bread")`},
		{"milk AND bread", `("milk" AND "bread")`},
		{"milk and not", `("milk" AND "and" AND "not")`},
		{"milk OR bread eggs", `("milk" OR ("bread" AND "eggs"))`},
		{"milk NOT bread", `("milk" NOT "bread")`},
		{"NOT bread milk", `("milk" NOT "bread")`},
		{"milk AND NOT bread NOT eggs", `("milk" NOT ("bread" OR "eggs"))`},
		{"(milk OR bread) eggs", `(("milk" OR "bread") AND "eggs")`},
		{"((milk))", `"milk"`},
		{"mil*", `"mil" *`},
		{`"buy milk"`, `"buy milk"`},
		{`"buy mil"*`, `"buy mil" *`},
		{`x-y AND*`, `("x y" AND "AND" *)`},
		{"path:milk", `file_path : "milk"`},
		{"path: milk", `file_path : "milk"`},
		{`path:(a OR "b c") content:d*`, `((file_path : "a" OR file_path : "b c") AND content : "d" *)`},
		{"a:b Path:c", `("a b" AND "Path c")`},
		{`milk"bread"(eggs)`, `("milk" AND "bread" AND "eggs")`},
	} {
		t.Run(tc.text, func(t *testing.T) {
			sought, err := Parse(Advanced, tc.text)
			if diff := cmp.Diff(tc.match, sought.Match); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestParseAdvancedInPath(t *testing.T) {
	for text, want := range map[string]string{
		"a b NOT c":             `file_path : "a" OR file_path : "b"`,
		"content:a b":           `file_path : "b"`,
		"content:(a b)":         "",
		"path:a* content:b":     `file_path : "a" *`,
		"a (b OR (c NOT d) e*)": `file_path : "a" OR file_path : "b" OR file_path : "c" OR file_path : "e" *`,
	} {
		if sought, err := Parse(Advanced, text); sought.InPath != want || err != nil {
			t.Errorf("%s in the path is %s, %v, want %s", text, sought.InPath, err, want)
		}
	}
}

func TestParseAdvancedMistakes(t *testing.T) {
	for _, tc := range []struct {
		text     string
		position int
		problem  string
	}{
		{`"`, 0, "without the one that ends the phrase"},
		{`é "milk`, 2, "without the one that ends the phrase"},
		{"(foo", 0, "( without its )"},
		{"foo)", 3, ") without its ("},
		{"()", 0, "missing behind it"},
		{"a ( ) b", 2, "missing behind it"},
		{")", 0, "missing before it"},
		{"foo AND", 4, "AND stands between"},
		{"AND foo", 0, "AND stands between"},
		{"foo AND OR bar", 4, "AND stands between"},
		{"foo OR", 4, "OR stands between"},
		{"OR", 0, "missing before it"},
		{"(a OR) b", 3, "OR stands between"},
		{"NOT foo", 0, "milk NOT bread"},
		{"a OR NOT foo", 5, "milk NOT bread"},
		{"foo NOT", 4, "NOT stands before"},
		{"foo NOT NOT bar", 4, "NOT stands before"},
		{"*", 0, "without a letter or a digit"},
		{"a*b", 1, "a * stands behind"},
		{"ab**", 2, "a * stands behind"},
		{"milk ---", 5, "without a letter or a digit"},
		{`milk ""`, 5, "without a letter or a digit"},
		{"path:", 0, "stand before a word"},
		{"a path:NOT b", 2, "stand before a word"},
		{"path:content:a", 0, "stand before a word"},
		{"path:(a content:b)", 8, "inside of each other"},
		{strings.Repeat("(", 17) + "a" + strings.Repeat(")", 17), 16, "more than 16 parentheses"},
	} {
		t.Run("case 52: "+tc.text, func(t *testing.T) {
			_, err := Parse(Advanced, tc.text)
			var mistake *SyntaxError
			if !errors.As(err, &mistake) || mistake.Position != tc.position || !strings.Contains(mistake.Problem, tc.problem) {
				t.Errorf("got %v, want position %d: …%s…", err, tc.position, tc.problem)
			}
		})
	}
}

// Groups are bounded in depth, not in number.
func TestGroupsSideBySide(t *testing.T) {
	sought, err := Parse(Advanced, strings.Repeat("(milk) ", maxNesting+5))
	if err != nil || sought.Match == "" {
		t.Errorf("%d groups: %q, %v", maxNesting+5, sought.Match, err)
	}
	if _, err := Parse(Advanced, strings.Repeat("(", maxNesting+1)+"milk"+strings.Repeat(")", maxNesting+1)); err == nil {
		t.Error("groups may be nested without end")
	}
}
