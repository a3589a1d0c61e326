package watch

import (
	"fmt"

	"github.com/obby/go-services/internal/pathrule"
)

// Patterns are what to watch and what to leave out, each item as a line of the
// pattern files.
type Patterns struct {
	Watch, Ignore []string
}

// compile returns the rules that p stands for, nil for nil.
func (p *Patterns) compile() (*pathrule.Set, error) {
	if p == nil {
		return nil, nil
	}
	set, problems := pathrule.New(p.Watch, p.Ignore)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%w: %w", ErrInvalidPattern, problems[0])
	}
	return set, nil
}

// setPatterns puts p in force, or what the root's files say.
func (r *root) setPatterns(p *Patterns) error {
	set, err := p.compile()
	if err != nil {
		return err
	}
	if set == nil {
		r.reload()
		set = r.files
	}
	r.adopt(set)
	return nil
}

// reload reads the root's pattern files and puts them in force if they say
// something new. If they cannot be read the last good ones stay (case 69).
func (r *root) reload() {
	set, err := pathrule.Load(r.path)
	r.patternErr = err
	if err != nil {
		r.w.log.Warn("patterns cannot be read, the former ones stay", "path", r.path, "err", err)
		return
	}
	news, overridden := !set.Equal(r.files), r.rules != r.files
	r.files = set
	if news {
		r.adopt(set)
	} else if !overridden {
		r.rules = set // the same patterns, but perhaps other unusable lines
	}
}

// adopt puts other rules in force in a running watch.
func (r *root) adopt(set *pathrule.Set) {
	r.apply(set)
	if r.state != Waiting {
		r.scan(r.tree.top, scan{deep: true, initial: true})
	}
}

// apply puts rules in force and forgets what they do not cover: without a word,
// unless it is gone as well, as with a root that is replaced.
func (r *root) apply(set *pathrule.Set) {
	r.rules = set
	for _, path := range r.filesBelow(r.tree.top) {
		if set.Match(r.rel(path)) {
			continue
		}
		if _, err := lstat(path); gone(err) {
			r.emit(Event{Type: Deleted, Path: path})
		}
		r.forget(r.tree.lookup(path))
	}
	for n := range r.tree.top.all() {
		if n.info.kind == dir && n != r.tree.top && (set.Empty() || !set.Descend(r.rel(r.tree.pathOf(n)))) {
			r.forget(n)
		}
	}
}

// isPatternFile reports whether path is one of the root's pattern files.
func (r *root) isPatternFile(path string) bool {
	rel := r.rel(path)
	return rel == pathrule.WatchFile || rel == pathrule.IgnoreFile
}
