package watch

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// eventOverhead is what an event costs in memory besides its paths. A guess.
const eventOverhead = 256

// readStep bounds how many events a subscriber looks at in one go, so that nobody
// holds the journal's lock for long, and how many it keeps from being forgotten.
const readStep = 256

// journal keeps the newest events in their order, bounded by number and bytes.
// Subscribers hold a position in it, not a queue: a slow one costs nothing, and
// learns that it was overtaken when it comes back.
//
// Events are numbered from 1. A position is the number of the last event passed.
// An epoch, random for each process, tells its positions from those of others.
type journal struct {
	epoch     string
	maxEvents int
	maxBytes  int64

	mu     sync.Mutex // guards what follows
	events []*Event   // nil stands for a dropped one
	first  uint64     // number of events[0]
	bytes  int64
	news   bool          // events that nobody has been told of
	wake   chan struct{} // closed and replaced by tell
	closed bool

	drops atomic.Uint64 // how often drop was called
}

func newJournal(maxEvents int, maxBytes int64) *journal {
	var epoch [8]byte
	_, _ = rand.Read(epoch[:]) // never fails
	return &journal{
		epoch: hex.EncodeToString(epoch[:]), maxEvents: maxEvents, maxBytes: maxBytes,
		first: 1, wake: make(chan struct{}),
	}
}

// append adds an event, which is read-only from then on. The subscribers are told
// by tell: once for many events.
func (j *journal) append(e *Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
	j.bytes += e.bytes()
	j.news = true
	for len(j.events) > j.maxEvents || (j.bytes > j.maxBytes && len(j.events) > 1) {
		j.bytes -= j.events[0].bytes()
		j.events[0] = nil // garbage before the slice grows again
		j.events = j.events[1:]
		j.first++
	}
}

// tell wakes the subscribers if there is news.
func (j *journal) tell() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.news {
		j.news = false
		j.signal()
	}
}

// drop takes the events of a watch out, leaving gaps in the numbering.
func (j *journal) drop(watch string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, e := range j.events {
		if e != nil && e.Watch == watch {
			j.bytes -= e.bytes()
			j.events[i] = nil
		}
	}
	j.drops.Add(1)
}

// close ends every subscription after the events that are there.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.closed {
		j.closed = true
		j.signal()
	}
}

func (j *journal) signal() {
	close(j.wake)
	j.wake = make(chan struct{})
}

// head returns the position after the newest event.
func (j *journal) head() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first + uint64(len(j.events)) - 1
}

// step is what a subscriber finds after its position.
type step struct {
	events    []entry
	overtaken bool            // the event after the position is held no more
	closed    bool            // there is nothing left and never will be
	more      bool            // there is more to look at now
	wake      <-chan struct{} // else closed when there is
	pos       uint64          // the new position
}

// entry is an event and its number.
type entry struct {
	*Event
	pos uint64
}

// after returns the next events after pos that wanted accepts.
func (j *journal) after(pos uint64, wanted func(*Event) bool) step {
	j.mu.Lock()
	defer j.mu.Unlock()
	if pos+1 < j.first {
		return step{pos: pos, overtaken: true}
	}
	events := j.events[pos+1-j.first:]
	s := step{pos: pos, more: len(events) > readStep, closed: j.closed, wake: j.wake}
	for _, e := range events[:min(len(events), readStep)] {
		s.pos++
		if e != nil && wanted(e) {
			s.events = append(s.events, entry{e, s.pos})
		}
	}
	return s
}

// holds reports whether the event after pos is still there, or yet to come.
func (j *journal) holds(pos uint64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return pos+1 >= j.first
}

// token writes a position of this process.
func (j *journal) token(pos uint64) string { return j.epoch + "-" + strconv.FormatUint(pos, 10) }

// parseToken reads a token that this service made, and whether this process did.
func (j *journal) parseToken(token string) (pos uint64, mine bool, err error) {
	epoch, digits, _ := strings.Cut(token, "-")
	raw, err := hex.DecodeString(epoch)
	pos, numErr := strconv.ParseUint(digits, 10, 64)
	mine = epoch == j.epoch
	// The comparison refuses other spellings of the same number and epoch.
	if err != nil || numErr != nil || len(raw) != 8 ||
		token != hex.EncodeToString(raw)+"-"+strconv.FormatUint(pos, 10) || (mine && pos > j.head()) {
		return 0, false, fmt.Errorf("resume token %.60q: %w", token, ErrInvalidToken)
	}
	return pos, mine, nil
}

func (e *Event) bytes() int64 {
	if e == nil {
		return 0
	}
	return eventOverhead + int64(len(e.Path)+len(e.OldPath))
}
