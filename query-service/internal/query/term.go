package query

import (
	"bytes"
	"context"
	"slices"
	"strings"
)

// place is where a term is looked for.
type place int

const (
	anywhere place = iota
	inPath
	inContent
)

// term is words that stand next to each other.
type term struct {
	raw   []string // as they were typed
	words [][]byte // as the index knows them
	place place
	// The first word may be the end of one, and the last the beginning of one.
	openStart, openEnd bool
	piece              string // of raw: no file without it has the term; see in
}

// newTerm makes a term of a text's words and reports whether there is one.
func newTerm(text string) (term, bool) {
	var t term
	read := readTokens(text)
	for {
		word, ok := read.next(nil)
		if !ok {
			return t, len(t.words) > 0
		}
		raw := text[word.start:word.end]
		t.raw, t.words = append(t.raw, raw), append(t.words, word.folded)
		for _, run := range strings.FieldsFunc(raw, func(r rune) bool { return !isSpaceless(r) }) {
			if len(run) > len(t.piece) {
				t.piece = run
			}
		}
	}
}

// at returns the term looked for at a place.
func (t term) at(p place) term {
	t.place = p
	return t
}

// match returns the FTS5 expression of the term. In quotes nothing is an operator,
// and there is nothing but letters and digits in them, at least one: FTS5 finds
// nothing where a phrase joined by AND is empty (case 53).
func (t term) match() string {
	phrase := `"` + strings.Join(t.raw, " ") + `"`
	if t.openEnd {
		phrase += " *"
	}
	switch t.place {
	case inPath:
		return "file_path : " + phrase
	case inContent:
		return "content : " + phrase
	}
	return phrase
}

// missing returns those of some terms that do not stand in a text; of nothing is known
// where ctx ended. Scripts without spaces have no case: where a run of theirs is not in
// the text, the text need not be read by words.
func missing(ctx context.Context, text string, terms []*term) []*term {
	var absent, left []*term
	for _, t := range terms {
		if strings.Contains(text, t.piece) {
			left = append(left, t)
		} else {
			absent = append(absent, t)
		}
	}
	if len(left) > 0 {
		eachWord(ctx, text, left, func(last []token, n int) bool {
			left = slices.DeleteFunc(left, func(t *term) bool { return t.endsAt(last, n) })
			return len(left) > 0
		})
	}
	return append(absent, left...)
}

// wordsAtOnce is how many words are read before it is looked whether ctx has ended.
const wordsAtOnce = 4096

// eachWord calls visit for every word of a text, from the first on, until it returns
// false or ctx ends. The n-th is at last[n%len(last)], with as many before it as the
// longest of some terms has.
func eachWord(ctx context.Context, text string, terms []*term, visit func(last []token, n int) bool) {
	longest := 0
	for _, t := range terms {
		longest = max(longest, len(t.words))
	}
	if longest == 0 {
		return
	}
	last := make([]token, longest)
	read := readTokens(text)
	for n := 1; n%wordsAtOnce != 0 || ctx.Err() == nil; n++ {
		slot := &last[n%longest]
		word, ok := read.next(slot.folded[:0])
		if !ok {
			return
		}
		if *slot = word; !visit(last, n) {
			return
		}
	}
}

// eachTerm calls visit for every place of a text where one of the terms stands,
// ordered by their ends, until it returns false or ctx ends.
func eachTerm(ctx context.Context, text string, terms []*term, visit func(span) bool) {
	eachWord(ctx, text, terms, func(last []token, n int) bool {
		end := last[n%len(last)]
		for _, t := range terms {
			if !t.endsAt(last, n) {
				continue
			}
			if len(t.words) == 1 && t.openStart {
				if !t.eachWithin(text, end, visit) {
					return false
				}
				continue
			}
			begin := last[(n-len(t.words)+1)%len(last)]
			if !visit(span{t.startIn(text, begin), t.endIn(text, end)}) {
				return false
			}
		}
		return true
	})
}

// endsAt reports whether the term's last word is the n-th of a text.
func (t *term) endsAt(last []token, n int) bool {
	first := n - len(t.words) + 1
	if first < 1 {
		return false
	}
	for i, word := range t.words {
		have := last[(first+i)%len(last)].folded
		openStart, openEnd := t.openStart && i == 0, t.openEnd && i == len(t.words)-1
		switch {
		case openStart && openEnd:
			if !bytes.Contains(have, word) {
				return false
			}
		case openStart:
			if !bytes.HasSuffix(have, word) {
				return false
			}
		case openEnd:
			if !bytes.HasPrefix(have, word) {
				return false
			}
		case !bytes.Equal(have, word):
			return false
		}
	}
	return true
}

// eachWithin calls visit for the places of a term of one word inside a word.
func (t *term) eachWithin(text string, have token, visit func(span) bool) bool {
	word := t.words[0]
	if !t.openEnd {
		return visit(span{t.startIn(text, have), have.end})
	}
	for at := 0; ; {
		i := bytes.Index(have.folded[at:], word)
		if i < 0 {
			return true
		}
		at += i + len(word)
		if !visit(span{unfold(text, have, at-len(word)), unfold(text, have, at)}) {
			return false
		}
	}
}

func (t *term) startIn(text string, have token) int {
	if !t.openStart {
		return have.start
	}
	return unfold(text, have, len(have.folded)-len(t.words[0]))
}

// endIn: what follows a prefix belongs to the word that was found.
func (t *term) endIn(text string, have token) int {
	word := t.words[len(t.words)-1]
	if !t.openEnd || !endsInside(t.raw[len(t.raw)-1]) {
		return have.end
	}
	return unfold(text, have, len(word))
}

// unfold returns where in the text the first n bytes of a word's folded form end,
// with the marks that were dropped behind them.
func unfold(text string, have token, n int) int {
	f := loadFolding()
	for i, r := range text[have.start:have.end] {
		if f.mark(r) && !f.letter(r) {
			continue
		}
		if n <= 0 {
			return have.start + i
		}
		n -= len(appendRune(nil, f.fold(r)))
	}
	return have.end
}
