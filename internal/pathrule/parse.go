package pathrule

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"
)

// The limits of pattern files (watcher case 70). They are guesses far above any
// list written by hand; PATH_MAX is where the one of a pattern comes from.
const (
	// MaxFileBytes is the size of a pattern file; a larger one is not loaded.
	MaxFileBytes = 1 << 20
	// MaxPatterns is the number of different patterns of either kind.
	MaxPatterns = 10_000
	// MaxPatternBytes is the length of one pattern.
	MaxPatternBytes = 4096

	// maxProblems bounds what is kept of a file that is no pattern file at all.
	maxProblems = 100
)

// Source is a list of patterns and where it came from.
type Source struct {
	// Name is the path of the file, or its base name where the patterns were
	// given to New.
	Name string
	// Patterns are the usable ones in their order, normalised and without
	// duplicates.
	Patterns []string
}

// Problem is a pattern that cannot be used.
type Problem struct {
	File    string // as Source.Name
	Line    int    // from 1; given to New: the pattern's position
	Pattern string
	Reason  string
}

// Error says where, what and why in one line of valid UTF-8.
func (p Problem) Error() string {
	return fmt.Sprintf("%s:%d: pattern %.40q %s", printable(p.File), p.Line, p.Pattern, p.Reason)
}

// Load reads the pattern files of root. A missing file is an empty one; one that
// cannot be read, is no regular file, is too large or is a symlink out of the
// root is an error, and so is a root that is not there. After an error the
// caller keeps the Set that it has.
func Load(root string) (*Set, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("open root of patterns: %w", err)
	}
	defer dir.Close()
	watch, err := readFile(dir, WatchFile)
	if err != nil {
		return nil, err
	}
	ignore, err := readFile(dir, IgnoreFile)
	if err != nil {
		return nil, err
	}
	w, watchProblems := parse(filepath.Join(root, WatchFile), strings.SplitSeq(watch, "\n"))
	i, ignoreProblems := parse(filepath.Join(root, IgnoreFile), strings.SplitSeq(ignore, "\n"))
	set := newSet(w, i, append(watchProblems, ignoreProblems...))
	set.file = w.Name
	return set, nil
}

// readFile returns the text of a pattern file without its BOM.
func readFile(dir *os.Root, name string) (string, error) {
	// O_NONBLOCK: opening a FIFO of that name would wait for its writer.
	file, err := dir.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	path := printable(filepath.Join(dir.Name(), name))
	if err != nil {
		return "", fmt.Errorf("open patterns %s: %w", path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("stat patterns %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("patterns %s: not a regular file", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err != nil {
		return "", fmt.Errorf("read patterns %s: %w", path, err)
	}
	if len(text) > MaxFileBytes {
		return "", fmt.Errorf("patterns %s: larger than %d bytes, which is all that is read", path, MaxFileBytes)
	}
	return strings.TrimPrefix(string(text), "\ufeff"), nil
}

// parse collects the patterns of lines (case 66).
func parse(name string, lines iter.Seq[string]) (Source, []Problem) {
	var (
		source   = Source{Name: name}
		problems []Problem
		seen     = map[string]bool{}
		number   int
	)
	for line := range lines {
		number++
		pattern := strings.TrimSpace(line)
		if pattern == "" || pattern[0] == '#' {
			continue
		}
		reason := unusable(pattern)
		pattern = normalise(pattern)
		if reason == "" && seen[pattern] {
			continue
		}
		full := len(source.Patterns) == MaxPatterns
		if full {
			reason = fmt.Sprintf("is one more than %d: it and those after it are left out", MaxPatterns)
		}
		if reason != "" && len(problems) < maxProblems {
			problems = append(problems, Problem{name, number, pattern, reason})
		}
		if full {
			break
		}
		if reason == "" {
			seen[pattern] = true
			source.Patterns = append(source.Patterns, pattern)
		}
	}
	return source, problems
}

// unusable says why a pattern matches nothing, or "".
func unusable(pattern string) string {
	switch {
	case len(pattern) > MaxPatternBytes:
		return fmt.Sprintf("has %d bytes: at most %d are allowed", len(pattern), MaxPatternBytes)
	case strings.ContainsRune(pattern, 0):
		return "holds a NUL byte, which no file name does: is the text UTF-16?"
	case pattern[0] == '/', strings.HasPrefix(pattern, "./"):
		return "begins with / or ./ and so matches nothing: write it relative to the root"
	}
	return ""
}

// normalise gives a directory pattern the one slash that makes it one.
func normalise(pattern string) string {
	if name := strings.TrimRight(pattern, "/"); name != pattern {
		return name + "/"
	}
	return pattern
}

// printable quotes a path that would garble a message or a protobuf string.
func printable(path string) string {
	if utf8.ValidString(path) && !strings.ContainsFunc(path, func(c rune) bool { return !strconv.IsPrint(c) }) {
		return path
	}
	return strconv.Quote(path)
}
