package track

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"unicode/utf8"
)

// stream reads a content that is not kept.
func stream(r io.Reader) (Content, error) {
	d := &digest{exact: sha256.New(), valid: true}
	chunk := chunks.Get().(*[]byte)
	defer chunks.Put(chunk)
	buffer, kept := *chunk, 0
	for first := true; ; first = false {
		n, err := io.ReadFull(r, buffer[kept:])
		end := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !end {
			return Content{}, err
		}
		piece := buffer[:kept+n]
		if first {
			d.binary = isBinary(piece)
		}
		kept = 0
		if !end {
			kept = unfinished(piece)
		}
		d.add(piece[:len(piece)-kept])
		if end {
			return d.content(), nil
		}
		copy(buffer, piece[len(piece)-kept:])
	}
}

// unfinished returns how many bytes at the end of a piece begin a rune that the
// next piece may complete.
func unfinished(piece []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(piece); n++ {
		if tail := piece[len(piece)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// digest hashes a content piece by piece. Whether its hash is that of the exact
// bytes or of the LF form is known at the end only, for one byte that is no UTF-8
// decides; until the first CR the two are the same.
type digest struct {
	binary, valid bool
	normal        normaliser
	size          int64
	exact         hash.Hash
	normed        hash.Hash // nil while it would be exact's, and when it cannot matter any more
	scratch       []byte
}

func (d *digest) add(piece []byte) {
	d.size += int64(len(piece))
	d.valid = d.valid && (d.binary || utf8.Valid(piece))
	if d.normed == nil && d.valid && !d.binary && bytes.IndexByte(piece, '\r') >= 0 {
		copied, _ := d.exact.(hash.Cloner).Clone() // of our own state: it cannot fail
		d.normed = copied
	}
	if !d.valid {
		d.normed = nil
	}
	d.exact.Write(piece)
	switch {
	case d.binary:
	case d.normed == nil && !d.normal.pendingCR && d.valid:
		d.normal.skip(piece)
	default:
		d.scratch = d.normal.append(d.scratch[:0], piece)
		if d.normed != nil {
			d.normed.Write(d.scratch)
		}
	}
}

func (d *digest) content() Content {
	c := Content{Size: d.size, Kind: Omitted, EOL: NoEOL, Hash: sum(d.exact)}
	if d.binary {
		return c
	}
	rest := d.normal.finish(nil)
	if d.normed != nil {
		d.normed.Write(rest)
		c.Hash = sum(d.normed)
	}
	c.EOL, c.LineCount = d.normal.ending(), d.normal.lineCount(!d.valid)
	return c
}

func sum(h hash.Hash) Hash { return Hash(hex.EncodeToString(h.Sum(nil))) }
