package query

import (
	"strings"
	"unicode/utf8"
)

const (
	snippetBytes = 200 // length of a snippet
	snippetLead  = 60  // of these before the first match
)

// Snippet is a part of a content around a match: plain text.
type Snippet struct {
	Text       string
	Highlights []Highlight
}

// Highlight is a range of a snippet's bytes.
type Highlight struct{ Start, End int }

// CutSnippet makes a snippet of a text in which each match stands between the
// marks open and shut. The marks must be such that the text cannot hold them by
// itself (case 57). A text without a match gives an empty snippet.
func CutSnippet(marked, open, shut string) Snippet {
	s := unmark(strings.ToValidUTF8(marked, "\uFFFD"), open, shut)
	if len(s.Highlights) == 0 {
		return Snippet{}
	}
	start := max(0, min(s.Highlights[0].Start-snippetLead, len(s.Text)-snippetBytes))
	end := min(len(s.Text), start+snippetBytes)
	for start < end && !utf8.RuneStart(s.Text[start]) {
		start++
	}
	for start < end && end < len(s.Text) && !utf8.RuneStart(s.Text[end]) {
		end--
	}
	cut := Snippet{Text: s.Text[start:end]}
	for _, h := range s.Highlights {
		if h = (Highlight{max(h.Start, start) - start, min(h.End, end) - start}); h.Start < h.End {
			cut.Highlights = append(cut.Highlights, h)
		}
	}
	return cut
}

// unmark takes the marks out of a text and keeps where they stood.
func unmark(marked, open, shut string) Snippet {
	var text strings.Builder
	var highlights []Highlight
	for {
		before, rest, found := strings.Cut(marked, open)
		text.WriteString(before)
		if !found {
			return Snippet{text.String(), highlights}
		}
		match, rest, _ := strings.Cut(rest, shut)
		start := text.Len()
		text.WriteString(match)
		highlights = append(highlights, Highlight{start, text.Len()})
		marked = rest
	}
}
