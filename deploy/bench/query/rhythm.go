package main

import (
	"sort"
	"time"
)

// rhythm is when in a year changes come: by day more than by night, and less at
// the weekend.
type rhythm struct {
	start time.Time
	until []float64 // share of the changes that come before the end of each hour
}

// byHour weighs the hours of a day.
var byHour = [24]float64{
	0.05, 0.02, 0.01, 0.01, 0.01, 0.02, 0.1, 0.3, 0.8, 1, 1, 1,
	0.6, 0.8, 1, 1, 1, 0.8, 0.4, 0.3, 0.4, 0.4, 0.2, 0.1,
}

const atWeekends = 0.3

// newRhythm returns that of the year before end.
func newRhythm(end time.Time) rhythm {
	r := rhythm{start: end.AddDate(-1, 0, 0)}
	var sum float64
	for at := r.start; at.Before(end); at = at.Add(time.Hour) {
		weight := byHour[at.Local().Hour()]
		if day := at.Local().Weekday(); day == time.Saturday || day == time.Sunday {
			weight *= atWeekends
		}
		sum += weight
		r.until = append(r.until, sum)
	}
	for i := range r.until {
		r.until[i] /= sum
	}
	return r
}

// at returns when a share of all changes, from 0 to 1, is over; a larger share
// gives a later time.
func (r rhythm) at(share float64) time.Time {
	hour := min(sort.SearchFloat64s(r.until, share), len(r.until)-1)
	var before float64
	if hour > 0 {
		before = r.until[hour-1]
	}
	within := min(max((share-before)/(r.until[hour]-before), 0), 1)
	return r.start.Add(time.Duration((float64(hour) + within) * float64(time.Hour)))
}
