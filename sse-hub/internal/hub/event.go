package hub

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a publication, beside the size of its data.
const (
	maxType = 64
	maxKey  = 255
	maxID   = 128 // far beyond the ids that are given out
)

// DefaultType is the event type of a publication that names none (WHATWG HTML 9.2.6).
const DefaultType = "message"

// Seq is an event's place in the one order of all topics. The first is 1; as a
// cursor, 0 stands before every event.
type Seq uint64

// Publication is what a publisher wants to have distributed.
type Publication struct {
	Topic string
	Type  string // empty: DefaultType
	Data  []byte // the hub keeps it: not to be changed any more
	Key   string // idempotency key within the topic; empty: none
}

// Receipt says where a publication stands.
type Receipt struct {
	ID        string
	Receivers int  // subscribers of the topic when its place was fixed
	Duplicate bool // the topic's key was used before: this is the answer given then
}

// Event is a publication at its place. All subscribers share it: it is read-only.
type Event struct {
	Seq   Seq
	ID    string
	Topic string // empty: none, see Log.After
	Type  string
	Data  []byte    // as published
	Time  time.Time // of publication
	Frame []byte    // as Server-Sent Events write it
	// Key and Receivers are what a repetition of the publication is answered with.
	Key       string
	Receivers int

	size int64 // what it takes in memory
}

// NewEvent builds the event that an epoch has at a place, its frame included: the
// same from the same, so that a log may keep less than all of it. E has what was
// published; NewEvent fills in the rest.
func NewEvent(epoch string, e Event) *Event {
	frame, kept, extra := openFrame(e.Type, e.Data)
	e.Data = kept
	e.seal(epoch, frame, extra)
	return &e
}

// seal gives an event the id of its place and closes the frame that openFrame
// has begun.
func (e *Event) seal(epoch string, frame []byte, extra int) {
	e.ID = FormatID(epoch, e.Seq)
	e.Frame = closeFrame(frame, e.ID)
	e.size = int64(cap(e.Frame)+extra+len(e.Topic)+len(e.Key)) + eventOverhead
}

// Size returns what the event takes in memory.
func (e *Event) Size() int64 { return e.size }

// eventOverhead is what an event takes in memory beside its text. A guess.
const eventOverhead = 256

// check reports why a publication cannot be taken. Nothing is ever stripped or
// replaced: that would publish something else (hub cases 7, 11, 12).
func (p *Publication) check(maxData int) error {
	if reason := checkTopic(p.Topic, false); reason != "" {
		return &InvalidError{"topic", reason}
	}
	if reason := checkType(p.Type); reason != "" {
		return &InvalidError{"event_type", reason}
	}
	if len(p.Key) > maxKey {
		return &InvalidError{"idempotency_key", fmt.Sprintf("has %d bytes; at most %d are allowed", len(p.Key), maxKey)}
	}
	// An estimate from below comes first: what is far too large is not walked.
	if size := len(p.Data); size > maxData {
		return fmt.Errorf("%w: %d bytes, of %d allowed", ErrTooLarge, size, maxData)
	}
	if !utf8.Valid(p.Data) {
		return &InvalidError{"data", "is not valid UTF-8; encode binary data, for example as base64"}
	}
	if size := framedSize(p.Data); size > maxData {
		return fmt.Errorf("%w: its lines take %d bytes of a stream, of %d allowed", ErrTooLarge, size, maxData)
	}
	return nil
}

func checkType(name string) string {
	odd := strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	})
	switch {
	case len(name) > maxType:
		return fmt.Sprintf("has %d bytes; at most %d are allowed", len(name), maxType)
	case odd:
		return fmt.Sprintf("%q has a character other than ASCII letters, digits, '.', '_' and '-'", name)
	case name == "open" || name == "error": // EventSource has events of its own by these names
		return fmt.Sprintf("%q is reserved: browsers use it for the connection", name)
	case name == "reset" || strings.HasPrefix(name, "hub."):
		return fmt.Sprintf("%q is reserved for the hub", name)
	}
	return ""
}

// FormatID writes an event's id.
func FormatID(epoch string, seq Seq) string {
	return epoch + "-" + strconv.FormatUint(uint64(seq), 10)
}

// parseID reads an id as FormatID writes it; other spellings of it were never
// given out. Ids come from strangers and may be anything (hub case 43).
func parseID(id string) (epoch string, seq Seq, ok bool) {
	if len(id) > maxID {
		return "", 0, false
	}
	epoch, digits, _ := strings.Cut(id, "-")
	n, err := strconv.ParseUint(digits, 10, 64)
	return epoch, Seq(n), err == nil && FormatID(epoch, Seq(n)) == id
}
