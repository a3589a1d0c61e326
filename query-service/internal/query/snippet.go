package query

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	snippetBytes = 200  // length of a snippet
	lineBytes    = 1000 // length of a line
	leadBytes    = 60   // of either before the first match, where it is cut
)

// span is a range of a text's bytes.
type span struct{ start, end int }

// Highlight is a range of bytes of the text that it goes with.
type Highlight struct{ Start, End int }

// Snippet is a part of a text around a match: plain text, nothing is escaped
// (case 57).
type Snippet struct {
	Text       string
	Highlights []Highlight
}

// Line is one line of a content.
type Line struct {
	Snippet
	Number    int64 // from 1
	Truncated bool  // Text is a part of the line
}

// Shown is what a result shows of its file.
type Shown struct {
	Snippet Snippet // empty: the content does not match
	Lines   []Line
	Path    []Highlight
}

// Show returns where the sought text stands in a path and in the first lines of a
// content that have it, with the lines around them. Both must be valid UTF-8.
func (s Sought) Show(ctx context.Context, path, content string, lines, around int) Shown {
	var shown Shown
	for _, found := range s.spans(ctx, path, inPath, len(path)) {
		shown.Path = append(shown.Path, Highlight{found.start, found.end})
	}
	spans := s.spans(ctx, content, inContent, lines)
	if len(spans) == 0 {
		return shown
	}
	shown.Snippet, _ = cut(content, spans, span{0, len(content)}, snippetBytes)
	shown.Lines = matchLines(content, spans, lines, around)
	return shown
}

// spans returns where the sought text stands at a place, in order and without
// overlaps: at least all that a snippet and the first lines, of which there is one,
// need.
func (s Sought) spans(ctx context.Context, text string, at place, lines int) []span {
	var found []span
	first, behind := 0, 0 // the first match of the last line that has one, and where that line ends
	add := func(next span) bool {
		switch {
		case next.start >= behind:
			if lines == 0 && next.start > found[0].start+snippetBytes {
				return false
			}
			lines = max(0, lines-1)
			first, behind = next.start, lineEnd(text, next.end)+1
		case next.start > first+lineBytes && next.end < behind: // of a long line this is not shown
			return behind <= len(text)
		}
		found = append(found, next)
		return true
	}
	if s.literal != nil {
		s.literal.each(text, add)
		return found
	}
	eachTerm(ctx, text, slices.DeleteFunc(pointers(s.terms), func(t *term) bool {
		return t.place != anywhere && t.place != at
	}), add)
	return merge(found)
}

// merge puts spans in order and makes one of those that overlap.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(a.start-b.start, b.end-a.end) })
	merged := spans[:0]
	for _, next := range spans {
		if n := len(merged); n > 0 && next.start < merged[n-1].end {
			merged[n-1].end = max(merged[n-1].end, next.end)
			continue
		}
		merged = append(merged, next)
	}
	return merged
}

// cut returns the part of a text, or where that is longer than limit, the part of
// it around its first match, and whether that leaves any out.
func cut(text string, spans []span, part span, limit int) (Snippet, bool) {
	first := part.start
	if i := slices.IndexFunc(spans, func(s span) bool { return s.end > part.start && s.start < part.end }); i >= 0 {
		first = max(first, spans[i].start)
		spans = spans[i:]
	}
	start := max(part.start, min(first-leadBytes, part.end-limit))
	end := min(part.end, start+limit)
	for start < end && !utf8.RuneStart(text[start]) {
		start++
	}
	for start < end && end < len(text) && !utf8.RuneStart(text[end]) {
		end--
	}
	s := Snippet{Text: text[start:end]}
	for _, found := range spans {
		if found.start >= end {
			break
		}
		if h := (Highlight{max(found.start, start) - start, min(found.end, end) - start}); h.Start < h.End {
			s.Highlights = append(s.Highlights, h)
		}
	}
	return s, len(s.Text) < part.end-part.start
}

// lineEnd returns where the line ends that the byte at belongs to: at its LF, or
// at the end of the text.
func lineEnd(text string, at int) int {
	if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(text)
}
