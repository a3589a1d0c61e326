package watch

import "time"

// boundFactor times the quiet delay is how long a path that never rests can
// stay unreported (case 23).
const boundFactor = 10

// largeMap is when an empty map is dropped instead of kept: it never gets smaller
// by itself, and a storm is rare. A guess.
const largeMap = 1000

// mark is what is known of a dirty entry besides that it is dirty.
type mark struct {
	written bool  // its content was written, whatever size and time say (case 44)
	initial bool  // it was there before; a pattern now matches it
	id      ident // of the file that arrived there, zero where none was seen
}

// place is a name in a known directory: it stays the same when the
// directory is renamed. The name "" is the directory itself.
type place struct {
	dir  *node
	name string
}

// dirty is an entry that has come to rest.
type dirty struct {
	place
	written, initial bool // as in mark
}

// settle decides when a dirty entry has come to rest: when it was left alone for
// the quiet delay, or when it has been dirty for boundFactor times as long.
//
// It is a pure state machine: the caller brings the time, which must not run
// backwards. Every operation costs the same however many entries wait, because
// both clocks are lists in the order in which they run out; there is no timer but
// the caller's.
type settle struct {
	delay   time.Duration
	origin  time.Time // of the times in waiting, which carry no wall clock (case 43)
	places  map[place]*waiting
	peak    int                // most entries since the maps are as they are
	ids     map[ident]*waiting // of the marks that have one, as few do
	arrived map[*waiting]ident // the same, the other way round
	resting queue              // least recently touched first
	bounded queue              // longest dirty first
}

// waiting is what a dirty entry costs; there may be very many.
type waiting struct {
	dirty
	first, last time.Duration // when it was touched, since origin
	links       [2]link
}

func newSettle(delay time.Duration) *settle {
	return &settle{
		delay: delay, places: map[place]*waiting{}, ids: map[ident]*waiting{}, arrived: map[*waiting]ident{},
		resting: queue{which: 0}, bounded: queue{which: 1},
	}
}

// add notes that e was touched.
func (s *settle) add(e place, m mark, now time.Time) {
	if s.origin.IsZero() {
		s.origin = now
	}
	at := now.Sub(s.origin)
	w := s.places[e]
	if w == nil {
		w = &waiting{dirty: dirty{e, m.written, m.initial}, first: at, last: at}
		s.bounded.push(w)
		s.places[e] = w
		s.peak = max(s.peak, len(s.places))
	} else {
		w.written, w.last = w.written || m.written, at
		if m.id != (ident{}) && m.id != s.arrived[w] { // another file
			w.initial = w.initial && m.initial
		}
		s.resting.remove(w)
	}
	s.resting.push(w)
	if m.id != (ident{}) {
		s.forgetID(w)
		s.ids[m.id], s.arrived[w] = w, m.id
	}
}

// due removes and returns the entries that have come to rest.
func (s *settle) due(now time.Time) []dirty {
	at := now.Sub(s.origin)
	var out []dirty
	for w := s.resting.head; w != nil && at >= w.last+s.delay; w = s.resting.head {
		out = append(out, s.remove(w))
	}
	for w := s.bounded.head; w != nil && at >= w.first+boundFactor*s.delay; w = s.bounded.head {
		out = append(out, s.remove(w))
	}
	return out
}

// all removes and returns every entry.
func (s *settle) all() []dirty {
	var out []dirty
	for s.resting.head != nil {
		out = append(out, s.remove(s.resting.head))
	}
	return out
}

// next returns when due has something to return, if nothing is added before;
// zero for never.
func (s *settle) next() time.Time {
	if s.resting.head == nil {
		return time.Time{}
	}
	return s.origin.Add(min(s.resting.head.last+s.delay, s.bounded.head.first+boundFactor*s.delay))
}

// earliest returns the first of times in time, of which zero stands for never.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if first.IsZero() || !t.IsZero() && t.Before(first) {
			first = t
		}
	}
	return first
}

// arriving reports whether the file id has been seen to arrive at an entry that
// does not rest yet.
func (s *settle) arriving(id ident) bool { return s.ids[id] != nil }

// len returns the number of dirty entries.
func (s *settle) len() int { return len(s.places) }

func (s *settle) remove(w *waiting) dirty {
	s.resting.remove(w)
	s.bounded.remove(w)
	s.forgetID(w)
	delete(s.places, w.place)
	if len(s.places) == 0 && s.peak > largeMap {
		s.places, s.ids, s.arrived, s.peak = map[place]*waiting{}, map[ident]*waiting{}, map[*waiting]ident{}, 0
	}
	return w.dirty
}

func (s *settle) forgetID(w *waiting) {
	id, ok := s.arrived[w]
	if !ok {
		return
	}
	delete(s.arrived, w)
	if s.ids[id] == w {
		delete(s.ids, id)
	}
}

// queue is a list through the links of its elements, each of which can be taken
// out of the middle without being searched.
type queue struct {
	head, tail *waiting
	which      int // of an element's links
}

type link struct{ prev, next *waiting }

func (q *queue) push(w *waiting) {
	w.links[q.which] = link{prev: q.tail}
	if q.tail == nil {
		q.head = w
	} else {
		q.tail.links[q.which].next = w
	}
	q.tail = w
}

func (q *queue) remove(w *waiting) {
	l := w.links[q.which]
	if l.prev == nil {
		q.head = l.next
	} else {
		l.prev.links[q.which].next = l.next
	}
	if l.next == nil {
		q.tail = l.prev
	} else {
		l.next.links[q.which].prev = l.prev
	}
	w.links[q.which] = link{}
}
