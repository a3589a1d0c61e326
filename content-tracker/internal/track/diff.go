package track

import (
	"bytes"
	"slices"
	"sort"
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
)

const (
	// maxSide and maxWork bound the work, which is the product of a block's sides
	// for each block that the engine gets. A larger block is divided: still a right
	// diff, not the smallest. Counted, never timed: the same input gives the same
	// diff (tracker cases 23 to 25). With so much work a diff takes a second or two
	// at the worst.
	maxSide = 1 << 14
	maxWork = 1 << 29
	// maxRunes is how many different lines the engine can tell apart: the runes
	// without the surrogates. It panics beyond (case 21).
	maxRunes = utf8.MaxRune - surrogates - 1
	// surrogates is the gap in the runes, from firstSurrogate.
	surrogates     = 0x800
	firstSurrogate = 0xD800
)

// span is a run of lines, from lo up to but not including hi.
type span struct{ lo, hi int }

func (s span) len() int { return s.hi - s.lo }

// splitLines splits at LF alone: form feeds and U+2028 end no line (case 10).
// Each line keeps its LF; a last line may have none.
func splitLines(text []byte) [][]byte {
	lines := make([][]byte, 0, bytes.Count(text, []byte{'\n'})+1)
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n') + 1
		if end == 0 {
			end = len(text)
		}
		lines = append(lines, text[:end])
		text = text[end:]
	}
	return lines
}

// intern gives equal lines of both sides the same number, from 0.
func intern(a, b [][]byte) (ia, ib []int32) {
	numbers := make(map[string]int32, len(a))
	number := func(lines [][]byte) []int32 {
		out := make([]int32, len(lines))
		for i, line := range lines {
			n, ok := numbers[string(line)]
			if !ok {
				n = int32(len(numbers))
				numbers[string(line)] = n
			}
			out[i] = n
		}
		return out
	}
	return number(a), number(b)
}

// matcher finds the lines that stay from a to b, in order on both sides.
type matcher struct {
	a, b []int32
	stay []int32 // for each line of a the line of b that it is, or -1

	product int // of a block's sides, up to which the engine gets it
}

// staying returns, for each line of a, the line of b that it stays, or -1.
func staying(a, b [][]byte) []int32 {
	if len(a) == 0 || len(b) == 0 {
		return none(len(a))
	}
	return match(intern(a, b))
}

func none(n int) []int32 {
	stay := make([]int32, n)
	for i := range stay {
		stay[i] = -1
	}
	return stay
}

