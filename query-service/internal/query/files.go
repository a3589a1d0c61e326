package query

import (
	"time"
	"unicode/utf8"

	"github.com/obby/go-services/internal/pathrule"
)

// maxExtensions bounds FileFilter.Extensions.
const maxExtensions = 50

// FileFilter leaves files out; its zero value leaves out nothing.
type FileFilter struct {
	Prefix     string   // only this path and those below; empty: all
	Pattern    string   // only paths that match it, as in .obbywatch: see pathrule.NewFilter
	Extensions []string // only these, with or without their dot
	Range      Range    // only files whose newest version was first observed in it
}

// Glob reads a pattern of paths that is relative to a prefix; an empty one is nil.
func Glob(prefix, pattern string) (*pathrule.Filter, error) {
	if pattern == "" {
		return nil, nil
	}
	if utf8.RuneCountInString(pattern) > MaxText {
		return nil, ErrTooLong
	}
	return pathrule.NewFilter(prefix, pattern, nil)
}

// CheckPattern says what in the pattern cannot be used.
func (f FileFilter) CheckPattern() error {
	_, err := Glob(f.Prefix, f.Pattern)
	return err
}

// CheckExtensions says what in the extensions cannot be used.
func (f FileFilter) CheckExtensions() error {
	if len(f.Extensions) > maxExtensions {
		return ErrTooManyExtensions
	}
	_, err := pathrule.NewFilter("", "", f.Extensions)
	return err
}

// FilesQuery asks for files, by Finder.Ranked or Finder.Newest.
type FilesQuery struct {
	Match  string // FTS5 expression; Newest: may be empty
	InPath string // expression for a word in the path, or empty
	Files  FileFilter
	Skip   int   // Ranked: how many of the best to leave out
	Before int64 // Newest: only versions below; 0: all
}

// Found is a file that the store found, at its newest version.
type Found struct {
	Version  int64
	Path     string
	Rank     int     // Ranked: its place, from 0
	Score    float64 // Ranked: larger is better
	Observed time.Time
	Content  string // valid UTF-8
}
