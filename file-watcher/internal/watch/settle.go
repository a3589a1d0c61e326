package watch

import (
	"container/list"
	"strings"
	"time"
)

// boundFactor times the quiet delay is how long a path that never rests can
// stay unreported (case 23).
const boundFactor = 10

// mark is what is known of a dirty path besides that it is dirty.
type mark struct {
	written bool  // its content was written, whatever size and time say (case 44)
	initial bool  // it was there before; a pattern now matches it
	id      ident // of the file that arrived at the path, zero where none was seen
}

// merge adds a later mark to m.
func (m mark) merge(later mark) mark {
	m.written = m.written || later.written
	if later.id != (ident{}) {
		m.id = later.id
		m.initial = m.initial && later.initial
	}
	return m
}

// dirty is a path that has come to rest.
type dirty struct {
	path string
	mark mark
}

// settle decides when a dirty path has come to rest: when it was left alone for
// the quiet delay, or when it has been dirty for boundFactor times as long.
//
// It is a pure state machine: the caller brings the time, which must not run
// backwards. Every operation but move costs the same however many paths wait,
// because both clocks are lists in the order in which they run out.
type settle struct {
	delay   time.Duration
	paths   map[string]*waiting
	ids     map[ident]*waiting // of the marks that have one
	resting list.List          // of *waiting, least recently touched first
	bounded list.List          // of *waiting, longest dirty first
}

type waiting struct {
	dirty
	first, last    time.Time
	resting, bound *list.Element
}

func newSettle(delay time.Duration) *settle {
	return &settle{delay: delay, paths: map[string]*waiting{}, ids: map[ident]*waiting{}}
}

// add notes that path was touched.
func (s *settle) add(path string, m mark, now time.Time) {
	w := s.paths[path]
	if w == nil {
		w = &waiting{dirty: dirty{path, m}, first: now, last: now}
		w.resting, w.bound = s.resting.PushBack(w), s.bounded.PushBack(w)
		s.paths[path] = w
	} else {
		s.forgetID(w)
		w.mark, w.last = w.mark.merge(m), now
		s.resting.MoveToBack(w.resting)
	}
	s.rememberID(w)
}

// due removes and returns the paths that have come to rest.
func (s *settle) due(now time.Time) []dirty {
	var out []dirty
	for e := s.resting.Front(); e != nil && !now.Before(e.Value.(*waiting).last.Add(s.delay)); e = s.resting.Front() {
		out = append(out, s.remove(e.Value.(*waiting)))
	}
	for e := s.bounded.Front(); e != nil && !now.Before(e.Value.(*waiting).first.Add(boundFactor*s.delay)); e = s.bounded.Front() {
		out = append(out, s.remove(e.Value.(*waiting)))
	}
	return out
}

// all removes and returns every path.
func (s *settle) all() []dirty {
	var out []dirty
	for e := s.resting.Front(); e != nil; e = s.resting.Front() {
		out = append(out, s.remove(e.Value.(*waiting)))
	}
	return out
}

// next returns when due has something to return, if nothing is added before;
// zero for never.
func (s *settle) next() time.Time {
	if s.resting.Len() == 0 {
		return time.Time{}
	}
	rest := s.resting.Front().Value.(*waiting).last.Add(s.delay)
	bound := s.bounded.Front().Value.(*waiting).first.Add(boundFactor * s.delay)
	return earliest(rest, bound)
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

// arriving reports whether the file id has been seen to arrive at a path that
// does not rest yet.
func (s *settle) arriving(id ident) bool { return s.ids[id] != nil }

// len returns the number of dirty paths.
func (s *settle) len() int { return len(s.paths) }

// move renames every dirty path below the directory from, so that what happened
// there before it was renamed is reported where it is now.
func (s *settle) move(from, to string) {
	prefix := from + "/"
	for path, w := range s.paths {
		rest, ok := strings.CutPrefix(path, prefix)
		if !ok {
			continue
		}
		path := to + "/" + rest
		if other := s.paths[path]; other != nil {
			// Both names were touched: the mark that is there already stays, and
			// learns what this one knew. Deleting while ranging is allowed.
			s.remove(w)
			s.forgetID(other)
			other.mark = w.mark.merge(other.mark)
			s.rememberID(other)
			continue
		}
		delete(s.paths, w.path)
		w.path = path
		s.paths[path] = w
	}
}

func (s *settle) remove(w *waiting) dirty {
	s.resting.Remove(w.resting)
	s.bounded.Remove(w.bound)
	s.forgetID(w)
	delete(s.paths, w.path)
	return w.dirty
}

func (s *settle) rememberID(w *waiting) {
	if w.mark.id != (ident{}) {
		s.ids[w.mark.id] = w
	}
}

func (s *settle) forgetID(w *waiting) {
	if s.ids[w.mark.id] == w {
		delete(s.ids, w.mark.id)
	}
}
