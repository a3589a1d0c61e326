package query

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/obby/go-services/internal/stepindex"
)

// history is a store of steps, in the order in which they were recorded.
type history []recorded

type recorded struct {
	path           string
	kind           ChangeType
	added, removed int64
	at             time.Time // zero: unreadable
}

// Steps hands them out in blocks of two.
func (h history) Steps(_ context.Context, _ Range, _ string, count func(*stepindex.Block), name func(int64, string)) error {
	paths := []string{"/nothing here"}
	for steps := range slices.Chunk(h, 2) {
		var b stepindex.Block
		for i, s := range steps {
			at := int64(stepindex.NoTime)
			if !s.at.IsZero() {
				at = s.at.UnixMicro()
			}
			number := slices.Index(paths, s.path)
			if number < 0 {
				number = len(paths)
				paths = append(paths, s.path)
			}
			b.Add(int64(i), at, int64(number), stepindex.Type(string(s.kind)), s.added, s.removed)
		}
		count(&b)
	}
	for i, p := range paths {
		if name != nil {
			name(int64(i), p)
		}
	}
	return nil
}

func (history) Terms(_ context.Context, _ Range, _ string, limit int) (topics, keywords []TermCount, err error) {
	return []TermCount{{"go", int64(limit)}}, nil, nil
}

