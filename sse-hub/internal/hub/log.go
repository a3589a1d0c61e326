package hub

import "time"

// Log keeps the newest events in their order. It has one writer, the hub, and any
// number of readers, each with a cursor of its own; its methods are safe for
// concurrent use. Nobody is told of a new event by the log.
type Log interface {
	// Append stores at most MaxGroup events, whose Seqs follow Bounds' Newest one by
	// one. When it returns they are as safe as the log makes them, and After finds
	// them; not before. With an error none of them was stored, and none will be
	// found.
	Append(events []*Event) error
	// After returns the first events after a cursor, in order: at least one where
	// there is one, at most n, and fewer where they would take much memory.
	// ErrOvertaken: the one after the cursor is no longer held. An event without a
	// topic is a place that is given to nothing: nobody wants it.
	After(cursor Seq, n int) ([]*Event, error)
	// Bounds returns what is held now.
	Bounds() (Bounds, error)
}

// Recaller is what a Log may be that outlives the process: it remembers the keys
// of its publications.
type Recaller interface {
	// Recall calls known for the n newest events that had a key, oldest first, as
	// far as the log still knows them.
	Recall(n int, known func(topic, key string, r Receipt)) error
}

// Bounds is what a log holds.
type Bounds struct {
	Epoch  string // of the ids; another one after earlier history was lost
	Oldest Seq    // first event held; Newest+1: none is
	Newest Seq    // last event given out, held or not; 0: none
	Bytes  int64  // what the events held take in memory or on disk
	Memory int64  // what of them is in memory takes there
}

// Reason says why a client's last event id cannot be honoured.
type Reason string

// The reasons of a reset.
const (
	Expired Reason = "expired" // what comes after it is no longer held
	Epoch   Reason = "epoch"   // it is of another epoch, or was never given out
	Future  Reason = "future"  // it is of this epoch, but newer than the newest
)

// place reads an id as a cursor.
func (b *Bounds) place(id string) (cursor Seq, why Reason) {
	epoch, cursor, ok := parseID(id)
	switch {
	case !ok || epoch != b.Epoch:
		return 0, Epoch
	case cursor > b.Newest: // never "caught up": the history went back (hub case 42)
		return 0, Future
	case cursor+1 < b.Oldest:
		return 0, Expired
	}
	return cursor, ""
}

// Retention bounds a log. The newest event is held whatever its size.
type Retention struct {
	Events int
	Bytes  int64
	Age    time.Duration
}
