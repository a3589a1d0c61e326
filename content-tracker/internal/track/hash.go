package track

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
	"unicode/utf8"
)

const (
	// sniffBytes is how much of a file decides whether it is binary: git's rule.
	sniffBytes = 8000
	// chunkBytes is how much of a content that is not kept is read at once: enough
	// to make the calls cheap.
	chunkBytes = 128 << 10
)

var chunks = sync.Pool{New: func() any { b := make([]byte, chunkBytes); return &b }}

// Digest reads r, which holds about size bytes, to its end and returns its
// content: the bytes it hashes are the bytes it keeps. A content over limit is
// hashed in bounded memory and not kept. Its hash does not depend on limit.
func Digest(r io.Reader, size, limit int64) (Content, error) {
	if size > limit {
		return stream(r)
	}
	body, err := readAll(r, size)
	if err != nil {
		return Content{}, err
	}
	c := Given(body)
	if c.Size > limit { // r held more than was said
		c.Kind, c.Body = Omitted, nil
	}
	return c, nil
}

// readAll is io.ReadAll for a reader of about size bytes.
func readAll(r io.Reader, size int64) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // less, and it grows to find the end
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// Given returns the content of bytes in memory, which it keeps.
func Given(body []byte) Content {
	c := Content{Size: int64(len(body)), Kind: Binary, EOL: NoEOL, Body: body}
	if isBinary(body) {
		c.Hash = hashOf(body)
		return c
	}
	var n normaliser
	text := n.whole(body)
	c.EOL = n.ending()
	if c.Kind = Text; !utf8.Valid(body) {
		c.Kind, text = Lossy, body // the exact bytes are hashed, kept and compared (case 6)
	}
	c.Body, c.Hash, c.LineCount = text, hashOf(text), n.lineCount(c.Kind == Lossy)
	return c
}

func hashOf(b []byte) Hash {
	sum := sha256.Sum256(b)
	return Hash(hex.EncodeToString(sum[:]))
}

// normaliser turns CRLF and CR into LF, however its input is split. A CR at the
// end of one piece may be half of a CRLF: it is held back until the next byte or
// the end decides (tracker case 1).
type normaliser struct {
	pendingCR    bool
	last         byte // read, where some is
	some         bool
	lf, crlf, cr int64 // line ends seen
}

// whole returns the LF form of all of text: text itself where that is it.
func (n *normaliser) whole(text []byte) []byte {
	if bytes.IndexByte(text, '\r') < 0 {
		n.skip(text)
		return text
	}
	return n.finish(n.append(make([]byte, 0, len(text)), text))
}

// skip reads a piece without CR, which is its own LF form.
func (n *normaliser) skip(src []byte) {
	if len(src) > 0 {
		n.lf += int64(bytes.Count(src, []byte{'\n'}))
		n.last, n.some = src[len(src)-1], true
	}
}

// append appends the LF form of src to dst.
func (n *normaliser) append(dst, src []byte) []byte {
	if len(src) == 0 {
		return dst
	}
	if n.pendingCR {
		n.pendingCR = false
		if src[0] == '\n' {
			n.crlf++
			src = src[1:]
		} else {
			n.cr++
		}
		n.last = '\n'
		dst = append(dst, '\n')
	}
	for {
		i := bytes.IndexByte(src, '\r')
		if i < 0 {
			n.skip(src)
			return append(dst, src...)
		}
		n.skip(src[:i])
		n.last, n.some = '\r', true
		dst = append(dst, src[:i]...)
		switch {
		case i+1 == len(src):
			n.pendingCR = true
			return dst
		case src[i+1] == '\n':
			n.crlf++
			n.last = '\n'
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

func (n *normaliser) ending() LineEnding {
	switch total := n.lf + n.crlf + n.cr; total {
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

// lineCount returns the number of lines of the LF form, or of the bytes as they
// are, in which a lone CR ends no line.
func (n *normaliser) lineCount(exact bool) int64 {
	lines := n.lf + n.crlf
	if !exact {
		lines += n.cr
	}
	if n.some && n.last != '\n' && (exact || n.last != '\r') {
		lines++
	}
	return lines
}

// isBinary tells by the first bytes: a NUL, or the mark of UTF-16, whose line
// ends are not single bytes (case 8).
func isBinary(head []byte) bool {
	return bytes.IndexByte(head[:min(len(head), sniffBytes)], 0) >= 0 ||
		bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})
}
