package query

import (
	"math"
	"time"
)

// Range is a span of time that includes From and excludes To. A zero bound is
// open, but a row whose time is unreadable is in no range with a bound.
type Range struct{ From, To time.Time }

// Check returns ErrReversed where the range starts after its end.
func (r Range) Check() error {
	if !r.From.IsZero() && !r.To.IsZero() && r.From.After(r.To) {
		return ErrReversed
	}
	return nil
}

// Has reports whether a time is in the range.
func (r Range) Has(t time.Time) bool {
	return r == Range{} || !t.IsZero() && !t.Before(r.From) && (r.To.IsZero() || t.Before(r.To))
}

// Since returns the part of the range that is not before t.
func (r Range) Since(t time.Time) Range {
	if t.After(r.From) {
		r.From = t
	}
	return r
}

// Micros returns the range's first and last microsecond since the Unix epoch: stored
// times have whole ones, bounds need not. stepindex.NoTime is in no range.
func (r Range) Micros() (first, last int64) {
	first, last = math.MinInt64+1, math.MaxInt64
	if !r.From.IsZero() {
		first = ceilMicro(r.From)
	}
	if !r.To.IsZero() {
		last = ceilMicro(r.To) - 1
	}
	return first, last
}

// ceilMicro returns the first whole microsecond that is not before t.
func ceilMicro(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }
