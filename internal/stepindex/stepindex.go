// Package stepindex is the form in which the table obby_steps holds steps: what
// filters and counts need of a run of rows of content_diffs, column by column, in
// some ten bytes a step instead of a row with its diff. The content-tracker writes
// it, the query-service reads it (docs/decisions/0014-step-index.md).
//
// # Model
//
// A Block is up to MaxSteps steps in the order of their ids; between the first and
// the last of them content_diffs has no other row. A column is kept as its least
// value and, for each step, the distance from it, all of one width. So a column
// whose values are all equal takes no room, and a block is read at the speed of a
// copy. Of the ids what is kept is how far they run ahead of a count without gaps.
//
// A time that nobody can read is NoTime.
package stepindex

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"
)

// MaxSteps is how many steps a block holds: at 10 to 16 bytes each it fits on two of
// the database's pages. A tenth of it would make the blocks themselves a table to
// search, ten times it would make a short page pay for a long block. A guess.
const MaxSteps = 1024

// NoTime is the time of a step that bears none that can be read.
const NoTime = math.MinInt64

// The types of change, as a block keeps them.
const (
	Other    = 0 // a text that the product does not know
	Created  = 1
	Modified = 2
	Deleted  = 3
	Moved    = 4
)

// types is how content_diffs holds each of them.
var types = []string{Created: "created", Modified: "modified", Deleted: "deleted", Moved: "moved"}

// Type returns the number of a change type as content_diffs holds it.
func Type(text string) int64 {
	return int64(max(Other, slices.Index(types, text)))
}

// TypeName returns the text of a type's number, empty for Other.
func TypeName(number int64) string { return types[number] }

// Block is the columns of a run of steps; all have one length.
type Block struct {
	ID      []int64 // content_diffs.id, ascending
	Time    []int64 // microseconds since the Unix epoch, or NoTime
	Path    []int64 // obby_paths.path_id
	Type    []int64 // Created to Moved, or Other
	Added   []int64 // lines
	Removed []int64 // lines
}

// ErrFormat is returned for bytes that are not a block.
var ErrFormat = errors.New("not a block of steps")

// formatVersion begins every block.
const formatVersion = 1

// padding lets eight bytes be read at the last value of the narrowest column.
const padding = 8

func (b *Block) columns() []*[]int64 {
	return []*[]int64{&b.ID, &b.Time, &b.Path, &b.Type, &b.Added, &b.Removed}
}

// Len returns the number of steps.
func (b *Block) Len() int { return len(b.ID) }

// Add appends a step.
func (b *Block) Add(id, at, path, kind, added, removed int64) {
	for i, value := range [6]int64{id, at, path, kind, added, removed} {
		column := b.columns()[i]
		*column = append(*column, value)
	}
}

// Denies reports whether the block has a step that bears another time.
func (b *Block) Denies(id, at int64) bool {
	i, ok := slices.BinarySearch(b.ID, id)
	return ok && b.Time[i] != at
}

// Times returns the least and the greatest time that can be read, and false where
// there is none.
func (b *Block) Times() (least, greatest int64, ok bool) {
	least, greatest = math.MaxInt64, math.MinInt64
	for _, at := range b.Time {
		if at != NoTime {
			least, greatest = min(least, at), max(greatest, at)
		}
	}
	return least, greatest, least <= greatest
}

// Encode returns the bytes of a block.
func (b *Block) Encode() []byte {
	data := binary.AppendUvarint([]byte{formatVersion}, uint64(b.Len()))
	ahead := make([]int64, b.Len())
	for i, id := range b.ID {
		ahead[i] = id - int64(i)
	}
	data = appendColumn(data, ahead)
	for _, column := range b.columns()[1:] {
		data = appendColumn(data, *column)
	}
	return append(data, make([]byte, padding)...)
}

func appendColumn(data []byte, column []int64) []byte {
	if len(column) == 0 {
		return append(data, 0, 0)
	}
	least := slices.Min(column)
	// As unsigned numbers the difference of any two fits.
	width := (bits.Len64(uint64(slices.Max(column))-uint64(least)) + 7) / 8
	data = append(binary.AppendVarint(data, least), byte(width))
	var value [8]byte
	for _, v := range column {
		binary.LittleEndian.PutUint64(value[:], uint64(v)-uint64(least))
		data = append(data, value[:width]...)
	}
	return data
}

// Decode reads a block into b, whose columns it uses again. Of bytes that Encode
// did not make it returns ErrFormat or some block.
func (b *Block) Decode(data []byte) error {
	if len(data) == 0 || data[0] != formatVersion {
		return ErrFormat
	}
	count, n := binary.Uvarint(data[1:])
	if n <= 0 || count > MaxSteps {
		return ErrFormat
	}
	data = data[1+n:]
	var err error
	for _, column := range b.columns() {
		*column = slices.Grow((*column)[:0], int(count))[:count]
		if data, err = decodeColumn(data, *column); err != nil {
			return err
		}
	}
	for i := range b.ID {
		b.ID[i] += int64(i)
		if b.Type[i] < Other || b.Type[i] > Moved || b.Path[i] < 0 {
			return ErrFormat
		}
	}
	return nil
}

func decodeColumn(data []byte, column []int64) (rest []byte, err error) {
	least, n := binary.Varint(data)
	if n <= 0 || len(data) == n || data[n] > 8 {
		return nil, ErrFormat
	}
	width := int(data[n])
	data = data[n+1:]
	size := len(column) * width
	if len(data) < size+padding {
		return nil, ErrFormat
	}
	switch width { // most columns are narrow
	case 0:
		for i := range column {
			column[i] = least
		}
	case 1:
		for i, value := range data[:len(column)] {
			column[i] = least + int64(value)
		}
	default:
		mask := uint64(1)<<(8*width) - 1 // for 8 the shift gives 0, and so all ones
		for i, at := 0, 0; i < len(column); i, at = i+1, at+width {
			column[i] = int64(uint64(least) + binary.LittleEndian.Uint64(data[at:])&mask)
		}
	}
	return data[size:], nil
}
