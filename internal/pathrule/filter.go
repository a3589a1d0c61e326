package pathrule

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// Filter picks paths of a list: those that match a pattern and have one of some
// extensions. It is immutable and safe for concurrent use.
type Filter struct {
	prefix     string   // what is taken off a path before the pattern is tried
	set        *Set     // nil: every path
	extensions []string // with their dot; empty: every path
}

// NewFilter makes a Filter. pattern is one as in a pattern file, tried against
// the base name and against the path: relative to prefix, which is absolute and
// clean or empty, else absolute. An extension is written with or without its dot;
// case does not count. Empty ones leave out nothing. The error says what cannot
// be used.
func NewFilter(prefix, pattern string, extensions []string) (*Filter, error) {
	f := &Filter{prefix: prefix}
	if pattern != "" {
		// In a pattern file nothing begins with a slash: paths are relative there.
		if absolute, ok := strings.CutPrefix(pattern, "/"); ok && (prefix == "" || prefix == "/") {
			f.prefix, pattern = "/", absolute
		}
		set, problems := New([]string{pattern}, nil)
		switch {
		case len(problems) > 0:
			return nil, fmt.Errorf("pattern %.40q %s", pattern, problems[0].Reason)
		case set.Empty():
			return nil, errors.New("is blank or a comment: a name that begins with # is written [#]name")
		}
		f.set = set
	}
	for _, ext := range extensions {
		name := strings.TrimPrefix(ext, ".")
		if name == "" || strings.Contains(name, "/") {
			return nil, fmt.Errorf("%.40q is not an extension: write it as .md or md", ext)
		}
		f.extensions = append(f.extensions, "."+name)
	}
	return f, nil
}

// Match reports whether the filter picks an absolute path, which is the prefix
// or below it.
func (f *Filter) Match(file string) bool {
	return f.matchesPattern(file) && f.hasExtension(path.Base(file))
}

func (f *Filter) matchesPattern(file string) bool {
	if f.set == nil {
		return true
	}
	rel := file
	if f.prefix != "" {
		rel = strings.TrimPrefix(strings.TrimPrefix(file, f.prefix), "/")
	}
	if rel == "" { // the prefix is the file itself
		rel = path.Base(file)
	}
	return f.set.Match(rel)
}

// hasExtension tries what follows each dot but those that the name begins with:
// archive.tar.gz has the extensions .gz and .tar.gz, .bashrc none.
func (f *Filter) hasExtension(name string) bool {
	if len(f.extensions) == 0 {
		return true
	}
	name = strings.TrimLeft(name, ".")
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		for _, ext := range f.extensions {
			if strings.EqualFold(name[i:], ext) {
				return true
			}
		}
	}
	return false
}
