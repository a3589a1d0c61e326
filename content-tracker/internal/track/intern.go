package track

import (
	"bytes"
	"hash/maphash"
)

// seed differs with each process; numbers do not depend on it.
var seed = maphash.MakeSeed()

// intern gives equal lines of both sides the same number, from 0 in the order
// in which they come, and returns how many there are. It is a table of its own: a
// map would copy every line.
func intern(a, b [][]byte) (ia, ib []int32, n int) {
	size := 1
	for size < 2*(len(a)+len(b)) {
		size *= 2
	}
	t := &numbers{table: make([]int32, size), firsts: make([]int32, 0, len(a)), a: a, b: b}
	ia = make([]int32, len(a))
	for i, line := range a {
		ia[i] = t.number(line, i)
	}
	ib = make([]int32, len(b))
	for i, line := range b {
		ib[i] = t.number(line, len(a)+i)
	}
	return ia, ib, len(t.firsts)
}

// numbers is a table of lines with open addressing, never more than half full.
type numbers struct {
	table  []int32 // by hash: a line's number + 1; 0: free
	firsts []int32 // by number: where the line is first, in b from len(a)
	a, b   [][]byte
}

// number returns the number of a line, a new one where it is first at place.
func (t *numbers) number(line []byte, place int) int32 {
	mask := uint64(len(t.table) - 1)
	for at := maphash.Bytes(seed, line) & mask; ; at = (at + 1) & mask {
		switch n := t.table[at]; {
		case n == 0:
			t.firsts = append(t.firsts, int32(place))
			t.table[at] = int32(len(t.firsts))
			return int32(len(t.firsts) - 1)
		case bytes.Equal(t.line(n-1), line):
			return n - 1
		}
	}
}

func (t *numbers) line(n int32) []byte {
	place := int(t.firsts[n])
	if place < len(t.a) {
		return t.a[place]
	}
	return t.b[place-len(t.a)]
}
