package hub

import (
	"crypto/rand"
	"slices"
	"strings"
	"sync"
	"time"
)

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
	return &MemoryLog{epoch: NewEpoch(), retention: r, first: 1}
}

// NewEpoch returns a name for a new order of events. Letters and digits alone: ids
// travel in headers and URLs.
func NewEpoch() string { return strings.ToLower(rand.Text()[:8]) }

// Append implements Log.
func (l *MemoryLog) Append(events []*Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, events...)
	for _, e := range events {
		l.bytes += e.size
	}
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
	return Bounds{Epoch: l.epoch, Oldest: l.first, Newest: newest, Bytes: l.bytes, Memory: l.bytes}, nil
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
