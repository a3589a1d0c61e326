package hub

import (
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"time"
)

// Log keeps the newest events in their order. It has one writer, the hub, and any
// number of readers, each with a cursor of its own; its methods are safe for
// concurrent use. Nobody is told of a new event by the log.
type Log interface {
	// Append stores an event, whose Seq is the one after Bounds' Newest. After
	// finds it from then on. With an error nothing was stored.
	Append(e *Event) error
	// After returns the first n events after a cursor, in order, fewer where
	// there are fewer. ErrOvertaken: the one after the cursor is no longer held.
	After(cursor Seq, n int) ([]*Event, error)
	// Bounds returns what is held now.
	Bounds() (Bounds, error)
}

// Bounds is what a log holds.
type Bounds struct {
	Epoch  string // of the ids; another one after earlier history was lost
	Oldest Seq    // first event held; Newest+1: none is
	Newest Seq    // last event given out, held or not; 0: none
	Bytes  int64  // what the events held take in memory or on disk
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

// MemoryLog is a Log that ends with the process; each has a new epoch.
type MemoryLog struct {
	epoch     string
	retention Retention

	mu     sync.Mutex // guards what follows
	events []*Event
	first  Seq // of events[0], or of the one to come
	bytes  int64
}

// NewMemoryLog returns an empty log.
func NewMemoryLog(r Retention) *MemoryLog {
	return &MemoryLog{epoch: strings.ToLower(rand.Text()[:8]), retention: r, first: 1}
}

// Append implements Log.
func (l *MemoryLog) Append(e *Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	l.bytes += e.size
	l.forget()
	return nil
}

// After implements Log.
func (l *MemoryLog) After(cursor Seq, n int) ([]*Event, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	if cursor+1 < l.first {
		return nil, ErrOvertaken
	}
	events := l.events[min(int(cursor+1-l.first), len(l.events)):]
	return slices.Clone(events[:min(n, len(events))]), nil
}

// Bounds implements Log.
func (l *MemoryLog) Bounds() (Bounds, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	newest := l.first + Seq(len(l.events)) - 1
	return Bounds{Epoch: l.epoch, Oldest: l.first, Newest: newest, Bytes: l.bytes}, nil
}

// forget drops what the retention no longer covers. Whoever looks at the log
// calls it first, so what is too old is never seen. Ages are measured by the
// monotonic clock that time.Now carries (hub case 68).
func (l *MemoryLog) forget() { // with mu held
	for len(l.events) > 0 && l.over(l.events[0]) {
		l.bytes -= l.events[0].size
		l.events[0] = nil // garbage before the slice grows again
		l.events = l.events[1:]
		l.first++
	}
}

func (l *MemoryLog) over(oldest *Event) bool {
	return len(l.events) > l.retention.Events ||
		(l.bytes > l.retention.Bytes && len(l.events) > 1) ||
		time.Since(oldest.Time) > l.retention.Age
}
