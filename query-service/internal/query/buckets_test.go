package query

import (
	"errors"
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := Zone(name)
	if err != nil {
		t.Fatalf("zone %s: %v", name, err)
	}
	return z
}

func TestBuckets(t *testing.T) {
	const layout = "2006-01-02 15:04"
	for _, tc := range []struct {
		name, zone, from, to string
		width                Width
		count                int
		second               string // wall-clock start of the second bucket
	}{
		{"case 48: the day that clocks go forward has 23 hours", "Europe/Berlin", "2024-03-31 00:00", "2024-04-01 00:00", Hour, 23, "2024-03-31 01:00"},
		{"case 48: the day that clocks go back has 25 hours", "Europe/Berlin", "2024-10-27 00:00", "2024-10-28 00:00", Hour, 25, "2024-10-27 01:00"},
		{"case 48: days around a change are days", "Europe/Berlin", "2024-03-30 00:00", "2024-04-02 00:00", Day, 3, "2024-03-31 00:00"},
		{"case 48: a day without its midnight", "America/Sao_Paulo", "2018-11-03 00:00", "2018-11-06 00:00", Day, 3, "2018-11-04 01:00"},
		{"case 48: a day with two midnights", "America/Havana", "2024-11-02 00:00", "2024-11-05 00:00", Day, 3, "2024-11-03 00:00"},
		{"case 48: a day that ends an hour late", "America/Sao_Paulo", "2018-02-17 00:00", "2018-02-19 00:00", Day, 2, "2018-02-18 00:00"},
		{"case 48: a day that never was", "Pacific/Apia", "2011-12-29 00:00", "2012-01-01 00:00", Day, 2, "2011-12-31 00:00"},
		{"case 48: clocks that change by half an hour", "Australia/Lord_Howe", "2024-10-06 00:00", "2024-10-07 00:00", Hour, 24, "2024-10-06 01:00"},
		{"weeks begin on Monday", "UTC", "2024-03-06 12:00", "2024-03-20 00:00", Week, 3, "2024-03-11 00:00"},
		{"a week from a Sunday", "UTC", "2024-03-10 00:00", "2024-03-12 00:00", Week, 2, "2024-03-11 00:00"},
		{"the ends are cut", "Asia/Kolkata", "2024-03-05 10:20", "2024-03-05 12:10", Hour, 3, "2024-03-05 11:00"},
		{"case 43: an empty range", "UTC", "2024-03-05 10:20", "2024-03-05 10:20", Day, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			loc := zone(t, tc.zone)
			from, _ := time.ParseInLocation(layout, tc.from, loc)
			to, _ := time.ParseInLocation(layout, tc.to, loc)
			buckets, err := Buckets(Range{from, to}, tc.width, loc)
			if err != nil || len(buckets) != tc.count {
				t.Fatalf("%d buckets, %v, want %d: %v", len(buckets), err, tc.count, buckets)
			}
			for at, i := from, 0; i < len(buckets); at, i = buckets[i].To, i+1 {
				if !buckets[i].From.Equal(at) || !buckets[i].To.After(at) {
					t.Errorf("bucket %d is %v, want one that starts at %v", i, buckets[i].Range, at)
				}
			}
			if tc.count > 0 && !buckets[tc.count-1].To.Equal(to) {
				t.Errorf("the last bucket ends at %v, want %v", buckets[tc.count-1].To, to)
			}
			if tc.count > 1 && buckets[1].From.In(loc).Format(layout) != tc.second {
				t.Errorf("the second bucket starts at %v, want %s", buckets[1].From, tc.second)
			}
		})
	}
}

// A day with two midnights begins at the first of them.
func TestTwoMidnights(t *testing.T) {
	for name, day := range map[string]string{"America/Havana": "2024-11-03", "Asia/Amman": "1997-09-19"} {
		loc := zone(t, name)
		at, _ := time.ParseInLocation(time.DateOnly, day, loc)
		buckets, err := Buckets(Range{at.Add(-24 * time.Hour), at.Add(30 * time.Hour)}, Day, loc)
		var longest time.Duration
		for _, b := range buckets {
			longest = max(longest, b.To.Sub(b.From))
		}
		if err != nil || longest != 25*time.Hour {
			t.Errorf("case 48: in %s the days are %v, %v", name, buckets, err)
		}
	}
}

func TestTooManyBuckets(t *testing.T) {
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	if b, err := Buckets(Range{from, from.Add(MaxBuckets * time.Hour)}, Hour, time.UTC); err != nil || len(b) != MaxBuckets {
		t.Errorf("%d buckets, %v, want %d", len(b), err, MaxBuckets)
	}
	if _, err := Buckets(Range{from, from.Add(MaxBuckets*time.Hour + 1)}, Hour, time.UTC); !errors.Is(err, ErrTooManyBuckets) {
		t.Errorf("one more gave %v", err)
	}
	if _, err := Buckets(Range{time.Time{}, from}, Hour, time.UTC); !errors.Is(err, ErrTooManyBuckets) {
		t.Errorf("two thousand years of hours gave %v", err)
	}
}

func TestZone(t *testing.T) {
	for _, name := range []string{"", "Local", "Mars/Olympus", "../etc/passwd", "/etc/localtime"} {
		if z, err := Zone(name); !errors.Is(err, ErrUnknownZone) {
			t.Errorf("Zone(%q) = %v, %v", name, z, err)
		}
	}
}
