package query

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/obby/go-services/internal/stepindex"
)

// Counts counts steps.
type Counts struct {
	Changes int64
	Files   int64 // distinct paths
	Added   int64 // lines
	Removed int64 // lines
}

// add counts a step, except for its path.
func (c *Counts) add(b *stepindex.Block, i int) {
	c.Changes++
	c.Added += b.Added[i]
	c.Removed += b.Removed[i]
}

// merge counts the steps of some paths that no other call counts.
func (c *Counts) merge(other Counts) {
	c.Changes += other.Changes
	c.Files += other.Files
	c.Added += other.Added
	c.Removed += other.Removed
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
	Gap                                      Range     // the longest between two steps; zero with fewer than two
	Days                                     Days
	Topics, Keywords                         []TermCount // most frequent first
}

// pathTally counts the steps of one path.
type pathTally struct {
	Counts
	types byte // one bit for each
}

// summary is Stats in the making.
type summary struct {
	from, last int64 // microseconds
	types      [stepindex.Moved + 1]Counts
	paths      []pathTally // by the store's number
	times      []int64
	days       *dayCount
}

// Summarize counts what happened at or below prefix in a range, and lists at most list
// names of each key. Days are those of the zone; the range has an end.
func Summarize(ctx context.Context, store ActivityStore, r Range, prefix string, list int, zone *time.Location) (Stats, error) {
	s := summary{days: newDayCount(zone)}
	s.from, s.last = r.Micros()
	names := namesOf(list)
	err := store.Steps(ctx, r, prefix, s.count, func(number int64, name string) {
		if number < int64(len(s.paths)) && s.paths[number].Changes > 0 {
			names.add(name, s.paths[number].Counts)
		}
	})
	if err != nil {
		return Stats{}, err
	}
	stats := s.stats(r)
	stats.ByDirectory, stats.ByExtension, stats.ByFile = top(names.dirs, list), top(names.exts, list), names.files
	stats.Topics, stats.Keywords, err = store.Terms(ctx, r, prefix, list)
	return stats, err
}

func (s *summary) count(b *stepindex.Block) {
	for i, at := range b.Time {
		if at < s.from || at > s.last {
			continue
		}
		number := b.Path[i]
		if number >= int64(len(s.paths)) {
			s.paths = slices.Grow(s.paths, int(number)+1-len(s.paths))[:number+1]
		}
		p := &s.paths[number]
		p.add(b, i)
		p.Files = 1
		kind := b.Type[i] % int64(len(s.types))
		s.types[kind].add(b, i)
		if p.types&(1<<kind) == 0 {
			p.types |= 1 << kind
			s.types[kind].Files++
		}
		if len(s.times) == cap(s.times) {
			s.times = slices.Grow(s.times, max(len(s.times), stepindex.MaxSteps)) // there may be a million
		}
		s.times = append(s.times, at)
		s.days.add(at)
	}
}

func (s *summary) stats(r Range) Stats {
	var stats Stats
	for i := range s.paths {
		stats.Total.merge(s.paths[i].Counts)
	}
	byType := map[string]Counts{}
	for kind, counts := range s.types {
		if counts.Changes > 0 {
			byType[stepindex.TypeName(int64(kind))] = counts
		}
	}
	stats.ByType = top(byType, len(byType))
	sortNearly(s.times)
	if n := len(s.times); n > 0 {
		stats.First, stats.Last = time.UnixMicro(s.times[0]).UTC(), time.UnixMicro(s.times[n-1]).UTC()
	}
	stats.Gap = longestGap(s.times)
	stats.Days = s.days.result(r.To)
	return stats
}

// longestGap returns the longest time between two of some ascending times, the first
// of equals.
func longestGap(times []int64) Range {
	if len(times) < 2 {
		return Range{}
	}
	at := 1
	for i := 2; i < len(times); i++ {
		if times[i]-times[i-1] > times[at]-times[at-1] {
			at = i
		}
	}
	return Range{time.UnixMicro(times[at-1]).UTC(), time.UnixMicro(times[at]).UTC()}
}

// sortNearly sorts times that are nearly in order, as steps are recorded: by insertion,
// unless that takes more than a few moves for each.
func sortNearly(times []int64) {
	moves := 8 * len(times)
	for i := 1; i < len(times); i++ {
		at, j := times[i], i
		for ; j > 0 && times[j-1] > at; j-- {
			times[j] = times[j-1]
		}
		times[j] = at
		if moves -= i - j; moves < 0 {
			slices.Sort(times)
			return
		}
	}
}

// names gathers the counts of paths under their names.
type names struct {
	dirs, exts map[string]Counts
	files      []Named // the most changed, at most list
	list       int
}

func namesOf(list int) *names {
	return &names{dirs: map[string]Counts{}, exts: map[string]Counts{}, list: list}
}

func (n *names) add(file string, counts Counts) {
	for _, key := range []struct {
		of   map[string]Counts
		name string
	}{{n.dirs, path.Dir(file)}, {n.exts, extension(file)}} {
		all := key.of[key.name]
		all.merge(counts)
		key.of[key.name] = all
	}
	at, _ := slices.BinarySearchFunc(n.files, Named{file, counts}, mostChanges)
	if at < n.list {
		n.files = slices.Insert(n.files, at, Named{file, counts})
		n.files = n.files[:min(n.list, len(n.files))]
	}
}

// mostChanges orders by the number of changes; of equals, by name.
func mostChanges(a, b Named) int {
	return cmp.Or(cmp.Compare(b.Changes, a.Changes), strings.Compare(a.Name, b.Name))
}

// top returns the names with the most changes.
func top(counts map[string]Counts, n int) []Named {
	all := make([]Named, 0, len(counts))
	for name, c := range counts {
		all = append(all, Named{name, c})
	}
	slices.SortFunc(all, mostChanges)
	return all[:min(n, len(all))]
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