func match(a, b []int32) []int32 {
	side := min(maxSide, maxWork/(len(a)+len(b)+1))
	m := &matcher{a: a, b: b, stay: none(len(a)), product: side * side}
	m.block(upTo(len(a)), upTo(len(b)))
	return m.stay
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// block matches some lines of both sides: common ends first, then at lines that
// occur once on both sides where the block is large, then by the engine.
func (m *matcher) block(ka, kb []int) {
	ka, kb = m.trim(ka, kb)
	ka, kb = m.common(ka, kb)
	ka, kb = m.trim(ka, kb) // what was between equal ends may have been one-sided
	if len(ka) == 0 || len(kb) == 0 {
		return
	}
	if len(ka)*len(kb) <= m.product {
		m.engine(ka, kb)
		return
	}
	if anchors := m.anchors(ka, kb); len(anchors) > 0 {
		i, j := 0, 0
		for _, at := range anchors {
			m.block(ka[i:at.a], kb[j:at.b])
			m.stay[ka[at.a]] = int32(kb[at.b])
			i, j = at.a+1, at.b+1
		}
		m.block(ka[i:], kb[j:])
		return
	}
	m.block(ka[:len(ka)/2], kb[:len(kb)/2])
	m.block(ka[len(ka)/2:], kb[len(kb)/2:])
}

// trim matches what both sides begin and end with.
func (m *matcher) trim(ka, kb []int) (restA, restB []int) {
	for len(ka) > 0 && len(kb) > 0 && m.a[ka[0]] == m.b[kb[0]] {
		m.stay[ka[0]] = int32(kb[0])
		ka, kb = ka[1:], kb[1:]
	}
	for len(ka) > 0 && len(kb) > 0 && m.a[ka[len(ka)-1]] == m.b[kb[len(kb)-1]] {
		m.stay[ka[len(ka)-1]] = int32(kb[len(kb)-1])
		ka, kb = ka[:len(ka)-1], kb[:len(kb)-1]
	}
	return ka, kb
}

// common returns the lines that occur on the other side too: the rest is
// certainly removed or added, and only makes the engine slow (cases 23 and 24).
func (m *matcher) common(ka, kb []int) (inBothA, inBothB []int) {
	if len(ka) == 0 || len(kb) == 0 {
		return nil, nil
	}
	inA, inB := map[int32]bool{}, map[int32]bool{}
	for _, i := range ka {
		inA[m.a[i]] = true
	}
	for _, j := range kb {
		inB[m.b[j]] = true
		if inA[m.b[j]] {
			inBothB = append(inBothB, j)
		}
	}
	for _, i := range ka {
		if inB[m.a[i]] {
			inBothA = append(inBothA, i)
		}
	}
	return inBothA, inBothB
}

// engine matches the kept lines with go-diff. Only its rune interface is used:
// its text interfaces lose lines above 1,112,060 different ones and are no
// unified diff, and its timeout, off here, makes results depend on the load.
func (m *matcher) engine(ka, kb []int) {
	runes := map[int32]rune{}
	encode := func(lines []int32, kept []int) []rune {
		out := make([]rune, len(kept))
		for i, k := range kept {
			r, ok := runes[lines[k]]
			if !ok {
				r = rune(len(runes) + 1)
				if r >= firstSurrogate {
					r += surrogates
				}
				runes[lines[k]] = r
			}
			out[i] = r
		}
		return out
	}
	ra, rb := encode(m.a, ka), encode(m.b, kb)
	if len(runes) > maxRunes {
		return // nothing matched: all of it is replaced
	}
	engine := &diffmatchpatch.DiffMatchPatch{}
	i, j := 0, 0
	for _, d := range engine.DiffMainRunes(ra, rb, false) {
		n := utf8.RuneCountInString(d.Text)
		switch d.Type {
		case diffmatchpatch.DiffDelete:
			i += n
		case diffmatchpatch.DiffInsert:
			j += n
		case diffmatchpatch.DiffEqual:
			for range n {
				m.stay[ka[i]] = int32(kb[j])
				i, j = i+1, j+1
			}
		}
	}
}

// anchor is a line that occurs once on both sides, by its places in the block.
type anchor struct{ a, b int }

// anchors returns the longest run, in order on both sides, of lines that occur
// once in each: the patience rule.
func (m *matcher) anchors(ka, kb []int) []anchor {
	const many = -1
	once := func(lines []int32, kept []int) map[int32]int {
		at := map[int32]int{}
		for place, k := range kept {
			if _, ok := at[lines[k]]; ok {
				place = many
			}
			at[lines[k]] = place
		}
		return at
	}
	inA, inB := once(m.a, ka), once(m.b, kb)
	var unique []anchor
	for place, k := range ka {
		if j, ok := inB[m.a[k]]; ok && j != many && inA[m.a[k]] != many {
			unique = append(unique, anchor{place, j})
		}
	}
	return increasing(unique)
}

// increasing returns the longest subsequence whose b grows; a grows already.
func increasing(all []anchor) []anchor {
	var tails []int // index of the last element of the best run of each length
	before := make([]int, len(all))
	for i, x := range all {
		n := sort.Search(len(tails), func(n int) bool { return all[tails[n]].b >= x.b })
		before[i] = -1
		if n > 0 {
			before[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	var run []anchor
	for i := tails[len(tails)-1]; i >= 0; i = before[i] {
		run = append(run, all[i])
	}
	slices.Reverse(run)
	return run
}