func TestAnalyze(t *testing.T) {
	day := time.Date(2024, 3, 5, 0, 0, 0, 0, time.UTC)
	store := history{
		{"/a", Created, 3, 0, day},
		{"/a", Modified, 1, 1, day.Add(24*time.Hour - time.Microsecond)},
		{"/a", Modified, 1, 0, day.Add(48 * time.Hour)},
		{"/a", Modified, 9, 9, day.Add(-time.Microsecond)},
		{"/a", Modified, 9, 9, day.Add(72 * time.Hour)},
		{"/b", Deleted, 0, 9, day.Add(48 * time.Hour)},
		{"/b", Created, 9, 9, time.Time{}},
		{"/b", Created, 1, 0, day.Add(time.Hour)},       // recorded late: case 34
		{"/b", Modified, 1, 0, day.Add(time.Hour)},      // again
		{"/b", Modified, 0, 0, day.Add(49 * time.Hour)}, // and back
	}
	a, err := Analyze(t.Context(), store, Range{day, day.AddDate(0, 0, 3)}, "", Day, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	got := []Counts{a.Total}
	for _, b := range a.Buckets {
		got = append(got, b.Counts)
	}
	want := []Counts{{7, 2, 7, 10}, {4, 2, 6, 1}, {}, {3, 2, 1, 9}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("case 43: total and days, also the one without a change (-want +got):\n%s", diff)
	}
	if a, err := Analyze(t.Context(), store, Range{day, day}, "", Day, time.UTC); err != nil || a.Total != (Counts{}) || len(a.Buckets) > 0 {
		t.Errorf("case 43: an empty range has %+v, %v", a, err)
	}
}

// Whatever the order of the steps, each path counts once in each bucket.
func TestAnalyzeDisorder(t *testing.T) {
	day := time.Date(2024, 3, 5, 0, 0, 0, 0, time.UTC)
	rng := rand.New(rand.NewPCG(1, 1))
	var store history
	want, paths := map[[2]int]bool{}, map[int]bool{}
	for range 20_000 {
		path, hour := rng.IntN(1000), rng.IntN(20*24)
		store = append(store, recorded{fmt.Sprint("/", path), Modified, 1, 0, day.Add(time.Duration(hour) * time.Hour)})
		want[[2]int{path, hour}], paths[path] = true, true
	}
	a, err := Analyze(t.Context(), store, Range{day, day.AddDate(0, 0, 20)}, "", Hour, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, b := range a.Buckets {
		files += int(b.Files)
	}
	if files != len(want) || a.Total != (Counts{20_000, int64(len(paths)), 20_000, 0}) {
		t.Errorf("case 34: %d files in the hours, want %d; in all %+v", files, len(want), a.Total)
	}
}

func TestSummarize(t *testing.T) {
	at := time.Date(2024, 3, 5, 0, 0, 0, 0, time.UTC)
	micro := func(n int) time.Time { return at.Add(time.Duration(n) * time.Microsecond) }
	store := history{
		{"/n/b.MD", Created, 1, 0, micro(2)},
		{"/n/a.md", Created, 2, 0, micro(1)},
		{"/n/a.md", Modified, 3, 1, micro(9)},
		{"/.bashrc", Created, 4, 0, micro(3)},
		{"/late", Created, 4, 0, micro(20)},
	}
	got, err := Summarize(t.Context(), store, Range{To: micro(20)}, "", 2, time.UTC)
	today := Streak{at, at, 1}
	want := Stats{
		Total:       Counts{4, 3, 10, 1},
		ByType:      []Named{{"created", Counts{3, 3, 7, 0}}, {"modified", Counts{1, 1, 3, 1}}},
		ByDirectory: []Named{{"/n", Counts{3, 2, 6, 1}}, {"/", Counts{1, 1, 4, 0}}},
		ByExtension: []Named{{".md", Counts{3, 2, 6, 1}}, {"", Counts{1, 1, 4, 0}}},
		ByFile:      []Named{{"/n/a.md", Counts{2, 1, 5, 1}}, {"/.bashrc", Counts{1, 1, 4, 0}}},
		First:       micro(1), Last: micro(9), Gap: Range{micro(3), micro(9)},
		Days:   Days{1, today, today},
		Topics: []TermCount{{"go", 2}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	got, err = Summarize(t.Context(), history{}, Range{To: at}, "", 2, time.UTC)
	if want := (Stats{Topics: []TermCount{{"go", 2}}}); err != nil || !cmp.Equal(want, got, cmpopts.EquateEmpty()) {
		t.Errorf("case 43: nothing gave %+v, %v", got, err)
	}
}

func TestSortNearly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, disorder := range []int64{0, 3, 1 << 40} {
		var times []int64
		for i := range int64(5000) {
			times = append(times, i+rng.Int64N(disorder+1))
		}
		want := slices.Sorted(slices.Values(times))
		if sortNearly(times); !slices.Equal(want, times) {
			t.Errorf("disorder of %d is left", disorder)
		}
	}
}

func TestDays(t *testing.T) {
	for _, tc := range []struct {
		name, zone, end string
		steps           []string
		want            string
	}{
		{"nothing", "UTC", "2024-03-05 00:00", nil, "0 days; longest 0; current 0"},
		{"a run that reaches to today", "UTC", "2024-03-05 10:00", []string{"2024-03-03 23:59", "2024-03-04 00:00", "2024-03-05 00:00"}, "3 days; longest 3 2024-03-03 2024-03-05; current 3 2024-03-03 2024-03-05"},
		{"to yesterday", "UTC", "2024-03-06 00:01", []string{"2024-03-04 00:00", "2024-03-05 00:00"}, "2 days; longest 2 2024-03-04 2024-03-05; current 2 2024-03-04 2024-03-05"},
		{"not so far", "UTC", "2024-03-07 00:01", []string{"2024-03-04 00:00", "2024-03-05 00:00"}, "2 days; longest 2 2024-03-04 2024-03-05; current 0"},
		{"the end is excluded", "UTC", "2024-03-06 00:00", []string{"2024-03-04 00:00"}, "1 days; longest 1 2024-03-04 2024-03-04; current 1 2024-03-04 2024-03-04"},
		{"the latest of equals", "UTC", "2024-04-05 00:00", []string{"2024-03-01 00:00", "2024-03-02 00:00", "2024-03-05 00:00", "2024-03-06 00:00"}, "4 days; longest 2 2024-03-05 2024-03-06; current 0"},
		{"out of order", "UTC", "2024-04-05 00:00", []string{"2024-03-02 00:00", "2024-03-01 23:00", "2024-03-02 01:00"}, "2 days; longest 2 2024-03-01 2024-03-02; current 0"},
		{"case 48: the zone's days", "America/New_York", "2024-03-11 00:00", []string{"2024-03-10 00:30", "2024-03-10 23:30"}, "1 days; longest 1 2024-03-10 2024-03-10; current 1 2024-03-10 2024-03-10"},
		{"case 48: a day of 23 hours, and one without its midnight", "America/Sao_Paulo", "2018-11-06 00:00", []string{"2018-11-03 23:30", "2018-11-04 01:00", "2018-11-05 00:00"}, "3 days; longest 3 2018-11-03 2018-11-05; current 3 2018-11-03 2018-11-05"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			zone := zone(t, tc.zone)
			parse := func(s string) time.Time {
				at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			c := newDayCount(zone)
			for _, s := range tc.steps {
				c.add(parse(s).UnixMicro())
			}
			d := c.result(parse(tc.end))
			show := func(s Streak) string {
				if s.Days == 0 {
					return "0"
				}
				return fmt.Sprint(s.Days, " ", s.First.Format(time.DateOnly), " ", s.Last.Format(time.DateOnly))
			}
			if got := fmt.Sprintf("%d days; longest %s; current %s", d.Active, show(d.Longest), show(d.Current)); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestExtension(t *testing.T) {
	for file, want := range map[string]string{
		"/a/b.TXT": ".txt", "/a.d/b": "", "/.bashrc": "", "/..a.md": ".md", "/a.": "", "/a.tar.gz": ".gz", "/a.\xe9": ".\xe9", "/a.ÄÖ": ".äö",
	} {
		if got := extension(file); got != want {
			t.Errorf("extension(%q) = %q, want %q", file, got, want)
		}
	}
}

func TestRange(t *testing.T) {
	at := time.Date(2024, 3, 5, 0, 0, 0, 0, time.UTC)
	for _, r := range []Range{{}, {From: at}, {To: at}, {at, at}, {at, at.Add(1)}} {
		if err := r.Check(); err != nil {
			t.Errorf("case 43: %v: %v", r, err)
		}
	}
	if err := (Range{at.Add(1), at}).Check(); !errors.Is(err, ErrReversed) {
		t.Errorf("case 43: a reversed range gave %v", err)
	}
	if got := (Range{}).Since(at); got.From != at {
		t.Errorf("an open range since %v is %v", at, got)
	}
	if got := (Range{From: at.Add(1)}).Since(at); got.From != at.Add(1) {
		t.Errorf("a later range since %v is %v", at, got)
	}
}

func TestCleanPath(t *testing.T) {
	for in, want := range map[string]string{"/": "/", "/a/": "/a", "//a/./b/../c": "/a/c", "/caf\xe9": "/caf\xe9"} {
		if got, err := CleanPath(in); got != want || err != nil {
			t.Errorf("CleanPath(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", ".", "a/b", "../a", "~/a"} {
		if _, err := CleanPath(in); !errors.Is(err, ErrNotAbsolute) {
			t.Errorf("CleanPath(%q) gave %v", in, err)
		}
	}
}

func TestPosition(t *testing.T) {
	last := Position{ID: 9, Database: "here"}
	for _, p := range []Position{{}, {ID: 9}, {ID: 9, Database: "here"}} {
		if err := p.Check(last); err != nil {
			t.Errorf("%v: %v", p, err)
		}
	}
	for _, p := range []Position{{ID: 10}, {ID: -1}, {ID: 1, Database: "there"}} {
		if err := p.Check(last); !errors.Is(err, ErrUnknownToken) {
			t.Errorf("case 60: %v gave %v", p, err)
		}
	}
}
