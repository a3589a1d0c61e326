package query

import (
	"sort"
	"time"
)

// Width is the width of a time bucket.
type Width int

// The widths. An hour is one of the zone's clock, a week begins on Monday.
const (
	Day Width = iota
	Hour
	Week
)

// Bucket is a part of a range and what happened in it.
type Bucket struct {
	Range
	Counts
}

// Buckets cuts a range with both bounds at the hours, days or weeks of a zone.
// The parts are the whole range without a gap, so the first and the last may be
// narrower than the others. An empty range has none.
func Buckets(r Range, width Width, zone *time.Location) ([]Bucket, error) {
	var buckets []Bucket
	for at := r.From.In(zone); at.Before(r.To); {
		if len(buckets) == MaxBuckets {
			return nil, ErrTooManyBuckets
		}
		end := next(at, width)
		if end.After(r.To) {
			end = r.To
		}
		buckets = append(buckets, Bucket{Range: Range{From: at, To: end}})
		at = end
	}
	return buckets, nil
}

// next returns the first boundary after at, in at's zone.
func next(at time.Time, width Width) time.Time {
	if width == Hour {
		// Clocks may change by half an hour: then the next step realigns.
		past := time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second + time.Duration(at.Nanosecond())
		return at.Add(time.Hour - past)
	}
	year, month, day := at.Date()
	step := 1
	if width == Week {
		step = 7
		day -= int(at.Weekday()+6) % 7 // back to Monday
	}
	for {
		day += step
		// A zone can skip a whole day by crossing the date line.
		if start := dayStart(year, month, day, at.Location()); start.After(at) {
			return start
		}
	}
}

// dayStart returns the first instant of a day, which is not always its midnight:
// some clocks change there (case 48).
func dayStart(year int, month time.Month, day int, zone *time.Location) time.Time {
	date := func(t time.Time) int { y, m, d := t.Date(); return (y*100+int(m))*100 + d }
	want := date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
	midnight := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if date(midnight) == want && date(midnight.Add(-1)) < want {
		return midnight
	}
	// Midnight is left out or comes twice. No change is by more than a day.
	from := midnight.Add(-26 * time.Hour)
	return from.Add(time.Second * time.Duration(sort.Search(52*60*60, func(i int) bool {
		return date(from.Add(time.Duration(i)*time.Second)) >= want
	})))
}
