package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// note is a file as it is at a moment of the year that is being written.
type note struct {
	path    string
	lines   []string
	want    int    // lines that it keeps to
	version int64  // its head; 0: none, or deleted
	hash    string // of the head
}

// newNote returns a file without content. The sizes of files are spread
// log-normally about the mean.
func newNote(random *rand.Rand, number, meanBytes int) *note {
	size := float64(meanBytes) * math.Exp(random.NormFloat64()*0.6-0.18)
	extension := []string{"md", "md", "md", "md", "md", "md", "txt", "txt", "go", "py"}[random.IntN(10)]
	return &note{
		path: fmt.Sprintf("/notes/area-%02d/%s-%d/note-%06d.%s", number%40, vocabulary[number%400], number%7, number, extension),
		want: max(3, int(size/meanLine)),
	}
}

// step is what one change did to a note.
type step struct {
	diff           string
	added, removed int
}

// create gives the note its first lines, or new ones after it was deleted.
func (n *note) create(random *rand.Rand) step {
	n.lines = append(n.lines[:0], fmt.Sprintf("# %s %s\n", vocabulary[random.IntN(vocabularySize)], vocabulary[random.IntN(vocabularySize)]))
	for len(n.lines) < n.want {
		n.lines = append(n.lines, line(random))
	}
	return step{n.whole("/dev/null", "b"+n.path, '+'), len(n.lines), 0}
}

// remove returns what deleting the note is.
func (n *note) remove() step { return step{n.whole("a"+n.path, "/dev/null", '-'), 0, len(n.lines)} }

// whole is the diff that adds or removes every line.
func (n *note) whole(from, to string, sign byte) string {
	var b strings.Builder
	all, none := lineRange(0, len(n.lines)), "0,0"
	if sign == '+' {
		all, none = none, all
	}
	fmt.Fprintf(&b, "--- %s\n+++ %s\n@@ -%s +%s @@\n", from, to, all, none)
	writeLines(&b, sign, n.lines)
	return b.String()
}

// change replaces a few lines in one place by others, and keeps to the note's size.
// One line at least is new, so that no earlier content comes again.
func (n *note) change(random *rand.Rand) step {
	gone, come := random.IntN(2), 1+random.IntN(3)
	if len(n.lines) > n.want {
		gone, come = 1+random.IntN(3), 1+random.IntN(2)
	}
	gone = min(gone, len(n.lines)-1)
	at := random.IntN(len(n.lines) - gone + 1)
	with := make([]string, come)
	for i := range with {
		with[i] = line(random)
	}
	s := step{n.hunk(at, gone, with), come, gone}
	n.lines = slices.Replace(n.lines, at, at+gone, with...)
	return s
}

// hunk is the diff that replaces lines, with three lines around them.
func (n *note) hunk(at, gone int, with []string) string {
	const context = 3
	low, high := max(0, at-context), min(len(n.lines), at+gone+context)
	var b strings.Builder
	fmt.Fprintf(&b, "--- a%s\n+++ b%s\n@@ -%s +%s @@\n", n.path, n.path,
		lineRange(low, high-low), lineRange(low, high-low-gone+len(with)))
	writeLines(&b, ' ', n.lines[low:at])
	writeLines(&b, '-', n.lines[at:at+gone])
	writeLines(&b, '+', with)
	writeLines(&b, ' ', n.lines[at+gone:high])
	return b.String()
}

// lineRange writes a range of lines as the tracker does: a count of one is left out.
func lineRange(low, count int) string {
	if count == 1 {
		return fmt.Sprint(low + 1)
	}
	return fmt.Sprintf("%d,%d", low+min(count, 1), count)
}

func writeLines(b *strings.Builder, sign byte, lines []string) {
	for _, line := range lines {
		b.WriteByte(sign)
		b.WriteString(line)
	}
}

// text returns the note's content, and makes its hash that of the head.
func (n *note) text() string {
	text := strings.Join(n.lines, "")
	sum := sha256.Sum256([]byte(text))
	n.hash = hex.EncodeToString(sum[:])
	return text
}
