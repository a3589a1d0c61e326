package textdiff

import "bytes"

// lines are the lines of a text, split at LF alone: form feeds and U+2028 end no
// line (case 10). Each keeps its LF; the last may have none. Ends take a sixth of
// what slices would: a text may be nothing but line ends.
type lines struct {
	text []byte
	ends []int32
}

func splitLines(text []byte) lines {
	l := lines{text, make([]int32, 0, bytes.Count(text, []byte{'\n'})+1)}
	for at := 0; at < len(text); {
		if n := bytes.IndexByte(text[at:], '\n'); n >= 0 {
			at += n + 1
		} else {
			at = len(text)
		}
		l.ends = append(l.ends, int32(at))
	}
	return l
}

func (l lines) len() int { return len(l.ends) }

func (l lines) at(i int) []byte {
	from := int32(0)
	if i > 0 {
		from = l.ends[i-1]
	}
	return l.text[from:l.ends[i]]
}

// differing returns what is left of two texts without the whole lines that both
// begin and end with, and how many lines were left out before it. Of those it
// leaves as many as the diff shows around a change.
func differing(a, b []byte, context int) (restA, restB []byte, before int) {
	from := bytes.LastIndexByte(a[:commonPrefix(a, b)], '\n') + 1
	end := commonSuffix(a[from:], b[from:])
	start := from
	for range context {
		if start > 0 {
			start = bytes.LastIndexByte(a[:start-1], '\n') + 1
		}
	}
	tail := a[len(a)-end:]
	for range context {
		tail = tail[bytes.IndexByte(tail, '\n')+1:] // the last line may have no LF: it is kept
		if bytes.IndexByte(tail, '\n') < 0 {
			tail = nil
		}
	}
	return a[start : len(a)-len(tail)], b[start : len(b)-len(tail)], bytes.Count(a[:start], []byte{'\n'})
}

// block is how much is compared at once.
const block = 4 << 10

func commonPrefix(a, b []byte) int {
	most, n := min(len(a), len(b)), 0
	for n+block <= most && bytes.Equal(a[n:n+block], b[n:n+block]) {
		n += block
	}
	for n < most && a[n] == b[n] {
		n++
	}
	return n
}

// commonSuffix returns how many bytes the whole lines take that both end with;
// both begin at the beginning of a line.
func commonSuffix(a, b []byte) int {
	most, n := min(len(a), len(b)), 0
	for n+block <= most && bytes.Equal(a[len(a)-n-block:len(a)-n], b[len(b)-n-block:len(b)-n]) {
		n += block
	}
	for n < most && a[len(a)-n-1] == b[len(b)-n-1] {
		n++
	}
	begins := func(text []byte) bool { return n == len(text) || text[len(text)-n-1] == '\n' }
	if begins(a) && begins(b) {
		return n
	}
	first := bytes.IndexByte(a[len(a)-n:], '\n') + 1
	if first == 0 {
		return 0
	}
	return n - first
}
