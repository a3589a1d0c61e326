package track

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
	"unicode/utf8"
)

// chunkBytes is how much of a large content is read at once: enough to make the
// calls cheap, and little enough to stay in a core's cache until it is hashed.
const chunkBytes = 512 << 10

// chunks are read in turn: while one is hashed, the other is filled.
var chunks = sync.Pool{New: func() any { return &[2][chunkBytes]byte{} }}

// stream reads a content piece by piece and hashes each while it reads the next.
// Whether the hash is that of the exact bytes or of the LF form is known at the
// end only, for one byte that is no UTF-8 decides; until the first CR the two are
// the same. Where that byte comes after a CR, ok is false: it must be read again,
// with exact set. To hash both would cost every CRLF text twice.
func stream(r io.Reader, size int64, exact, keep bool) (c Content, ok bool, err error) {
	pair := chunks.Get().(*[2][chunkBytes]byte)
	defer chunks.Put(pair)
	d := &digest{exact: exact}
	if keep {
		d.body = make([]byte, 0, size)
	}
	h := hashBehind(pair[0][:], pair[1][:])
	ok, err = d.read(r, h)
	hash := h.finish() // also on an error: it holds the chunks until then
	return d.content(hash, keep), ok, err
}

// behind hashes pieces in a goroutine of its own.
type behind struct {
	full chan []byte // to hash, in order
	free chan []byte // hashed; room for both, so that giving one back never waits
	hash chan Hash
}

func hashBehind(buffers ...[]byte) *behind {
	b := &behind{full: make(chan []byte), free: make(chan []byte, len(buffers)), hash: make(chan Hash)}
	for _, buffer := range buffers {
		b.free <- buffer
	}
	go func() { // ends with finish
		h := sha256.New()
		for piece := range b.full {
			h.Write(piece)
			b.free <- piece[:cap(piece)]
		}
		b.hash <- Hash(hex.EncodeToString(h.Sum(nil)))
	}()
	return b
}

func (b *behind) finish() Hash {
	close(b.full)
	return <-b.hash
}

// digest is what is known of a content that is read piece by piece.
type digest struct {
	exact, binary, lossy bool
	normal               normaliser
	size                 int64
	body                 []byte // what is kept: as it is hashed
}

// read reads to the end and has every piece hashed; ok is false where what was
// hashed turns out not to be what should have been.
func (d *digest) read(r io.Reader, h *behind) (ok bool, err error) {
	var held [utf8.UTFMax]byte
	kept := 0
	for first := true; ; first = false {
		buffer := <-h.free
		copy(buffer, held[:kept])
		n, err := io.ReadFull(r, buffer[kept:])
		end := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !end {
			return false, err
		}
		piece := buffer[:kept+n]
		if first {
			d.binary = isBinary(piece)
		}
		kept = 0
		if !end {
			kept = copy(held[:], piece[len(piece)-unfinished(piece):])
		}
		piece, ok = d.add(piece[:len(piece)-kept])
		if !ok {
			return false, nil
		}
		h.full <- piece
		if end {
			return true, nil
		}
	}
}

// add returns what is to be hashed of a piece, which it changes.
func (d *digest) add(piece []byte) (hashed []byte, ok bool) {
	d.size += int64(len(piece))
	d.lossy = d.lossy || !d.binary && !utf8.Valid(piece)
	if d.lossy && !d.exact {
		if d.normal.crlf+d.normal.cr > 0 {
			return nil, false
		}
		d.exact = true
	}
	switch {
	case d.binary:
	case d.exact:
		d.normal.count(piece)
	default:
		piece = d.normal.replace(piece)
	}
	if d.body != nil {
		d.body = append(d.body, piece...)
	}
	return piece, true
}

func (d *digest) content(hash Hash, keep bool) Content {
	c := Content{Size: d.size, Kind: Text, EOL: NoEOL, Hash: hash}
	if keep {
		c.Body = d.body
	}
	switch {
	case d.binary:
		c.Kind = Binary
		return c
	case d.lossy:
		c.Kind = Lossy
	}
	c.EOL, c.LineCount = d.normal.ending(), d.normal.lineCount(d.lossy)
	return c
}

// unfinished returns how many bytes at the end of a piece mean something only
// with the next: the beginning of a rune, and a CR, which may be half of a CRLF
// (tracker case 1).
func unfinished(piece []byte) int {
	if bytes.HasSuffix(piece, []byte{'\r'}) {
		return 1
	}
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
