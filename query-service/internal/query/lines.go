package query

import "strings"

// line is one line of a text, without its end.
type line struct {
	span
	number int64
}

// matchLines returns the first lines that match, at most limit, with the lines
// around them.
func matchLines(text string, spans []span, limit, around int) []Line {
	var all []Line
	shown := line{span{-1, -1}, 0} // the last of all
	add := func(l line) {
		part, truncated := cut(text, spans, l.span, lineBytes)
		all = append(all, Line{part, l.number, truncated})
		shown = l
	}
	matched := linesOf(text, spans, limit)
	for i, l := range matched {
		for _, before := range linesBefore(text, l, shown, around) {
			add(before)
		}
		add(l)
		for n := 0; n < around; n++ {
			next, ok := lineAfter(text, shown)
			if !ok || i+1 < len(matched) && next.number >= matched[i+1].number {
				break
			}
			add(next)
		}
	}
	return all
}

// linesOf returns the first lines that spans touch, each once.
func linesOf(text string, spans []span, limit int) []line {
	var all []line
	at := line{span{0, lineEnd(text, 0)}, 1}
	for _, s := range spans {
		if s.start > at.end { // skip lines
			start := strings.LastIndexByte(text[:s.start], '\n') + 1
			at = line{span{start, lineEnd(text, s.start)}, at.number + int64(strings.Count(text[at.start:start], "\n"))}
		}
		for {
			if n := len(all); n == 0 || all[n-1].number < at.number {
				if n == limit {
					return all
				}
				all = append(all, at)
			}
			next, ok := lineAfter(text, at)
			if !ok || next.start >= s.end {
				break
			}
			at = next
		}
	}
	return all
}

// lineAfter returns the line after one, and whether there is one: the end of the
// last line begins none.
func lineAfter(text string, l line) (line, bool) {
	start := l.end + 1
	if start >= len(text) {
		return line{}, false
	}
	return line{span{start, lineEnd(text, start)}, l.number + 1}, true
}

// linesBefore returns the lines before l, at most limit, that come after the line
// shown.
func linesBefore(text string, l, shown line, limit int) []line {
	var before []line
	for at := l; at.start > 0 && at.number > shown.number+1 && len(before) < limit; {
		start := strings.LastIndexByte(text[:at.start-1], '\n') + 1
		at = line{span{start, at.start - 1}, at.number - 1}
		before = append([]line{at}, before...)
	}
	return before
}
