package query

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseWords(t *testing.T) {
	for _, tc := range []struct{ name, text, match string }{
		{"plain", "buy milk", `"buy" "milk"`},
		{"a word twice", "milk milk", `"milk"`},
		{"case 52: nothing", "", ""},
		{"case 52: blanks", " \t\n\u3000", ""},
		{"case 52: a quote", `"`, ""},
		{"case 52: quotes around words", `"buy milk"`, `"""buy" "milk"""`},
		{"case 52: operators", "foo AND (NOT bar* OR", `"foo" "AND" "(NOT" "bar*" "OR"`},
		{"case 52: punctuation", "foo.bar it's a/b C++ x=1 x-y a:b *", `"foo.bar" "it's" "a/b" "C++" "x=1" "x-y" "a:b"`},
		{"case 52: NUL", "a\x00b", `"a" "b"`},
		{"case 53: no token", "--- -> foo", `"foo"`},
		{"case 56: emoji", "🎉 party", `"party"`},
		{"not UTF-8", "caf\xe9 \xff", "\"caf\xe9\""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			words, err := ParseWords(tc.text)
			if diff := cmp.Diff(tc.match, words.Match()); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestParseWordsLimit(t *testing.T) {
	if _, err := ParseWords(strings.Repeat("é", 1000)); err != nil {
		t.Errorf("1,000 characters: %v", err)
	}
	if _, err := ParseWords(strings.Repeat("é", 1001)); !errors.Is(err, ErrTooLong) {
		t.Errorf("1,001 characters: %v", err)
	}
}
