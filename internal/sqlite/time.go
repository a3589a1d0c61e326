package sqlite

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// timeLayout is how the existing rows hold a time: the wall clock of the
// machine's zone, without the zone.
const timeLayout = "2006-01-02 15:04:05.000000"

// layouts are the forms found in existing rows, their 'T' replaced by a space.
// Go reads a fraction after the seconds whether or not the layout has one.
var layouts = []string{
	"2006-01-02 15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05Z0700",
	"2006-01-02 15:04:05Z07",
	"2006-01-02 15:04:05 Z07:00",
	"2006-01-02 15:04",
	"2006-01-02",
}

// firstMillis is the number from which a stored number counts milliseconds: as
// seconds it would be the year 33658.
const firstMillis = 1e12

// FormatTime returns the text that a timestamp or last_modified column holds for
// t: local wall-clock time with microseconds. In the hour that is repeated when
// daylight saving ends the text is ambiguous, so rows are ordered by id, never
// by their times (tracker case 34).
func FormatTime(t time.Time) string { return t.Local().Format(timeLayout) }

// ParseTime reads a stored time in any of its forms: text with or without
// fraction, with a space or a 'T', with an offset, a 'Z' or in local time, or
// seconds since the Unix epoch, whole or not. It reports whether v is one.
//
// v is what database/sql scans an expression into: string, []byte, int64 or
// float64. A time.Time is refused: the driver makes it of a bare DATETIME column
// and reads the text as UTC (tracker case 45).
func ParseTime(v any) (time.Time, bool) { return parseTime(v, time.Local) }

func parseTime(v any, local *time.Location) (time.Time, bool) {
	switch v := v.(type) {
	case string:
		return parseText(v, local)
	case []byte:
		return parseText(string(v), local)
	case int64:
		return fromNumber(float64(v))
	case float64:
		return fromNumber(v)
	}
	return time.Time{}, false
}

func parseText(s string, local *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if len(s) > len("2006-01-02") && s[len("2006-01-02")] == 'T' {
		s = strings.Replace(s, "T", " ", 1)
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, local); err == nil {
			return t, inRange(t)
		}
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil {
		return fromNumber(x)
	}
	return time.Time{}, false
}

func fromNumber(x float64) (time.Time, bool) {
	if math.Abs(x) >= firstMillis {
		x /= 1000
	}
	if math.IsNaN(x) || math.Abs(x) >= firstMillis {
		return time.Time{}, false
	}
	seconds, fraction := math.Modf(x)
	t := time.Unix(int64(seconds), int64(fraction*1e9)).Round(time.Microsecond)
	return t, inRange(t)
}

// inRange reports whether google.protobuf.Timestamp can carry t.
func inRange(t time.Time) bool {
	year := t.UTC().Year()
	return 1 <= year && year <= 9999
}

// sqlTime is the SQL function obby_time(value): microseconds since the Unix
// epoch, or NULL where the value is not a time. The Python program's connections
// do not have it, so it must never appear in the schema.
func sqlTime(value any) any {
	if t, ok := ParseTime(value); ok {
		return t.UnixMicro()
	}
	return nil
}
