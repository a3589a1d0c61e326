package query

import (
	"slices"
	"time"
)

// Streak is a run of days with at least one step each. The days are midnights of UTC
// that stand for a calendar day of the zone.
type Streak struct {
	First, Last time.Time
	Days        int64 // 0: there is none
}

// Days is on which days of a zone something happened.
type Days struct {
	Active           int64
	Longest, Current Streak
}

// dayCount is Days in the making.
type dayCount struct {
	zone       *time.Location
	seen       map[int64]struct{} // days since 1970-01-01
	start, end int64              // of the day of the last step, in microseconds, end excluded
}

func newDayCount(zone *time.Location) *dayCount {
	return &dayCount{zone: zone, seen: map[int64]struct{}{}}
}

// add notes the day of a step. Most of them are of the day of the one before.
func (c *dayCount) add(at int64) {
	if c.start <= at && at < c.end {
		return
	}
	t := time.UnixMicro(at).In(c.zone)
	c.seen[day(t)] = struct{}{}
	year, month, date := t.Date()
	c.start, c.end = dayStart(year, month, date, c.zone).UnixMicro(), next(t, Day).UnixMicro()
}

// day numbers the calendar day of a time.
func day(t time.Time) int64 {
	year, month, date := t.Date()
	return time.Date(year, month, date, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay
}

const secondsPerDay = 24 * 60 * 60

// result returns the days, of which those reach to the present that end on the last
// day of the range, or the day before it. end is that of the range.
func (c *dayCount) result(end time.Time) Days {
	days := make([]int64, 0, len(c.seen))
	for d := range c.seen {
		days = append(days, d)
	}
	slices.Sort(days)
	result := Days{Active: int64(len(days))}
	first := 0
	for i, d := range days {
		if i > 0 && days[i-1] != d-1 {
			first = i
		}
		if s := streak(days[first], d); s.Days >= result.Longest.Days {
			result.Longest = s
		}
	}
	if last := day(end.Add(-1).In(c.zone)); len(days) > 0 && days[len(days)-1] >= last-1 {
		result.Current = streak(days[first], days[len(days)-1])
	}
	return result
}

func streak(first, last int64) Streak {
	date := func(d int64) time.Time { return time.Unix(d*secondsPerDay, 0).UTC() }
	return Streak{First: date(first), Last: date(last), Days: last - first + 1}
}
