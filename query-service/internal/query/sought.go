package query

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mode says how a search text is read.
type Mode int

// The modes.
const (
	Plain     Mode = iota // words, as a person types them: every text is valid
	Advanced              // words, phrases and operators: see parseAdvanced
	Substring             // one text, anywhere
)

// Sought is a search text as it was understood.
//
// The index knows words alone: runs of letters and digits, without case and
// accents (case 56). What it cannot tell is read out of the contents: a text
// anywhere, and words of scripts without spaces, of which the index knows only
// whole runs (case 54). There, newest comes first: relevance is the index's.
type Sought struct {
	// Match is the FTS5 expression that every file found satisfies; empty: the
	// index says nothing.
	Match string
	// InPath is the expression for a word of it in the path; empty: none counts
	// there.
	InPath string

	terms   []term   // to highlight
	inside  []term   // of these, what the index cannot tell: all must be found
	literal *literal // Substring: instead of terms
}

// Parse reads a search text. It returns ErrTooLong for more than 1,000 characters,
// and a SyntaxError for a mistake in Advanced.
func Parse(mode Mode, text string) (Sought, error) {
	if utf8.RuneCountInString(text) > MaxText {
		return Sought{}, ErrTooLong
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	switch mode {
	case Advanced:
		return parseAdvanced(text)
	case Substring:
		if text == "" {
			return Sought{}, nil
		}
		return Sought{literal: newLiteral(text, true)}, nil
	}
	return parsePlain(text), nil
}

// Empty reports whether nothing is sought, so that nothing is found.
func (s Sought) Empty() bool { return len(s.terms) == 0 && s.literal == nil }

// Indexed reports whether the index alone says which files are found.
func (s Sought) Indexed() bool { return s.literal == nil && len(s.inside) == 0 }

// In reports whether a file has what the index cannot tell; false where ctx ends first.
func (s Sought) In(ctx context.Context, path, content string) bool {
	if s.literal != nil {
		return s.literal.in(content) || s.literal.in(path)
	}
	left := pointers(s.inside)
	for _, t := range left {
		if !strings.Contains(content, t.piece) && !strings.Contains(path, t.piece) {
			return false
		}
	}
	left = missing(ctx, content, left)
	return len(left) == 0 || len(missing(ctx, path, left)) == 0
}

// cost returns what it costs to look into a content, in bytes that are read for one
// term.
func (s Sought) cost(content string) int { return len(content) * (1 + len(s.inside)/termsAtOnce) }

// termsAtOnce is how many terms are looked for in a text while its words are read.
const termsAtOnce = 16

func pointers(terms []term) []*term {
	all := make([]*term, len(terms))
	for i := range terms {
		all[i] = &terms[i]
	}
	return all
}

// parsePlain takes what stands between blanks for a word, and of a word its runs
// of letters and digits, next to each other: C++ is c, x-y is x before y. A word
// without any, such as ---, counts for nothing (cases 52 and 53).
func parsePlain(text string) Sought {
	var s Sought
	seen := map[string]bool{}
	for _, word := range strings.FieldsFunc(text, isBlank) {
		t, ok := newTerm(word)
		key := fmt.Sprintf("%q", t.words)
		if !ok || seen[key] {
			continue
		}
		seen[key] = true
		t.openStart, t.openEnd = startsInside(t.raw[0]), endsInside(t.raw[len(t.raw)-1])
		s.terms = append(s.terms, t)
		if t.openStart || t.openEnd {
			s.inside = append(s.inside, t)
		}
	}
	var match, paths []string
	for _, t := range s.terms {
		if t.openStart || t.openEnd {
			continue
		}
		match, paths = append(match, t.match()), append(paths, t.at(inPath).match())
	}
	s.Match, s.InPath = strings.Join(match, " AND "), strings.Join(paths, " OR ")
	return s
}

// isBlank also splits at NUL, where FTS5 would end the expression (case 52).
func isBlank(r rune) bool { return r == 0 || unicode.IsSpace(r) }

// spaceless are the scripts that are written without spaces between words.
var spaceless = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

// prolonged is the sound mark that both kana use.
const prolonged = 'ー'

func isSpaceless(r rune) bool { return r >= 0xE00 && (unicode.In(r, spaceless...) || r == prolonged) }

func startsInside(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return isSpaceless(r)
}

func endsInside(word string) bool {
	r, _ := utf8.DecodeLastRuneInString(word)
	return isSpaceless(r)
}
