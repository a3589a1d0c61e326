package track

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"unicode/utf8"
)

// sniffBytes is how much of a file decides whether it is binary: git's rule.
const sniffBytes = 8000

// Digest reads r, which holds about size bytes, to its end and returns its
// content: the bytes it hashes are the bytes it keeps. A content over limit is
// hashed in bounded memory and not kept. Its hash does not depend on limit.
func Digest(r io.ReadSeeker, size, limit int64) (Content, error) {
	return read(r, size, limit, true)
}

// read is Digest. Without keep it keeps nothing, and says what would be kept. A
// large content may be read twice: r begins at its start.
func read(r io.ReadSeeker, size, limit int64, keep bool) (c Content, err error) {
	if keep = keep && size <= limit; size <= chunkBytes && keep {
		var body []byte
		if body, err = readAll(r, size); err == nil {
			c = Given(body)
		}
	} else {
		var ok bool
		if c, ok, err = stream(r, size, false, keep); err == nil && !ok {
			if _, err = r.Seek(0, io.SeekStart); err == nil {
				c, _, err = stream(r, size, true, keep)
			}
		}
	}
	if c.Size > limit || size > limit { // r may hold more than was said
		c.Kind, c.Body = Omitted, nil
	}
	return c, err
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
	if c.Kind = Text; !utf8.Valid(body) {
		c.Kind = Lossy // the exact bytes are hashed, kept and compared (case 6)
		n.count(body)
	} else if n.add(body) {
		c.Body = n.alter(make([]byte, 0, len(body)), body) // the caller's bytes stay
	}
	c.EOL, c.Hash, c.LineCount = n.ending(), hashOf(c.Body), n.lineCount(c.Kind == Lossy)
	return c
}

func hashOf(b []byte) Hash {
	sum := sha256.Sum256(b)
	return Hash(hex.EncodeToString(sum[:]))
}

// normaliser turns CRLF and CR into LF, and counts. It may get a text in pieces,
// of which only the last may end in CR (see unfinished).
type normaliser struct {
	last         byte // read, where some is
	some         bool
	lf, crlf, cr int64 // line ends seen
}

// replace returns the LF form of text, in place of it.
func (n *normaliser) replace(text []byte) []byte {
	if !n.add(text) {
		return text
	}
	return n.alter(text[:0], text)
}

// alter appends the LF form of src, which has been added, to dst, which may be
// src[:0]: whole lines at once, each with the line feed that ended the one before.
func (n *normaliser) alter(dst, src []byte) []byte {
	pairs := int64(0)
	for {
		i := bytes.IndexByte(src, '\r')
		if i < 0 {
			n.pairs(pairs)
			return append(dst, src...)
		}
		dst = append(dst, src[:i]...)
		if src = src[i+1:]; len(src) > 0 && src[0] == '\n' {
			pairs++
		} else {
			dst = append(dst, '\n')
		}
	}
}

// count reads a piece without changing it.
func (n *normaliser) count(src []byte) {
	if n.add(src) {
		n.pairs(int64(bytes.Count(src, []byte("\r\n"))))
	}
}

// add counts the line ends of a piece as if none were CRLF, and reports whether
// some may be.
func (n *normaliser) add(src []byte) bool {
	if len(src) == 0 {
		return false
	}
	n.last, n.some = src[len(src)-1], true
	n.lf += int64(bytes.Count(src, []byte{'\n'}))
	first := bytes.IndexByte(src, '\r')
	if first < 0 { // nearly always: one look less
		return false
	}
	n.cr += int64(bytes.Count(src[first:], []byte{'\r'}))
	return true
}

// pairs makes CRLFs of what add took for two line ends each.
func (n *normaliser) pairs(some int64) {
	n.lf, n.cr, n.crlf = n.lf-some, n.cr-some, n.crlf+some
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
