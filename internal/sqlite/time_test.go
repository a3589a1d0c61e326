package sqlite

import (
	"math"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	at := func(hour, minute, second, micro int) time.Time {
		return time.Date(2024, 3, 5, hour, minute, second, micro*1000, time.UTC)
	}
	for _, tc := range []struct {
		name  string
		value any
		want  time.Time
	}{
		{"local with fraction", "2024-03-05 10:11:12.123456", at(9, 11, 12, 123456)},
		{"local without fraction", "2024-03-05 10:11:12", at(9, 11, 12, 0)},
		{"bytes", []byte("2024-03-05 10:11:12"), at(9, 11, 12, 0)},
		{"T", "2024-03-05T10:11:12.5", at(9, 11, 12, 500000)},
		{"Z", "2024-03-05T10:11:12Z", at(10, 11, 12, 0)},
		{"offset", "2024-03-05T10:11:12.000001+02:00", at(8, 11, 12, 1)},
		{"offset without colon", "2024-03-05 10:11:12-0330", at(13, 41, 12, 0)},
		{"offset of hours", "2024-03-05 10:11:12+02", at(8, 11, 12, 0)},
		{"offset after a space", " 2024-03-05 10:11:12 +02:00 ", at(8, 11, 12, 0)},
		{"minutes", "2024-03-05T10:11", at(9, 11, 0, 0)},
		{"date", "2024-03-05", at(-1, 0, 0, 0)},
		{"seconds", int64(1709633472), at(10, 11, 12, 0)},
		{"seconds as text", "1709633472.25", at(10, 11, 12, 250000)},
		{"seconds with fraction", 1709633472.123456, at(10, 11, 12, 123456)},
		{"milliseconds", int64(1709633472123), at(10, 11, 12, 123000)},
		{"negative seconds", -1.5, time.Date(1969, 12, 31, 23, 59, 58, 5e8, time.UTC)},
		{"far", int64(253402300799), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
	} {
		t.Run("case 44: "+tc.name, func(t *testing.T) {
			if got, ok := parseTime(tc.value, berlin); !ok || !got.Equal(tc.want) {
				t.Errorf("parseTime(%v) = %v, %v, want %v", tc.value, got.UTC(), ok, tc.want)
			}
		})
	}
}

func TestParseTimeRefuses(t *testing.T) {
	for _, value := range []any{
		nil, []byte(nil), "", "yesterday", "2024-13-01 00:00:00", "T", "NaN", math.Inf(1), math.NaN(), int64(math.MaxInt64),
		int64(math.MinInt64), 253402300800.0, "0000-01-01", true,
		time.Unix(0, 0), // case 45: the driver's reading of a bare DATETIME column
	} {
		if got, ok := ParseTime(value); ok {
			t.Errorf("ParseTime(%#v) = %v", value, got)
		}
	}
}

func TestFormatTime(t *testing.T) {
	// Two instants that a reader must tell apart, and one without fraction.
	for _, micro := range []int64{1709633472123456, 1709633472123457, 1709633472000000} {
		want := time.UnixMicro(micro)
		text := FormatTime(want.UTC())
		if got, ok := ParseTime(text); !ok || !got.Equal(want) || len(text) != len(timeLayout) {
			t.Errorf("ParseTime(%q) = %v, %v, want %v", text, got, ok, want)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2024-03-05T10:11:12.5+02:00")
	f.Add("1e400")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseTime(text, time.UTC)
		if year := got.UTC().Year(); ok && (year < 1 || year > 9999) {
			t.Errorf("parseTime(%q) = %v, which no message can carry", text, got)
		}
	})
}
