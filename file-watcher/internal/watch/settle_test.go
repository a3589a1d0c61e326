package watch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Unix(1e9, 0)

// ms returns a moment of a test's own clock.
func ms(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

// named returns a place in no directory.
func named(name string) place { return place{name: name} }

func names(due []dirty) []string {
	var out []string
	for _, d := range due {
		out = append(out, d.name)
	}
	return out
}

func expectNames(t *testing.T, got []dirty, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, names(got)); diff != "" {
		t.Errorf("due (-want +got):\n%s", diff)
	}
}

func TestSettleQuietDelay(t *testing.T) {
	s := newSettle(10 * time.Millisecond)
	s.add(named("a"), mark{}, ms(0))
	s.add(named("b"), mark{}, ms(4))
	s.add(named("a"), mark{}, ms(8))
	if got := s.next(); !got.Equal(ms(14)) {
		t.Errorf("next is %v, want that of b", got)
	}
	expectNames(t, s.due(ms(13)))
	expectNames(t, s.due(ms(14)), "b")
	expectNames(t, s.due(ms(18)), "a")
	if !s.next().IsZero() || s.len() != 0 {
		t.Errorf("next is %v and %d paths are left, want none", s.next(), s.len())
	}
}

func TestSettleUpperBound(t *testing.T) {
	t.Run("case 23: a file that never rests is reported once per bound", func(t *testing.T) {
		s := newSettle(10 * time.Millisecond)
		var reported []int
		for i := range 1000 {
			s.add(named("log"), mark{written: true}, ms(i))
			if len(s.due(ms(i))) > 0 {
				reported = append(reported, i)
			}
		}
		if len(reported) != 9 {
			t.Errorf("reported at %v, want once each 10 delays", reported)
		}
	})
	t.Run("next is the bound where that comes first", func(t *testing.T) {
		s := newSettle(10 * time.Millisecond)
		for i := 0; i <= 99; i++ {
			s.add(named("log"), mark{}, ms(i))
		}
		if got := s.next(); !got.Equal(ms(100)) {
			t.Errorf("next is %v", got)
		}
	})
}

func TestSettleWithoutDelay(t *testing.T) {
	s := newSettle(0)
	s.add(named("a"), mark{}, ms(0))
	expectNames(t, s.due(ms(0)), "a")
}

func TestSettleMergesMarks(t *testing.T) {
	one, two := ident{ino: 1}, ident{ino: 2}
	for _, tc := range []struct {
		name        string
		first, next mark
		want        mark
	}{
		{"written stays", mark{written: true}, mark{}, mark{written: true}},
		{"a write to what was there before", mark{initial: true, id: one}, mark{written: true}, mark{initial: true, written: true, id: one}},
		{"another file arrives", mark{initial: true, id: one}, mark{id: two}, mark{id: two}},
		{"the same file is found again", mark{initial: true, id: one}, mark{id: one}, mark{initial: true, id: one}},
		{"a new file is found by a scan for new patterns", mark{id: one}, mark{initial: true, id: one}, mark{id: one}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSettle(0)
			s.add(named("a"), tc.first, ms(0))
			s.add(named("a"), tc.next, ms(0))
			if !s.arriving(tc.want.id) && tc.want.id != (ident{}) {
				t.Errorf("file %v is not arriving", tc.want.id)
			}
			want := dirty{named("a"), tc.want.written, tc.want.initial}
			if got := s.due(ms(0)); len(got) != 1 || got[0] != want {
				t.Errorf("due is %+v, want %+v", got, want)
			}
			if len(s.ids)+len(s.arrived) > 0 {
				t.Errorf("left is %v, %v", s.ids, s.arrived)
			}
		})
	}
}

func TestSettleArriving(t *testing.T) {
	one, two := ident{ino: 1}, ident{ino: 2}
	s := newSettle(0)
	s.add(named("a"), mark{id: one}, ms(0))
	if !s.arriving(one) || s.arriving(two) || s.arriving(ident{}) {
		t.Error("only the file at a is arriving")
	}
	s.add(named("a"), mark{id: two}, ms(0))
	if s.arriving(one) || !s.arriving(two) {
		t.Error("the second file took the place of the first")
	}
	s.due(ms(0))
	if s.arriving(two) {
		t.Error("it has settled")
	}
}

func TestDeparted(t *testing.T) {
	file := func(ino uint64) *node { return &node{info: info{id: ident{ino: ino}}} }
	a, b, c := file(1), file(2), file(3)
	over := func(n int) time.Time { return ms(n).Add(pairWait) }
	d := newDeparted()
	d.add(a, ms(0))
	d.add(b, ms(1))
	d.add(c, ms(2))
	d.drop(a)       // back
	d.add(b, ms(3)) // gone once more
	if d.find(ident{ino: 1}) != nil || d.find(ident{ino: 2}) != b || d.has(a) {
		t.Error("a is back, b is gone")
	}
	if got := d.next(); !got.Equal(over(2)) {
		t.Errorf("next is %v, want that of c", got)
	}
	if got := d.expired(over(2)); len(got) != 1 || got[0] != c {
		t.Errorf("expired is %v, want c", got)
	}
	if got := d.all(); len(got) != 1 || got[0] != b || d.len() != 0 || !d.next().IsZero() {
		t.Errorf("left is %v, want b", got)
	}
}
