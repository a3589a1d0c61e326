package pathrule

import (
	"strings"
	"unicode/utf8"

	"github.com/gobwas/glob"
)

// matcher is one compiled pattern.
type matcher interface {
	Match(name string) bool
}

// compile gives pattern the meaning that Python's fnmatch.fnmatchcase gives it.
//
// The library matches whatever it can say: characters, `*` and `?`, with its
// own special characters escaped (watcher cases 54 and 55). It cannot say a
// class that mixes ranges and members, an empty range, or a byte that is not
// UTF-8 (cases 57 to 60, 63), and for what is half expressible, such as
// `[ab-d]`, it answers wrongly without an error. So a pattern with any class or
// with such a byte is matched by sequence, below. Neither of them needs to know
// whether the name is valid UTF-8: both take an invalid byte for one character,
// and a literal of valid UTF-8 never matches inside of one.
func compile(pattern string) matcher {
	seq := parsePattern(pattern)
	if text, ok := seq.translate(); ok {
		if compiled, err := glob.Compile(text); err == nil {
			return compiled
		}
	}
	return seq
}

// sequence is a pattern as fnmatch reads it.
type sequence []element

// element matches one character, or any run of them where star is set.
type element struct {
	kind  kind
	char  rune   // of a literal
	class *class // of a bracket expression
}

type kind byte

const (
	literal kind = iota
	single       // ?
	star         // *
	bracket      // [...]
)

func parsePattern(pattern string) sequence {
	chars := decodeAll(pattern)
	var seq sequence
	for i := 0; i < len(chars); i++ {
		switch c := chars[i]; c {
		case '*':
			if n := len(seq); n == 0 || seq[n-1].kind != star {
				seq = append(seq, element{kind: star})
			}
		case '?':
			seq = append(seq, element{kind: single})
		case '[':
			end := classEnd(chars, i+1)
			if end < 0 { // case 56: never closed, so it is itself
				seq = append(seq, element{char: c})
				continue
			}
			seq = append(seq, element{kind: bracket, class: parseClass(chars[i+1 : end])})
			i = end
		default:
			seq = append(seq, element{char: c})
		}
	}
	return seq
}

// classEnd returns the index of the `]` that closes the class whose text begins
// at i, or -1. A `]` right at the beginning is a member (case 57).
func classEnd(chars []rune, i int) int {
	if i < len(chars) && chars[i] == '!' {
		i++
	}
	for j := i + 1; j < len(chars); j++ {
		if chars[j] == ']' {
			return j
		}
	}
	return -1
}

// translate writes the pattern in the library's syntax, where it has one.
func (s sequence) translate() (text string, ok bool) {
	var b strings.Builder
	for _, e := range s {
		switch {
		case e.kind == star:
			b.WriteByte('*')
		case e.kind == single:
			b.WriteByte('?')
		case e.kind == bracket || escaped(e.char):
			return "", false
		default:
			b.WriteString(glob.QuoteMeta(string(e.char)))
		}
	}
	return b.String(), true
}

// Match reports whether the whole of name matches. When a character does not
// fit, only the last star takes one more: what an earlier star could take
// instead, the last one can too. That bounds the time by len(s) * len(name).
func (s sequence) Match(name string) bool {
	var next, at int // in s and in name
	lastStar, resume := -1, 0
	for at < len(name) {
		if next < len(s) && s[next].kind == star {
			if next == len(s)-1 {
				return true
			}
			lastStar, resume = next, at
			next++
			continue
		}
		c, size := decode(name[at:])
		if next < len(s) && s[next].matches(c) {
			next++
			at += size
			continue
		}
		if lastStar < 0 {
			return false
		}
		_, size = decode(name[resume:])
		resume += size
		next, at = lastStar+1, resume
	}
	return next == len(s) || next == len(s)-1 && s[next].kind == star
}

func (e *element) matches(c rune) bool {
	switch e.kind {
	case literal:
		return e.char == c
	case bracket:
		return e.class.has(c)
	}
	return true
}

// decode returns the first character of s, which is not empty, and its size. A
// byte that is not UTF-8 becomes a lone surrogate, as in Python's os.fsdecode:
// no valid character equals it, and it has its place in the order of ranges.
func decode(s string) (rune, int) {
	c, size := utf8.DecodeRuneInString(s)
	if c == utf8.RuneError && size == 1 {
		c = 0xDC00 + rune(s[0])
	}
	return c, size
}

func decodeAll(s string) []rune {
	chars := make([]rune, 0, len(s))
	for len(s) > 0 {
		c, size := decode(s)
		chars = append(chars, c)
		s = s[size:]
	}
	return chars
}

// escaped reports whether c stands for a byte that is not UTF-8.
func escaped(c rune) bool { return 0xDC80 <= c && c <= 0xDCFF }
