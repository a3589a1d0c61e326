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
	again  []int     // of each beginning of folded: how many of its last letters begin it, too
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
	l.again = make([]int, len(l.folded))
	for i := 1; i < len(l.folded); i++ {
		l.again[i] = l.after(l.again[i-1], l.folded[i])
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
	have := 0 // letters of it that stand before at
	for at < len(text) {
		if b := text[at]; have == 0 && (!l.first[b] || b < utf8.RuneSelf && at+1 < len(text) && !l.second[text[at+1]]) {
			at++
			continue
		}
		r, size := rune(text[at]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[at:])
		}
		at += size
		if have = l.after(have, foldCase(r)); have == len(l.folded) {
			return span{at - tailBytes(text[:at], have), at}, true
		}
	}
	return span{}, false
}

// after returns how many of its letters stand behind another one, where have of them
// stood before it. So no letter of a text is looked at twice (Knuth, Morris and Pratt).
func (l *literal) after(have int, r rune) int {
	for have > 0 && l.folded[have] != r {
		have = l.again[have-1]
	}
	if l.folded[have] == r {
		have++
	}
	return have
}

// tailBytes returns the length of the last n letters of a text.
func tailBytes(text string, n int) int {
	all := len(text)
	for range n {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return all - len(text)
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
