package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// literal is a text that is sought as it is, perhaps without regard to case.
type literal struct {
	text   string
	folded []rune    // nil: case counts
	first  [256]bool // the bytes with which a match can begin
	second [256]bool // the bytes that can follow, where the first is ASCII
}

// newLiteral makes a literal of a text that is not empty and valid UTF-8.
func newLiteral(text string, ignoreCase bool) *literal {
	l := &literal{text: text}
	if !ignoreCase {
		return l
	}
	for _, r := range text {
		l.folded = append(l.folded, foldCase(r))
	}
	l.first = firstBytes(l.folded[0])
	if len(l.folded) > 1 {
		l.second = firstBytes(l.folded[1])
	} else {
		for i := range l.second {
			l.second[i] = true
		}
	}
	return l
}

// firstBytes returns the bytes with which the letters begin that differ from r by
// case alone.
func firstBytes(r rune) (bytes [256]bool) {
	for next := r; ; {
		bytes[string(next)[0]] = true
		if next = unicode.SimpleFold(next); next == r {
			return bytes
		}
	}
}

// foldCase returns what all letters that differ by case alone have in common, as
// strings.EqualFold sees them.
func foldCase(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if least < utf8.RuneSelf {
		return foldCase(least)
	}
	return least
}

// each calls visit for every place of a text where the literal stands, one behind
// the other, until it returns false. The text must be valid UTF-8.
func (l *literal) each(text string, visit func(span) bool) {
	for at := 0; ; {
		found, ok := l.next(text, at)
		if !ok || !visit(found) {
			return
		}
		at = found.end
	}
}

// next returns the first place at or behind a byte of the text.
func (l *literal) next(text string, at int) (span, bool) {
	if l.folded == nil {
		i := strings.Index(text[at:], l.text)
		return span{at + i, at + i + len(l.text)}, i >= 0
	}
	for ; at < len(text); at++ {
		if b := text[at]; !l.first[b] || b < utf8.RuneSelf && at+1 < len(text) && !l.second[text[at+1]] {
			continue
		}
		if end, ok := l.match(text, at); ok {
			return span{at, end}, true
		}
	}
	return span{}, false
}

// match reports whether the literal stands at a byte of the text, and where it
// ends.
func (l *literal) match(text string, at int) (int, bool) {
	for _, want := range l.folded {
		r, size := rune(0), 1
		if at < len(text) && text[at] < utf8.RuneSelf {
			r = rune(text[at])
		} else if r, size = utf8.DecodeRuneInString(text[at:]); size == 0 {
			return 0, false
		}
		if foldCase(r) != want {
			return 0, false
		}
		at += size
	}
	return at, true
}

func (l *literal) in(text string) bool {
	_, ok := l.next(text, 0)
	return ok
}

func (l *literal) count(text string) int64 {
	if l.folded == nil {
		return int64(strings.Count(text, l.text))
	}
	var n int64
	l.each(text, func(span) bool {
		n++
		return true
	})
	return n
}
