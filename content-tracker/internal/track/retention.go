package track

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"
)

// PastStep is a recorded step, as retention sees it.
type PastStep struct {
	ID       int64
	Type     ChangeType
	Old, New int64 // versions; 0: none
	At       time.Time
	Fixed    bool  // kept whatever the rules say
	Bytes    int64 // of its diff and its new version
}

// Join makes a step begin at an older version than it did.
type Join struct {
	ID   int64
	Type ChangeType
	Old  int64
	Diff Diff
}

// Thinned is what a path has lost, or all of them.
type Thinned struct {
	Path                   string
	Steps, Versions, Bytes int64
}

// joins returns how the kept steps follow each other without the others, which it
// keeps too where else nothing would have changed from one to the next.
func joins(steps []PastStep, kept []bool) []Join {
	for i, before := 0, -1; i < len(steps); i++ {
		if !kept[i] {
			continue
		}
		if before >= 0 && i > before+1 && steps[before].New == steps[i].New && steps[i].Type != Moved {
			kept[i-1] = true
		}
		before = i
	}
	var out []Join
	version, gap := int64(0), false
	for i, s := range steps {
		if !kept[i] {
			gap = true
			continue
		}
		if gap && s.Type != Moved && s.Old != version {
			out = append(out, Join{ID: s.ID, Type: typeOf(version, s.New), Old: version})
		}
		version, gap = s.New, false
	}
	return out
}

func typeOf(from, to int64) ChangeType {
	switch {
	case to == 0:
		return Deleted
	case from == 0:
		return Created
	}
	return Modified
}

// Retain applies a policy. It reports what each path loses; with dry, would lose.
func (t *Tracker) Retain(ctx context.Context, p Policy, dry bool, report func(Thinned)) (total Thinned, err error) {
	for _, r := range p.Rules {
		if err := r.Check(); err != nil {
			return total, err
		}
	}
	paths, err := t.store.Paths(ctx)
	if err != nil {
		return total, err
	}
	histories := make(map[string]history, len(paths))
	for _, path := range paths {
		h, err := t.history(ctx, path, p.Rules)
		if err != nil {
			return total, err
		}
		if p.MaxBytes > 0 || slices.Contains(h.kept, false) {
			histories[path] = h
		}
	}
	if p.MaxBytes > 0 {
		stored, err := t.store.Bytes(ctx)
		if err != nil {
			return total, err
		}
		shrink(histories, stored-p.MaxBytes)
	}
	for _, path := range paths {
		h := histories[path]
		if !slices.Contains(h.kept, false) {
			continue
		}
		lost, err := t.thin(ctx, path, h, dry)
		if err != nil {
			return total, err
		}
		if lost.Steps > 0 {
			report(lost)
		}
		total.Steps, total.Versions, total.Bytes = total.Steps+lost.Steps, total.Versions+lost.Versions, total.Bytes+lost.Bytes
	}
	return total, nil
}

// history is a path's steps, oldest first, and which of them are kept.
type history struct {
	steps []PastStep
	kept  []bool
}

func (t *Tracker) history(ctx context.Context, path string, rules []Rule) (history, error) {
	steps, err := t.store.Past(ctx, path)
	if err != nil {
		return history{}, err
	}
	everything := Rule{Last: len(steps)}
	rule := everything
	if i := slices.IndexFunc(rules, func(r Rule) bool { return r.matches(t.relative(path)) }); i >= 0 {
		rule = rules[i]
	}
	if slices.ContainsFunc(steps, PastStep.incomplete) {
		rule = everything
	}
	return history{steps, rule.keep(steps)}, nil
}

// incomplete reports whether a step is one of the Python side's that does not say
// which versions it is between.
func (s PastStep) incomplete() bool {
	return s.New == 0 && s.Type != Deleted || s.Old == 0 && s.Type != Created
}

// relative returns a path as its root's patterns see it.
func (t *Tracker) relative(path string) string {
	root := ""
	for _, r := range t.roots {
		if len(r) > len(root) && below(r, path) {
			root = r
		}
	}
	if rel, err := filepath.Rel(cmp.Or(root, filepath.Dir(path)), path); err == nil {
		return rel
	}
	return path
}

// shrink gives up the oldest steps of all until about that many bytes are free,
// beside what is given up already.
func shrink(histories map[string]history, excess int64) {
	type candidate struct {
		path string
		i    int
	}
	var all []candidate
	for path, h := range histories {
		complete := !slices.ContainsFunc(h.steps, PastStep.incomplete)
		for i, s := range h.steps {
			switch {
			case !h.kept[i]:
				excess -= s.Bytes
			case complete && !s.Fixed && i < len(h.steps)-1:
				all = append(all, candidate{path, i})
			}
		}
	}
	id := func(c candidate) int64 { return histories[c.path].steps[c.i].ID }
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Compare(id(a), id(b)) })
	for _, c := range all {
		if excess <= 0 {
			return
		}
		histories[c.path].kept[c.i] = false
		excess -= histories[c.path].steps[c.i].Bytes
	}
}

// thin removes what a path does not keep.
func (t *Tracker) thin(ctx context.Context, path string, h history, dry bool) (Thinned, error) {
	defer t.locks.lock(path)()
	all := joins(h.steps, h.kept)
	for i := range all {
		var err error
		if all[i].Diff, err = t.diffOf(ctx, path, all[i], h.steps); err != nil {
			return Thinned{}, err
		}
	}
	var gone []int64
	for i, s := range h.steps {
		if !h.kept[i] {
			gone = append(gone, s.ID)
		}
	}
	lost, err := t.store.Thin(ctx, path, all, gone, dry)
	lost.Path = path
	return lost, err
}

// diffOf makes a joined step's diff.
func (t *Tracker) diffOf(ctx context.Context, path string, j Join, steps []PastStep) (Diff, error) {
	to := steps[slices.IndexFunc(steps, func(s PastStep) bool { return s.ID == j.ID })].New
	names := Names{Old: t.relative(path), New: t.relative(path)}
	contents := [2]Content{{Kind: Text}, {Kind: Text}}
	for i, version := range []int64{j.Old, to} {
		if version == 0 {
			continue
		}
		var err error
		if contents[i], err = t.store.Content(ctx, version); err != nil && !errors.Is(err, ErrNoContent) {
			return Diff{}, err
		}
	}
	if j.Old == 0 {
		names.Old = ""
	}
	if to == 0 {
		names.New = ""
	}
	return Between(names, contents[0], contents[1], ContextLines, MaxDiffText), nil
}

// Policy returns the policy that the tracker was made with.
func (t *Tracker) Policy() Policy { return t.policy }

// retainEvery is how often KeepRetaining applies the policy. A guess: what goes is
// days old at the least.
const retainEvery = 6 * time.Hour

// KeepRetaining applies the policy that the tracker was made with, now and again,
// until ctx ends.
func (t *Tracker) KeepRetaining(ctx context.Context) error {
	ticker := time.NewTicker(retainEvery)
	defer ticker.Stop()
	for {
		total, err := t.Retain(ctx, t.policy, false, func(Thinned) {})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			t.log.Warn("history not thinned out, will try again", "err", err)
		case total.Steps > 0:
			t.log.Info("history thinned out", "steps", total.Steps, "versions", total.Versions, "bytes", total.Bytes)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
