package track

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"sync"
	"unicode/utf8"
)

const (
	// sniffBytes is how much of a file decides whether it is binary: git's rule.
	sniffBytes = 8000
	// chunkBytes is how much is read at once: enough to make the calls cheap.
	chunkBytes = 128 << 10
)

var chunks = sync.Pool{New: func() any { b := make([]byte, chunkBytes); return &b }}

// normaliser turns CRLF and CR into LF, however its input is split. A CR at the
// end of one piece may be half of a CRLF: it is held back until the next byte or
// the end decides (tracker case 1).
type normaliser struct {
	pendingCR    bool
	lf, crlf, cr int64 // line ends seen
}

// append appends the LF form of src to dst.
func (n *normaliser) append(dst, src []byte) []byte {
	if n.pendingCR && len(src) > 0 {
		n.pendingCR = false
		if src[0] == '\n' {
			n.crlf++
			src = src[1:]
		} else {
			n.cr++
		}
		dst = append(dst, '\n')
	}
	for {
		i := bytes.IndexByte(src, '\r')
		if i < 0 {
			n.lf += int64(bytes.Count(src, []byte{'\n'}))
			return append(dst, src...)
		}
		n.lf += int64(bytes.Count(src[:i], []byte{'\n'}))
		dst = append(dst, src[:i]...)
		switch {
		case i+1 == len(src):
			n.pendingCR = true
			return dst
		case src[i+1] == '\n':
			n.crlf++
			src = src[i+2:]
		default:
			n.cr++
			src = src[i+1:]
		}
		dst = append(dst, '\n')
	}
}

// finish appends what was held back.
func (n *normaliser) finish(dst []byte) []byte {
	if !n.pendingCR {
		return dst
	}
	n.pendingCR = false
	n.cr++
	return append(dst, '\n')
}

func (n *normaliser) lines() int64 { return n.lf + n.crlf + n.cr }

func (n *normaliser) ending() LineEnding {
	switch total := n.lines(); total {
	case 0:
		return NoEOL
	case n.lf:
		return LF
	case n.crlf:
		return CRLF
	case n.cr:
		return CR
	}
	return Mixed
}

// isBinary tells by the first bytes: a NUL, or the mark of UTF-16, whose line
// ends are not single bytes (case 8).
func isBinary(head []byte) bool {
	return bytes.IndexByte(head[:min(len(head), sniffBytes)], 0) >= 0 ||
		bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})
}

// digest reads a content once: the bytes it hashes are the bytes it keeps.
type digest struct {
	limit int64 // largest content that is kept

	binary        bool
	normal        normaliser
	exact, normed hash.Hash // of the bytes as they are, and of the LF form
	size          int64
	body, scratch []byte
	last          byte // of the LF form
	over          bool // limit was passed: body is given up
}

// Digest reads r to its end and returns its content. A content over limit is
// hashed in bounded memory and not kept.
func Digest(r io.Reader, limit int64) (Content, error) {
	d := &digest{limit: limit, exact: sha256.New(), normed: sha256.New()}
	buffer := chunks.Get().(*[]byte)
	defer chunks.Put(buffer)
	for first := true; ; first = false {
		n, err := io.ReadFull(r, *buffer)
		if first {
			d.binary = isBinary((*buffer)[:n])
		}
		d.add((*buffer)[:n])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return d.content(), nil
		}
		if err != nil {
			return Content{}, err
		}
	}
}

func (d *digest) add(piece []byte) {
	d.size += int64(len(piece))
	d.exact.Write(piece)
	if !d.over {
		d.body = append(d.body, piece...)
		if d.size > d.limit {
			d.over, d.body = true, nil
		}
	}
	if !d.binary {
		d.scratch = d.normal.append(d.scratch[:0], piece)
		d.addNormal(d.scratch)
	}
}

func (d *digest) addNormal(text []byte) {
	d.normed.Write(text)
	if len(text) > 0 {
		d.last = text[len(text)-1]
	}
}

func (d *digest) content() Content {
	c := Content{Size: d.size, Kind: Binary, EOL: NoEOL, Hash: sum(d.exact), Body: d.body}
	if d.over {
		c.Kind = Omitted
	}
	if d.binary {
		return c
	}
	d.addNormal(d.normal.finish(nil))
	c.EOL, c.LineCount = d.normal.ending(), d.normal.lines()
	if d.size > 0 && d.last != '\n' {
		c.LineCount++
	}
	switch {
	case d.over:
		c.Hash = sum(d.normed)
	case utf8.Valid(d.body):
		c.Kind, c.Hash, c.Body = Text, sum(d.normed), d.normalBody(c.EOL)
	default:
		// The exact bytes are hashed, kept and compared (case 6): their LFs count.
		c.Kind, c.LineCount = Lossy, int64(bytes.Count(d.body, []byte{'\n'}))
		if d.body[len(d.body)-1] != '\n' {
			c.LineCount++
		}
	}
	return c
}

func (d *digest) normalBody(ending LineEnding) []byte {
	if ending == LF || ending == NoEOL {
		return d.body
	}
	var n normaliser
	return n.finish(n.append(make([]byte, 0, len(d.body)), d.body))
}

func sum(h hash.Hash) Hash { return Hash(hex.EncodeToString(h.Sum(nil))) }
