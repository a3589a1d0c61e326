package e2e

import (
	"fmt"
	"strings"
)

// patched applies a unified diff to a text, by the letter: each line of context
// and each removed line must be where the hunk says. It is written from the
// format's description (POSIX diff -u) and shares nothing with what made the diff.
func patched(text, diff string) (string, error) {
	old := strings.SplitAfter(text, "\n")
	var out strings.Builder
	at := 0 // lines of old that are done
	lines := strings.SplitAfter(diff, "\n")
	for i := 0; i < len(lines); i++ {
		var from, count, start int
		if !strings.HasPrefix(lines[i], "@@ ") {
			continue // headers, before the first hunk
		}
		if from, count = span(lines[i]); count > 0 {
			from-- // counted from 1; of an empty side, the line before
		}
		for start = at; start < from; start++ {
			out.WriteString(old[start])
		}
		at = from
		for i+1 < len(lines) && lines[i+1] != "" && strings.ContainsRune(" +-", rune(lines[i+1][0])) {
			i++
			kind, line := lines[i][0], lines[i][1:]
			if i+1 < len(lines) && strings.HasPrefix(lines[i+1], `\`) {
				line = strings.TrimSuffix(line, "\n")
				i++
			}
			if kind != '+' {
				if at >= len(old) || old[at] != line {
					return "", fmt.Errorf("line %d is not %q", at+1, line)
				}
				at++
			}
			if kind != '-' {
				out.WriteString(line)
			}
		}
	}
	for ; at < len(old); at++ {
		out.WriteString(old[at])
	}
	return out.String(), nil
}

// span reads the old side of a hunk's header: its first line and its length.
func span(header string) (from, count int) {
	old, _, _ := strings.Cut(strings.TrimPrefix(header, "@@ -"), " ")
	if n, _ := fmt.Sscanf(old, "%d,%d", &from, &count); n < 2 {
		count = 1
	}
	return from, count
}
