package textdiff

import (
	"slices"
	"sort"
)

// anchor is a line that occurs once on both sides, by its places in the block.
type anchor struct{ a, b int32 }

// anchors returns the longest run, in order on both sides, of lines that occur
// once in each: the patience rule.
func (m *matcher) anchors(ka, kb []int32) []anchor {
	if m.at == nil {
		m.at = make([]int32, len(m.marks))
	}
	m.mark(ka, kb)
	count := 0
	for place, k := range kb {
		m.at[m.b[k]] = int32(place)
		if m.marks[m.b[k]] == inBoth {
			count++
		}
	}
	unique := make([]anchor, 0, count)
	for place, k := range ka {
		if m.marks[m.a[k]] == inBoth {
			unique = append(unique, anchor{int32(place), m.at[m.a[k]]})
		}
	}
	m.unmark(ka, kb)
	return increasing(unique)
}

// increasing returns the longest subsequence whose b grows; a grows already.
func increasing(all []anchor) []anchor {
	tails := make([]int32, 0, len(all)) // index of the last element of the best run of each length
	before := make([]int32, len(all))
	for i, x := range all {
		n := len(tails) // nearly always: most lines stay in order
		if n > 0 && all[tails[n-1]].b >= x.b {
			n = sort.Search(n, func(n int) bool { return all[tails[n]].b >= x.b })
		}
		before[i] = -1
		if n > 0 {
			before[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, int32(i))
		} else {
			tails[n] = int32(i)
		}
	}
	if len(tails) == 0 {
		return nil
	}
	run := make([]anchor, 0, len(tails))
	for i := tails[len(tails)-1]; i >= 0; i = before[i] {
		run = append(run, all[i])
	}
	slices.Reverse(run)
	return run
}
