package query

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxQuery = 1000 // characters

// Words is what a person looks for: all of it must occur.
//
// A word is what stands between blanks. The index knows runs of letters and
// digits only, so a word such as C++, a/b or it's stands for its runs, next to
// each other, and a word without any, such as ---, for nothing. Case and accents
// do not count (case 56). Absent: parts of words, and so also words of a text
// without blanks, such as Chinese or Japanese, of which the index knows only
// whole runs (case 54).
type Words []string

// ParseWords reads words as a person types them. Every text is valid (cases 52
// and 53); only one of more than 1,000 characters is refused, with ErrTooLong.
func ParseWords(text string) (Words, error) {
	if utf8.RuneCountInString(text) > maxQuery {
		return nil, ErrTooLong
	}
	var words Words
	for _, word := range strings.FieldsFunc(text, isBlank) {
		if strings.ContainsFunc(word, isToken) && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words, nil
}

// Match returns the FTS5 expression for the words, of which there must be one.
// In quotes nothing is an operator. Phrases are joined by a blank: AND would find
// nothing where FTS5 sees no token in a phrase (case 53).
func (w Words) Match() string {
	phrases := make([]string, len(w))
	for i, word := range w {
		phrases[i] = `"` + strings.ReplaceAll(word, `"`, `""`) + `"`
	}
	return strings.Join(phrases, " ")
}

// isBlank also splits at NUL, where FTS5 would end the expression (case 52).
func isBlank(r rune) bool { return r == 0 || unicode.IsSpace(r) }

// isToken reports what the unicode61 tokenizer makes a token of.
func isToken(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.Co) }
