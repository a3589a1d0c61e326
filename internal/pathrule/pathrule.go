package pathrule

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// The pattern files of a root.
const WatchFile, IgnoreFile = ".obbywatch", ".obbyignore"

// Set decides about the paths of one root. It is immutable and safe for
// concurrent use.
type Set struct {
	file          string // what Load read the watch patterns from, "" after New
	sources       [2]Source
	watch, ignore rules
	problems      []Problem
}

// New makes a Set of given patterns, each of which is read like a line of a
// pattern file: blanks around it do not count and a comment is no pattern. The
// problems are those of Set.Problems.
func New(watch, ignore []string) (*Set, []Problem) {
	w, watchProblems := parse(WatchFile, slices.Values(watch))
	i, ignoreProblems := parse(IgnoreFile, slices.Values(ignore))
	set := newSet(w, i, append(watchProblems, ignoreProblems...))
	return set, set.Problems()
}

func newSet(watch, ignore Source, problems []Problem) *Set {
	return &Set{
		sources:  [2]Source{watch, ignore},
		watch:    newRules(watch.Patterns),
		ignore:   newRules(ignore.Patterns),
		problems: problems,
	}
}

// Match reports whether the file rel is watched: a watch pattern matches it, and
// neither it nor a directory above it is ignored. The root is no file.
func (s *Set) Match(rel string) bool {
	if !s.MatchIn(rel) {
		return false
	}
	for dir := range ancestors(rel) {
		if s.ignoresDir(dir) {
			return false
		}
	}
	return true
}

// MatchIn is Match for a caller who knows that no directory above rel is
// ignored, as in a walk.
func (s *Set) MatchIn(rel string) bool {
	if isRoot(rel) || s.Empty() {
		return false
	}
	return (s.watch.entry(rel) || s.watch.above(rel)) && !s.ignore.entry(rel)
}

// Descend reports whether to watch and walk the directory rel: neither it nor a
// directory above it is ignored. "" and "." are the root, which never is. An
// Empty set still descends everywhere: its caller need not walk at all.
func (s *Set) Descend(rel string) bool {
	for dir := range ancestors(rel) {
		if s.ignoresDir(dir) {
			return false
		}
	}
	return s.descendIn(rel)
}

// descendIn is Descend where no directory above rel is ignored.
func (s *Set) descendIn(rel string) bool { return isRoot(rel) || !s.ignoresDir(rel) }

func (s *Set) ignoresDir(rel string) bool { return s.ignore.entry(rel) || s.ignore.dir(rel) }

// Empty reports whether there is no watch pattern, so that nothing is watched.
func (s *Set) Empty() bool { return len(s.sources[0].Patterns) == 0 }

// Why is a sentence for the user of an Empty set, else "" (case 68).
func (s *Set) Why() string {
	switch {
	case !s.Empty():
		return ""
	case s.file == "":
		return "no watch patterns: nothing is watched; add some such as *.md"
	}
	return fmt.Sprintf("no watch patterns in %s: nothing is watched; add lines such as *.md", printable(s.file))
}

// Sources returns the watch and the ignore patterns with their origin.
func (s *Set) Sources() []Source {
	return []Source{
		{s.sources[0].Name, s.Watch()},
		{s.sources[1].Name, s.Ignore()},
	}
}

// Watch returns the watch patterns, normalised and without duplicates.
func (s *Set) Watch() []string { return slices.Clone(s.sources[0].Patterns) }

// Ignore returns the ignore patterns, normalised and without duplicates.
func (s *Set) Ignore() []string { return slices.Clone(s.sources[1].Patterns) }

// Problems returns the patterns that could not be used, those of the watch file
// first; of a hopeless file only the first hundred.
func (s *Set) Problems() []Problem { return slices.Clone(s.problems) }

// Equal reports whether both sets have the same patterns, in whatever order:
// then they decide alike. Origin and problems do not count.
func (s *Set) Equal(other *Set) bool {
	if s == nil || other == nil {
		return s == other
	}
	for i := range s.sources {
		a, b := slices.Sorted(slices.Values(s.sources[i].Patterns)), slices.Sorted(slices.Values(other.sources[i].Patterns))
		if !slices.Equal(a, b) {
			return false
		}
	}
	return true
}

func isRoot(rel string) bool { return rel == "" || rel == "." }

// ancestors yields the directories above rel below the root, outermost first.
func ancestors(rel string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(rel) {
			if rel[i] == '/' && !yield(rel[:i]) {
				return
			}
		}
	}
}

func baseName(rel string) string { return rel[strings.LastIndexByte(rel, '/')+1:] }
