package store

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// A record is its payload's length and CRC-32C, four bytes each, and the payload:
// sequence, time, receivers, place in the group that was written in one go, the
// lengths of topic, type and key, these, and the data. All numbers are
// little-endian.
const (
	frameBytes = 8
	fixedBytes = 8 + 8 + 4 + 4 + 3
	// leastRecord is that of nothing: an event without topic, type, key and data.
	leastRecord = frameBytes + fixedBytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func recordBytes(e *hub.Event) int {
	return frameBytes + fixedBytes + len(e.Topic) + len(e.Type) + len(e.Key) + len(e.Data)
}

// appendRecord adds the record of the event at a place, from 0 on, in its group.
func appendRecord(dst []byte, e *hub.Event, place int) []byte {
	start := len(dst)
	order := binary.LittleEndian
	dst = order.AppendUint32(dst, uint32(recordBytes(e)-frameBytes))
	dst = order.AppendUint32(dst, 0) // the sum, below
	dst = order.AppendUint64(dst, uint64(e.Seq))
	dst = order.AppendUint64(dst, uint64(e.Time.UnixNano()))
	dst = order.AppendUint32(dst, uint32(e.Receivers))
	dst = order.AppendUint32(dst, uint32(place))
	dst = append(dst, byte(len(e.Topic)), byte(len(e.Type)), byte(len(e.Key))) // each at most 255
	dst = append(dst, e.Topic...)
	dst = append(dst, e.Type...)
	dst = append(dst, e.Key...)
	dst = append(dst, e.Data...)
	order.PutUint32(dst[start+4:], crc32.Checksum(dst[start+frameBytes:], castagnoli))
	return dst
}

// cutRecord returns the first record's payload and size; ok is false where there
// is no whole record.
func cutRecord(b []byte) (payload []byte, size int, ok bool) {
	if len(b) < frameBytes+fixedBytes {
		return nil, 0, false
	}
	length := int64(binary.LittleEndian.Uint32(b))
	if length < fixedBytes || length > int64(len(b)-frameBytes) {
		return nil, 0, false
	}
	payload = b[frameBytes : frameBytes+length]
	names := int64(payload[24]) + int64(payload[25]) + int64(payload[26])
	ok = crc32.Checksum(payload, castagnoli) == binary.LittleEndian.Uint32(b[4:]) && fixedBytes+names <= length
	return payload, frameBytes + int(length), ok
}

func seqOf(payload []byte) hub.Seq { return hub.Seq(binary.LittleEndian.Uint64(payload)) }

// groupStart returns the first sequence of the group that a record was written in.
func groupStart(payload []byte) hub.Seq {
	return seqOf(payload) - hub.Seq(binary.LittleEndian.Uint32(payload[20:]))
}

func timeOf(payload []byte) time.Time {
	return time.Unix(0, int64(binary.LittleEndian.Uint64(payload[8:])))
}

// keyOf returns a record's idempotency key and what a repetition is answered.
func keyOf(payload []byte, epoch string) keyed {
	e := contents(payload)
	return keyed{e.Topic, e.Key, hub.Receipt{ID: hub.FormatID(epoch, e.Seq), Receivers: e.Receivers}}
}

// contents reads a record, whose data it shares.
func contents(payload []byte) hub.Event {
	cut := func(n byte) string {
		text := string(payload[:n])
		payload = payload[n:]
		return text
	}
	e := hub.Event{Seq: seqOf(payload), Time: timeOf(payload), Receivers: int(binary.LittleEndian.Uint32(payload[16:]))}
	topic, kind, key := payload[24], payload[25], payload[26]
	payload = payload[fixedBytes:]
	e.Topic, e.Type, e.Key = cut(topic), cut(kind), cut(key)
	e.Data = payload
	return e
}
