package textdiff

import (
	"slices"
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
	// maxLines is how many lines of both sides, without their common ends, are
	// matched; of more, all are replaced. It bounds the memory, 16 bytes a line, of
	// contents that are hardly anything but line ends.
	maxLines = 4_000_000
)

// span is a run of lines, from lo up to but not including hi.
type span struct{ lo, hi int }

func (s span) len() int { return s.hi - s.lo }

// matcher finds the lines that stay from a to b, in order on both sides. Blocks
// are lists of line indexes, which are shortened in place.
type matcher struct {
	a, b []int32
	stay []int32 // for each line of a the line of b that it is, or -1

	product int     // of a block's sides, up to which the engine gets it
	marks   []uint8 // by line number: where a block has it; 0 between blocks
	at      []int32 // by line number: its place in b, while anchors looks for it
}

// What a mark says of a line.
const (
	inA = 1 << iota
	inB
	manyA
	manyB
	inBoth = inA | inB
)

// staying returns, for each line of a, the line of b that it stays, or -1.
func staying(a, b lines) []int32 {
	total := a.len() + b.len()
	if a.len() == 0 || b.len() == 0 || total > maxLines {
		return none(a.len())
	}
	ia, ib, n := intern(a, b)
	side := min(maxSide, maxWork/(total+1))
	m := &matcher{a: ia, b: ib, stay: none(a.len()), product: side * side, marks: make([]uint8, n)}
	m.block(upTo(a.len()), upTo(b.len()))
	return m.stay
}

func none(n int) []int32 {
	stay := make([]int32, n)
	for i := range stay {
		stay[i] = -1
	}
	return stay
}

func upTo(n int) []int32 {
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// block matches some lines of both sides: common ends first, then at lines that
// occur once on both sides where the block is large, then by the engine.
func (m *matcher) block(ka, kb []int32) {
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
			m.stay[ka[at.a]] = kb[at.b]
			i, j = int(at.a)+1, int(at.b)+1
		}
		m.block(ka[i:], kb[j:])
		return
	}
	m.block(ka[:len(ka)/2], kb[:len(kb)/2])
	m.block(ka[len(ka)/2:], kb[len(kb)/2:])
}

// trim matches what both sides begin and end with.
func (m *matcher) trim(ka, kb []int32) (restA, restB []int32) {
	for len(ka) > 0 && len(kb) > 0 && m.a[ka[0]] == m.b[kb[0]] {
		m.stay[ka[0]] = kb[0]
		ka, kb = ka[1:], kb[1:]
	}
	for len(ka) > 0 && len(kb) > 0 && m.a[ka[len(ka)-1]] == m.b[kb[len(kb)-1]] {
		m.stay[ka[len(ka)-1]] = kb[len(kb)-1]
		ka, kb = ka[:len(ka)-1], kb[:len(kb)-1]
	}
	return ka, kb
}

// common returns the lines that occur on the other side too: the rest is
// certainly removed or added, and only makes the engine slow (cases 23 and 24).
func (m *matcher) common(ka, kb []int32) (bothA, bothB []int32) {
	m.mark(ka, kb)
	// A mark is cleared with the line that is left out: the other side lacks it.
	both := func(lines, kept []int32) []int32 {
		return slices.DeleteFunc(kept, func(k int32) bool {
			out := m.marks[lines[k]]&inBoth != inBoth
			if out {
				m.marks[lines[k]] = 0
			}
			return out
		})
	}
	ka, kb = both(m.a, ka), both(m.b, kb)
	m.unmark(ka, kb)
	return ka, kb
}

// mark notes which lines a block has on which side, and how often.
func (m *matcher) mark(ka, kb []int32) {
	note := func(lines, kept []int32, once, many uint8) {
		for _, k := range kept {
			if mark := &m.marks[lines[k]]; *mark&once != 0 {
				*mark |= many
			} else {
				*mark |= once
			}
		}
	}
	note(m.a, ka, inA, manyA)
	note(m.b, kb, inB, manyB)
}

// unmark clears what mark noted.
func (m *matcher) unmark(ka, kb []int32) {
	for _, k := range ka {
		m.marks[m.a[k]] = 0
	}
	for _, k := range kb {
		m.marks[m.b[k]] = 0
	}
}

// engine matches the kept lines with go-diff. Only its rune interface is used:
// its text interfaces lose lines above 1,112,060 different ones and are no
// unified diff, and its timeout, off here, makes results depend on the load.
func (m *matcher) engine(ka, kb []int32) {
	runes := map[int32]rune{}
	encode := func(lines []int32, kept []int32) []rune {
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
				m.stay[ka[i]] = kb[j]
				i, j = i+1, j+1
			}
		}
	}
}
