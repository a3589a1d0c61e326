package track

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/obby/go-services/internal/textdiff"
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
	Diff textdiff.Diff
	Path string // Deleted: the step becomes one of this path; empty: it stays where it is
}

// Thinning is what a path is to lose.
type Thinning struct {
	Path  string
	Past  []PastStep // the path's steps, of which it was made
	Joins []Join
	Gone  []int64 // steps
	Dry   bool    // change nothing, and return the same
}

// Thinned is what a path has lost, or all of them.
type Thinned struct {
	Path                   string
	Steps, Versions, Bytes int64
}

// Retain applies a policy. It reports what each path loses; with dry, would lose.
func (t *Tracker) Retain(ctx context.Context, p Policy, dry bool, report func(Thinned)) (total Thinned, err error) {
	for _, r := range p.Rules {
		if err := r.Check(); err != nil {
			return total, err
		}
	}
	histories, err := t.histories(ctx, p)
	if err != nil {
		return total, err
	}
	for _, path := range slices.Sorted(maps.Keys(histories)) {
		h := histories[path]
		if !slices.Contains(h.kept, false) {
			continue
		}
		lost, err := t.thin(ctx, path, h, dry)
		if errors.Is(err, ErrNoVersion) || errors.Is(err, ErrStale) { // another program removes or adds rows beside this
			t.log.Warn("history of a path not thinned out", "path", path, "err", err)
			continue
		}
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

// histories returns the histories that may lose something.
func (t *Tracker) histories(ctx context.Context, p Policy) (map[string]history, error) {
	paths, err := t.store.Paths(ctx)
	if err != nil {
		return nil, err
	}
	all := make(map[string]history, len(paths))
	for _, path := range paths {
		h, err := t.history(ctx, path, p.Rules)
		if err != nil {
			return nil, err
		}
		if p.MaxBytes > 0 || slices.Contains(h.kept, false) {
			all[path] = h
		}
	}
	if p.MaxBytes == 0 {
		return all, nil
	}
	stored, err := t.store.Bytes(ctx)
	if err == nil {
		shrink(all, stored-p.MaxBytes)
	}
	return all, err
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
// which versions it is between. A deletion need not say what it was of: nothing
// that is joined to it depends on that.
func (s PastStep) incomplete() bool {
	return s.New == 0 && s.Type != Deleted || s.Old == 0 && s.Type != Created && s.Type != Deleted
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

// thin removes what a path does not keep. What it was weighed with may have changed
// since, so it looks again, and the Store once more: a version may be pinned now.
func (t *Tracker) thin(ctx context.Context, path string, h history, dry bool) (lost Thinned, err error) {
	defer t.locks.lock(path)()
	for range recordTries {
		now, err := t.store.Past(ctx, path)
		if err != nil {
			return lost, err
		}
		plan, err := t.plan(ctx, path, history{now, h.still(now)})
		if err != nil || len(plan.Gone) == 0 {
			return lost, err
		}
		plan.Dry = dry
		if lost, err = t.store.Thin(ctx, plan); !errors.Is(err, ErrStale) {
			lost.Path = path
			return lost, err
		}
	}
	return lost, ErrStale
}

// still returns which of a path's present steps are kept: all but those that were
// given up and are not Fixed since.
func (h history) still(now []PastStep) []bool {
	given := map[int64]bool{}
	for i, s := range h.steps {
		given[s.ID] = !h.kept[i]
	}
	kept := make([]bool, len(now))
	for i, s := range now {
		kept[i] = s.Fixed || !given[s.ID] || i == len(now)-1
	}
	return kept
}

// plan returns how a path loses what it does not keep.
func (t *Tracker) plan(ctx context.Context, path string, h history) (Thinning, error) {
	plan := Thinning{Path: path, Past: h.steps, Joins: joins(h.steps, h.kept)}
	for i, s := range h.steps {
		if !h.kept[i] {
			plan.Gone = append(plan.Gone, s.ID)
		}
	}
	for i, j := range plan.Joins {
		var err error
		if plan.Joins[i].Diff, err = t.diffOf(ctx, path, j, h.steps); err != nil {
			return plan, err
		}
	}
	return plan, nil
}

// diffOf makes a joined step's diff.
func (t *Tracker) diffOf(ctx context.Context, path string, j Join, steps []PastStep) (textdiff.Diff, error) {
	to := steps[slices.IndexFunc(steps, func(s PastStep) bool { return s.ID == j.ID })].New
	names := textdiff.Names{Old: t.relative(path), New: t.relative(path)}
	contents := [2]Content{{Kind: Text}, {Kind: Text}}
	for i, version := range []int64{j.Old, to} {
		if version == 0 {
			continue
		}
		var err error
		if contents[i], err = t.store.Content(ctx, version); err != nil && !errors.Is(err, ErrNoContent) {
			return textdiff.Diff{}, err
		}
	}
	if j.Old == 0 {
		names.Old = ""
	}
	if to == 0 {
		names.New = ""
	}
	return Between(names, contents[0], contents[1], textdiff.ContextLines, MaxDiffText), nil
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
