package query

import (
	_ "embed" // the table
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// unicode61 is what the index's tokenizer, unicode61 with remove_diacritics 2,
// makes of each character, as SQLite itself answered: a test of package store asks
// it again, and with -update writes the file. A line is a range of characters that
// are letters to it, `+ lo hi`; one that it folds, `= from to`; or one that it
// drops inside a word, `- char`. ASCII is in it too.
//
//go:embed unicode61.txt
var unicode61 string

const lastRune = unicode.MaxRune

// folding is unicode61 for look-up.
type folding struct {
	letters [lastRune/64 + 1]uint64     // a bit for each character that makes words
	folded  [lastRune>>8 + 1]*[256]rune // what it becomes; 0: it stays
	dropped map[rune]struct{}           // combining marks
}

var loadFolding = sync.OnceValue(func() *folding {
	f := &folding{dropped: map[rune]struct{}{}}
	for line := range strings.Lines(unicode61) {
		var chars [2]rune
		fields := strings.Fields(line)
		for i, field := range fields[1:] {
			char, err := strconv.ParseUint(field, 16, 32)
			if err != nil {
				panic(fmt.Sprintf("unicode61.txt: %q: %v", line, err))
			}
			chars[i] = rune(char)
		}
		f.add(fields[0], chars[0], chars[1])
	}
	return f
})

func (f *folding) add(kind string, from, to rune) {
	switch kind {
	case "+":
		for r := from; r <= to; r++ {
			f.letters[r/64] |= 1 << (r % 64)
		}
	case "=":
		if f.folded[from>>8] == nil {
			f.folded[from>>8] = new([256]rune)
		}
		f.folded[from>>8][from&0xFF] = to
	case "-":
		f.dropped[from] = struct{}{}
	}
}

// letter reports whether r makes words.
func (f *folding) letter(r rune) bool { return f.letters[r/64]&(1<<(r%64)) != 0 }

// fold returns what a letter counts as.
func (f *folding) fold(r rune) rune {
	if page := f.folded[r>>8]; page != nil && page[r&0xFF] != 0 {
		return page[r&0xFF]
	}
	return r
}

// mark reports whether r is part of the word that it stands in, and is dropped.
func (f *folding) mark(r rune) bool {
	if r < 0x300 {
		return false
	}
	_, ok := f.dropped[r]
	return ok
}

// token is a word as the index knows it.
type token struct {
	start, end int    // in the bytes of the text
	folded     []byte // what it counts as
}

// tokens reads the words of a text, one after the other.
type tokens struct {
	text string
	at   int
	f    *folding
}

func readTokens(text string) *tokens { return &tokens{text: text, f: loadFolding()} }

// next returns the next word, whose folded form it appends to buffer, and reports
// whether there is one.
func (t *tokens) next(buffer []byte) (token, bool) {
	start := -1
	for i, r := range t.text[t.at:] {
		switch letter := t.f.letter(r); {
		case letter && start < 0:
			start = t.at + i
			buffer = appendRune(buffer, t.f.fold(r))
		case letter:
			buffer = appendRune(buffer, t.f.fold(r))
		case start >= 0 && !t.f.mark(r):
			found := token{start, t.at + i, buffer}
			t.at += i
			return found, true
		}
	}
	t.at = len(t.text)
	return token{start, len(t.text), buffer}, start >= 0
}

func appendRune(buffer []byte, r rune) []byte {
	if r < 0x80 {
		return append(buffer, byte(r))
	}
	return append(buffer, string(r)...)
}
