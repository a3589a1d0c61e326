package query

import (
	"cmp"
	"context"
	"path"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"
)

// Step is what counts of a Diff.
type Step struct {
	Path     string
	Type     ChangeType
	Added    int64 // lines
	Removed  int64 // lines
	Observed time.Time
}

// Counts counts steps.
type Counts struct {
	Changes int64
	Files   int64 // distinct paths
	Added   int64 // lines
	Removed int64 // lines
}

// tally is Counts in the making.
type tally struct {
	Counts
	paths map[string]struct{}
}

func (t *tally) add(s Step) {
	if t.paths == nil {
		t.paths = map[string]struct{}{}
	}
	t.paths[s.Path] = struct{}{}
	t.Changes++
	t.Files = int64(len(t.paths))
	t.Added += s.Added
	t.Removed += s.Removed
}

// Analysis is what happened in a range, bucket by bucket.
type Analysis struct {
	Buckets          []Bucket
	Total            Counts
	Topics, Keywords []TermCount // most frequent first
}

// Analyze counts what happened at or below prefix in each bucket of a range with
// both bounds. It returns ErrTooManyBuckets and the store's errors.
func Analyze(ctx context.Context, store ActivityStore, r Range, prefix string, width Width, zone *time.Location) (Analysis, error) {
	buckets, err := Buckets(r, width, zone)
	if err != nil {
		return Analysis{}, err
	}
	var total tally
	tallies := make([]tally, len(buckets))
	err = store.Steps(ctx, r, prefix, func(s Step) {
		total.add(s)
		tallies[sort.Search(len(buckets)-1, func(i int) bool { return s.Observed.Before(buckets[i].To) })].add(s)
	})
	if err != nil {
		return Analysis{}, err
	}
	for i := range buckets {
		buckets[i].Counts = tallies[i].Counts
	}
	topics, keywords, err := store.Terms(ctx, r, prefix, MaxTerms)
	return Analysis{Buckets: buckets, Total: total.Counts, Topics: topics, Keywords: keywords}, err
}

// Named counts the steps of one type, directory, extension or file.
type Named struct {
	Name string
	Counts
}

// Stats is what happened in a range, by several keys; most changes first.
type Stats struct {
	Total                                    Counts
	ByType, ByDirectory, ByExtension, ByFile []Named
	First, Last                              time.Time // zero: nothing happened
}

// Summarize counts what happened at or below prefix in a range, and lists at
// most list names of each key.
func Summarize(ctx context.Context, store ActivityStore, r Range, prefix string, list int) (Stats, error) {
	var total tally
	var stats Stats
	types, dirs, exts, files := groups{}, groups{}, groups{}, groups{}
	err := store.Steps(ctx, r, prefix, func(s Step) {
		total.add(s)
		types.add(string(s.Type), s)
		dirs.add(path.Dir(s.Path), s)
		exts.add(extension(s.Path), s)
		files.add(s.Path, s)
		if stats.First.IsZero() || s.Observed.Before(stats.First) {
			stats.First = s.Observed
		}
		if s.Observed.After(stats.Last) {
			stats.Last = s.Observed
		}
	})
	stats.Total = total.Counts
	stats.ByType, stats.ByDirectory = types.top(len(types)), dirs.top(list)
	stats.ByExtension, stats.ByFile = exts.top(list), files.top(list)
	return stats, err
}

// groups is a tally for each name.
type groups map[string]*tally

func (g groups) add(name string, s Step) {
	if g[name] == nil {
		g[name] = &tally{}
	}
	g[name].add(s)
}

// top returns the names with the most changes; of equals, the first by name.
func (g groups) top(n int) []Named {
	names := make([]Named, 0, len(g))
	for name, t := range g {
		names = append(names, Named{name, t.Counts})
	}
	slices.SortFunc(names, func(a, b Named) int {
		return cmp.Or(cmp.Compare(b.Changes, a.Changes), strings.Compare(a.Name, b.Name))
	})
	return names[:min(n, len(names))]
}

// extension returns a file name's extension in lower case with its dot. A name
// that begins with its only dot, such as .bashrc, has none.
func extension(file string) string {
	name := strings.TrimLeft(path.Base(file), ".")
	ext := path.Ext(name)
	switch {
	case ext == ".":
		return ""
	case utf8.ValidString(ext): // ToLower would replace other bytes
		return strings.ToLower(ext)
	}
	return ext
}
