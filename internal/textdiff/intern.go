package textdiff

import (
	"bytes"
	"hash/maphash"
)

// seed differs with each process; numbers do not depend on it.
var seed = maphash.MakeSeed()

// intern gives equal lines of both sides the same number, from 0 in the order
// in which they come, and returns how many there are. It is a table of its own: a
// map would copy every line.
func intern(a, b lines) (ia, ib []int32, n int) {
	t := &numbers{table: make([]int32, 1024), a: a, b: b}
	ia = make([]int32, a.len())
	for i := range ia {
		ia[i] = t.number(a.at(i), i)
	}
	ib = make([]int32, b.len())
	for i := range ib {
		ib[i] = t.number(b.at(i), a.len()+i)
	}
	return ia, ib, len(t.firsts)
}

// numbers is a table of lines with open addressing, never more than half full. Its
// size is a power of two.
type numbers struct {
	table  []int32 // by hash: a line's number + 1; 0: free
	firsts []int32 // by number: where the line is first, in b from a.len()
	a, b   lines
}

// number returns the number of a line, a new one where it is first at place.
func (t *numbers) number(line []byte, place int) int32 {
	at := t.find(line)
	if n := t.table[at]; n != 0 {
		return n - 1
	}
	t.firsts = append(t.firsts, int32(place))
	t.table[at] = int32(len(t.firsts))
	if 2*len(t.firsts) > len(t.table) {
		t.grow()
	}
	return int32(len(t.firsts) - 1)
}

// find returns where in the table a line is, or would be.
func (t *numbers) find(line []byte) uint64 {
	mask := uint64(len(t.table) - 1)
	at := maphash.Bytes(seed, line) & mask
	for t.table[at] != 0 && !bytes.Equal(t.line(t.table[at]-1), line) {
		at = (at + 1) & mask
	}
	return at
}

func (t *numbers) grow() {
	t.table = make([]int32, 4*len(t.table))
	for n := range t.firsts {
		t.table[t.find(t.line(int32(n)))] = int32(n) + 1
	}
}

func (t *numbers) line(n int32) []byte {
	place := int(t.firsts[n])
	if place < t.a.len() {
		return t.a.at(place)
	}
	return t.b.at(place - t.a.len())
}
