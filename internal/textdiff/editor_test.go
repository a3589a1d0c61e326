package textdiff_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
)

// editor changes a text as people do.
type editor struct {
	rng   *rand.Rand
	lines [][]byte
}

// rewritten returns a text after some edits, the same ones for the same seed.
func rewritten(seed uint64, text []byte, edits int) []byte {
	e := editor{rng: rand.New(rand.NewPCG(3, seed)), lines: bytes.SplitAfter(text, []byte{'\n'})}
	for range edits {
		e.edit()
	}
	return bytes.Join(e.lines, nil)
}

// edit does one thing to the text.
func (e *editor) edit() {
	if len(e.lines) < 4 {
		return
	}
	from, to := e.paragraph()
	block := slices.Clone(e.lines[from:to])
	switch e.rng.IntN(9) {
	case 0: // moved
		e.lines = slices.Delete(e.lines, from, to)
		e.lines = slices.Insert(e.lines, e.between(), block...)
	case 1: // copied
		e.lines = slices.Insert(e.lines, e.between(), block...)
	case 2:
		e.lines = slices.Delete(e.lines, from, to)
	case 3: // indented
		for i := from; i < to; i++ {
			e.lines[i] = append([]byte{'\t'}, e.lines[i]...)
		}
	case 4: // changes places with another
		other, end := e.paragraph()
		if other < to && from < end {
			return
		}
		if other < from {
			from, to, other, end = other, end, from, to
		}
		e.lines = slices.Concat(e.lines[:from], e.lines[other:end], e.lines[to:other], e.lines[from:to], e.lines[end:])
	case 5: // a few of its lines go
		e.lines = append(slices.DeleteFunc(slices.Clone(e.lines[:to]), func([]byte) bool { return e.rng.IntN(2*to) == 0 }), e.lines[to:]...)
	case 6: // a name is changed everywhere
		if words := bytes.Fields(e.lines[e.rng.IntN(len(e.lines))]); len(words) > 0 && len(words[0]) > 3 {
			e.replace(0, len(e.lines), words[0])
		}
	default: // some of its words are
		for i := from; i < to; i++ {
			if words := bytes.Fields(e.lines[i]); len(words) > 0 && e.rng.IntN(3) == 0 {
				e.replace(i, i+1, words[e.rng.IntN(len(words))])
			}
		}
	}
}

// paragraph chooses lines up to and with a blank one, at most a page.
func (e *editor) paragraph() (from, to int) {
	from = e.between()
	for to = from; to < len(e.lines) && to < from+60; to++ {
		if to > from && len(bytes.TrimSpace(e.lines[to])) == 0 {
			return from, to + 1
		}
	}
	return from, to
}

// between chooses a place after a blank line, where one is near.
func (e *editor) between() int {
	at := e.rng.IntN(len(e.lines))
	for near := at; near > max(at-100, 0); near-- {
		if len(bytes.TrimSpace(e.lines[near-1])) == 0 {
			return near
		}
	}
	return at
}

// replace gives a word another ending.
func (e *editor) replace(from, to int, word []byte) {
	for i := from; i < to; i++ {
		e.lines[i] = bytes.ReplaceAll(e.lines[i], word, append(slices.Clone(word), "Ed"...))
	}
}
