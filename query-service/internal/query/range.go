package query

import "time"

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

// Since returns the part of the range that is not before t.
func (r Range) Since(t time.Time) Range {
	if t.After(r.From) {
		r.From = t
	}
	return r
}
