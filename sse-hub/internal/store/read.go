package store

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// Older events are read in groups that begin at fixed places, so that readers who
// are near each other share them. Guesses.
const (
	groupEvents = 16
	keptGroups  = 64
	keptBytes   = 4 << 20
	readBytes   = 256 << 10 // where a read stops, at the next group's end
)

// recent is the newest events, as a whole. The log's lock guards it.
type recent struct {
	events []*hub.Event
	first  hub.Seq // of events[0], or of the one to come
	bytes  int64
}

func (r *recent) add(e *hub.Event, limit int64) {
	r.events = append(r.events, e)
	for r.bytes += e.Size(); r.bytes > limit; {
		r.pop()
	}
}

func (r *recent) pop() {
	r.bytes -= r.events[0].Size()
	r.events[0] = nil // garbage before the slice grows again
	r.events = r.events[1:]
	r.first++
}

func (r *recent) dropBefore(first hub.Seq) {
	for len(r.events) > 0 && r.first < first {
		r.pop()
	}
}

// After implements hub.Log.
func (l *Log) After(cursor hub.Seq, n int) ([]*hub.Event, error) {
	var older []*hub.Event
	for size := int64(0); ; {
		events, want, err := l.look(cursor, n-len(older))
		if err != nil || want == nil {
			return append(older, events...), err
		}
		group, err := l.groups.get(groupKey{want.start, len(want.sizes)}, func() ([]*hub.Event, error) { return want.read(l.epoch) })
		if err != nil && len(older) > 0 {
			return older, nil // the next call meets it
		}
		if err != nil {
			return nil, l.unreadable(cursor, err)
		}
		if events = group[cursor+1-want.start:]; len(events) > n-len(older) {
			events = events[:n-len(older)]
		}
		older = append(older, events...)
		cursor = older[len(older)-1].Seq
		for _, e := range events {
			size += e.Size()
		}
		if len(older) == n || size >= readBytes {
			return older, nil
		}
	}
}

// look returns events after a cursor from memory, or which group has to be read.
func (l *Log) look(cursor hub.Seq, n int) ([]*hub.Event, *group, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	switch {
	case cursor+1 < l.first:
		return nil, nil, hub.ErrOvertaken
	case cursor+1 >= l.recent.first:
		events := l.recent.events[min(int(cursor+1-l.recent.first), len(l.recent.events)):]
		return slices.Clone(events[:min(n, len(events))]), nil, nil
	}
	return nil, l.groupOf(cursor + 1), nil
}

// group is a run of events in one segment.
type group struct {
	start  hub.Seq
	file   *os.File
	offset int64
	sizes  []uint32
}

// groupOf returns the group that holds an event; what is forgotten before it, or
// in an earlier segment, does not count.
func (l *Log) groupOf(seq hub.Seq) *group { // with mu held
	at, found := slices.BinarySearchFunc(l.segments, seq, func(s *segment, seq hub.Seq) int {
		return int(int64(s.first - seq))
	})
	if !found {
		at--
	}
	s := l.segments[at]
	end := l.next()
	if at+1 < len(l.segments) {
		end = l.segments[at+1].first
	}
	g := &group{start: max(seq-seq%groupEvents, l.first, s.first), file: s.file}
	g.offset = int64(l.places[g.start-l.first].offset)
	for next := g.start; next < end && (next == g.start || next%groupEvents != 0); next++ {
		g.sizes = append(g.sizes, l.places[next-l.first].size)
	}
	return g
}

// read reads the group's events from disk.
func (g *group) read(epoch string) ([]*hub.Event, error) {
	total := 0
	for _, size := range g.sizes {
		total += int(size)
	}
	b := make([]byte, total)
	if _, err := g.file.ReadAt(b, g.offset); err != nil {
		return nil, err
	}
	events := make([]*hub.Event, len(g.sizes))
	for i := range events {
		payload, size, ok := cutRecord(b)
		if !ok || seqOf(payload) != g.start+hub.Seq(i) {
			return nil, fmt.Errorf("event %d in %s is damaged", g.start+hub.Seq(i), g.file.Name())
		}
		events[i] = hub.NewEvent(epoch, contents(payload))
		b = b[size:]
	}
	return events, nil
}

// unreadable makes of events that cannot be read events that are not held, so that
// readers are told instead of trying for ever.
func (l *Log) unreadable(cursor hub.Seq, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(err, os.ErrClosed) && cursor+1 < l.first {
		return hub.ErrOvertaken // it was forgotten meanwhile
	}
	seq := cursor + 1
	lost := min(l.next(), seq-seq%groupEvents+groupEvents)
	l.log.Error("events cannot be read and are given up", "up_to", lost-1, "err", err)
	for l.first < lost {
		l.drop()
	}
	return hub.ErrOvertaken
}

// groups are those read last; of readers that want the same, one reads.
type groups struct {
	mu    sync.Mutex // guards what follows
	known map[groupKey]*loading
	order []groupKey // oldest first
	bytes int64
}

// groupKey names a group as it was: the newest one grows.
type groupKey struct {
	start hub.Seq
	n     int
}

type loading struct {
	once   sync.Once
	events []*hub.Event
	size   int64 // counted in groups.bytes, whose lock guards it
	err    error
}

func (g *groups) get(key groupKey, read func() ([]*hub.Event, error)) ([]*hub.Event, error) {
	g.mu.Lock()
	one := g.known[key]
	if one == nil {
		if g.known == nil {
			g.known = map[groupKey]*loading{}
		}
		one = &loading{}
		g.known[key] = one
		g.order = append(g.order, key)
	}
	g.mu.Unlock()
	one.once.Do(func() {
		one.events, one.err = read()
		g.read(key, one)
	})
	return one.events, one.err
}

// read counts what was read and lets go of what was read long ago; what failed is
// not kept.
func (g *groups) read(key groupKey, one *loading) {
	size := int64(0)
	for _, e := range one.events {
		size += e.Size()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known[key] == one { // else it was let go of while it was read
		one.size = size
		g.bytes += size
	}
	for len(g.order) > 0 && (len(g.order) > keptGroups || g.bytes > keptBytes || one.err != nil) {
		if old := g.known[g.order[0]]; old != nil {
			g.bytes -= old.size
		}
		delete(g.known, g.order[0])
		g.order = g.order[1:]
	}
}
