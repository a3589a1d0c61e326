package query

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// steps is a store of these steps, all of which are in the range.
type steps []Step

func (s steps) Steps(_ context.Context, _ Range, _ string, add func(Step)) error {
	for _, step := range s {
		add(step)
	}
	return nil
}

func (steps) Terms(context.Context, Range, string, int) (topics, keywords []TermCount, err error) {
	return nil, nil, nil
}

func TestAnalyze(t *testing.T) {
	day := time.Date(2024, 3, 5, 0, 0, 0, 0, time.UTC)
	store := steps{
		{"/a", Created, 3, 0, day},
		{"/a", Modified, 1, 1, day.Add(24*time.Hour - 1)},
		{"/a", Modified, 1, 0, day.Add(48 * time.Hour)},
		{"/b", Deleted, 0, 9, day.Add(48 * time.Hour)},
	}
	a, err := Analyze(t.Context(), store, Range{day, day.AddDate(0, 0, 3)}, "", Day, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	got := []Counts{a.Total}
	for _, b := range a.Buckets {
		got = append(got, b.Counts)
	}
	want := []Counts{{4, 2, 5, 10}, {2, 1, 4, 1}, {}, {2, 2, 1, 9}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("case 43: total and days, also the one without a change (-want +got):\n%s", diff)
	}
}

func TestSummarize(t *testing.T) {
	at := time.Date(2024, 3, 5, 0, 0, 0, 0, time.UTC)
	store := steps{
		{"/n/b.MD", Created, 1, 0, at.Add(2)},
		{"/n/a.md", Created, 2, 0, at.Add(1)},
		{"/n/a.md", Modified, 3, 1, at.Add(4)},
		{"/.bashrc", Created, 4, 0, at.Add(3)},
	}
	got, err := Summarize(t.Context(), store, Range{}, "", 2)
	want := Stats{
		Total:       Counts{4, 3, 10, 1},
		ByType:      []Named{{"created", Counts{3, 3, 7, 0}}, {"modified", Counts{1, 1, 3, 1}}},
		ByDirectory: []Named{{"/n", Counts{3, 2, 6, 1}}, {"/", Counts{1, 1, 4, 0}}},
		ByExtension: []Named{{".md", Counts{3, 2, 6, 1}}, {"", Counts{1, 1, 4, 0}}},
		ByFile:      []Named{{"/n/a.md", Counts{2, 1, 5, 1}}, {"/.bashrc", Counts{1, 1, 4, 0}}},
		First:       at.Add(1), Last: at.Add(4),
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := Summarize(t.Context(), steps{}, Range{}, "", 2); err != nil || got.Total != (Counts{}) || !got.First.IsZero() {
		t.Errorf("case 43: nothing gave %+v, %v", got, err)
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
