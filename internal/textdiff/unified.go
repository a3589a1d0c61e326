// Package textdiff makes the unified diff of two texts: what the content-tracker
// stores of a step, and what the query-service computes between any two versions.
//
// The same input gives the same diff, whatever the machine is busy with: work is
// bounded by counts, never by time. Lines end with LF; a text need not be UTF-8.
package textdiff

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Diff is the difference between two contents.
type Diff struct {
	Text           string // unified, empty where nothing differs
	Added, Removed int64  // lines, by the edit script
	Truncated      bool   // Text is left out for size
}

// Valid returns the text as UTF-8, with U+FFFD for what is none: as it is shown.
func Valid(text string) string {
	if utf8.ValidString(text) { // nearly always, and ten times as fast as ToValidUTF8
		return text
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// Names are the names in a diff's header; empty for /dev/null.
type Names struct{ Old, New string }

// ContextLines is how many unchanged lines stand around each change where nobody
// says otherwise.
const ContextLines = 3

// Unified returns the line-level unified diff from a to b, as `patch` and `git
// apply` read it. Equal inputs give an empty Diff. Its counts come from the edit
// script, so content that looks like diff syntax does not mislead them (tracker
// case 26). A text longer than limit bytes is left out.
func Unified(names Names, a, b []byte, context, limit int) Diff {
	if bytes.Equal(a, b) {
		return Diff{}
	}
	a, b, before := differing(a, b, context)
	la, lb := splitLines(a), splitLines(b)
	stay := staying(la, lb)
	w := &writer{a: la, b: lb, before: before, limit: limit}
	w.text.WriteString(header(names))
	if whole := len(a) + len(b) + la.len() + lb.len() + 64; la.len() == 0 || lb.len() == 0 {
		w.text.Grow(min(whole, limit))
	}
	for _, h := range hunks(stay, lb.len(), context) {
		w.hunk(h, stay)
	}
	d := Diff{Text: w.text.String(), Added: w.added, Removed: w.removed}
	if w.over {
		d.Text, d.Truncated = tooLarge(names), true
	}
	return d
}

// Opaque returns the diff of contents that are not compared line by line.
func Opaque(names Names, sentence string) Diff {
	from, to := quoteName("a/", names.Old), quoteName("b/", names.New)
	return Diff{Text: sentence + " " + strings.TrimSuffix(from, "\t") + " and " + strings.TrimSuffix(to, "\t") + " differ\n"}
}

func tooLarge(names Names) string {
	return header(names) + "# the diff is left out for its size; the two versions are stored\n"
}

func header(names Names) string {
	return "--- " + quoteName("a/", names.Old) + "\n+++ " + quoteName("b/", names.New) + "\n"
}

// quoteName writes a name as git does: in C quotes where it holds what a header
// line cannot (case 31).
func quoteName(prefix, name string) string {
	if name == "" {
		return "/dev/null"
	}
	name = prefix + name
	plain := !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '"' || r == '\\' || r > '~' })
	if plain {
		if strings.Contains(name, " ") {
			return name + "\t" // patch ends the name at a tab, not at a blank
		}
		return name
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(name) {
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// hunk is a part of both sides that is shown together.
type hunk struct{ a, b span }

// hunks returns the changed places with their context, joined where they touch.
func hunks(stay []int32, lenB, context int) []hunk {
	var all []hunk
	for i, j := 0, 0; i < len(stay) || j < lenB; {
		if i < len(stay) && int(stay[i]) == j {
			i, j = i+1, j+1
			continue
		}
		change := hunk{span{i, i}, span{j, j}}
		for i < len(stay) && stay[i] < 0 {
			i++
		}
		if i < len(stay) {
			j = int(stay[i])
		} else {
			j = lenB
		}
		change.a.hi, change.b.hi = i, j
		if n := len(all); n > 0 && change.a.lo-all[n-1].a.hi <= 2*context {
			all[n-1].a.hi, all[n-1].b.hi = i, j
		} else {
			all = append(all, change)
		}
	}
	for n := range all {
		h := &all[n]
		before := min(context, h.a.lo)
		after := min(context, len(stay)-h.a.hi)
		h.a.lo, h.b.lo = h.a.lo-before, h.b.lo-before
		h.a.hi, h.b.hi = h.a.hi+after, h.b.hi+after
	}
	return all
}

// writer writes hunks and counts what they change.
type writer struct {
	a, b           lines
	before         int // lines of both sides that come before these
	limit          int // of text, in bytes
	over           bool
	text           strings.Builder
	added, removed int64
}

func (w *writer) hunk(h hunk, stay []int32) {
	fmt.Fprintf(&w.text, "@@ -%s +%s @@\n", w.lineRange(h.a), w.lineRange(h.b))
	i, j := h.a.lo, h.b.lo
	for i < h.a.hi || j < h.b.hi {
		for i < h.a.hi && stay[i] < 0 {
			w.line('-', w.a.at(i))
			w.removed++
			i++
		}
		next := h.b.hi
		if i < h.a.hi {
			next = int(stay[i])
		}
		for ; j < next; j++ {
			w.line('+', w.b.at(j))
			w.added++
		}
		if i < h.a.hi {
			w.line(' ', w.a.at(i))
			i, j = i+1, j+1
		}
	}
}

// lineRange writes a range as diff does: from line 1, without a count of one, and
// an empty range by the line before it.
func (w *writer) lineRange(s span) string {
	switch s.len() {
	case 0:
		return fmt.Sprintf("%d,0", w.before+s.lo)
	case 1:
		return fmt.Sprint(w.before + s.lo + 1)
	default:
		return fmt.Sprintf("%d,%d", w.before+s.lo+1, s.len())
	}
}

// line writes a line, unless the text would be over the limit with it.
func (w *writer) line(sign byte, line []byte) {
	if w.over = w.over || w.text.Len()+len(line)+1 > w.limit; w.over {
		return
	}
	w.text.WriteByte(sign)
	w.text.Write(line)
	if line[len(line)-1] != '\n' {
		w.text.WriteString("\n\\ No newline at end of file\n")
	}
}
