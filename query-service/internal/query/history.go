package query

import (
	"context"
	"time"
)

// MaxChanges bounds the changes of a HistoryMatch.
const MaxChanges = 100

// HistoryQuery asks for the paths in whose history a text stands.
type HistoryQuery struct {
	Text       string // valid UTF-8, not empty
	IgnoreCase bool
	Path       string     // only this one; empty: those that Files picks
	Files      FileFilter // without its range
	After      string     // the last path of the page before
	Limit      int
}

// TextsQuery asks for versions with a text.
type TextsQuery struct {
	Path  string // only of this one; empty: of those that Files picks
	Files FileFilter
	After string // only of paths behind it
}

// VersionText is a version and its text. A binary one has none; of one that is not
// UTF-8 it is the form with U+FFFD.
type VersionText struct {
	ID      int64
	Path    string
	Current bool // the path has this content now
	Text    string
}

// PathStep is a step at a path.
type PathStep struct {
	ID         int64
	Observed   time.Time
	Type       ChangeType // Moved: the file came to the path
	Away       bool       // the file went to another path
	OldVersion int64      // 0: none, or not known
	NewVersion int64      // 0: none, or not known
}

// HistoryMatch is a path in whose history a text stands. A move is the end of the
// text at the former path and its beginning at the new one.
type HistoryMatch struct {
	Path        string
	First, Last Version // with the text, in the order in which they were recorded
	Present     bool    // the path has the text now
	Changes     []TextChange
	Truncated   bool // there are more than MaxChanges
}

// Size bounds the bytes of the match in a message.
func (m HistoryMatch) Size() int {
	return 64 + pathSize(m.Path) + m.First.Size() + m.Last.Size() + 64*len(m.Changes)
}

// TextChange is a step that changed how often a text stands in a path.
type TextChange struct {
	PathStep
	Before, After int64 // how often; what overlaps counts once
}

// History is a page of a search in the history.
type History struct {
	Matches []HistoryMatch
	Next    string // the path after which the next page begins; empty: this was the last
}

// versionCost is what a version costs beside its text, in bytes of it.
const versionCost = 500

// pathCount is how often a text stands in each version of a path.
type pathCount struct {
	path        string
	first, last int64 // versions that have it
	present     bool
	counts      map[int64]int64 // of the versions that were read: not of those that were removed or not kept
}

// SearchHistory returns the paths in whose history a text stands, by path. A page
// ends early where much was read, so it may be empty and have a next one; a path is
// never cut in two.
func SearchHistory(ctx context.Context, store Historian, q HistoryQuery) (History, error) {
	found, next, err := countTexts(ctx, store, q)
	if err != nil {
		return History{}, err
	}
	page := History{Next: next}
	size := 0
	for _, c := range found {
		m, err := describe(ctx, store, c)
		if err != nil {
			return History{}, err
		}
		if m == nil { // its versions were deleted meanwhile
			continue
		}
		if size += m.Size(); size > PageBytes && len(page.Matches) > 0 {
			page.Next = page.Matches[len(page.Matches)-1].Path
			break
		}
		page.Matches = append(page.Matches, *m)
	}
	return page, nil
}

// countTexts returns the next paths that have the text, and the path after which
// there may be more.
func countTexts(ctx context.Context, store Historian, q HistoryQuery) (found []*pathCount, next string, err error) {
	sought := newLiteral(q.Text, q.IgnoreCase)
	read := 0
	c := &pathCount{} // of the versions that come
	texts := TextsQuery{Path: q.Path, Files: q.Files, After: q.After}
	err = store.Texts(ctx, texts, func(v VersionText) bool {
		if v.Path != c.path {
			if c.path != "" && (read > maxScan || len(found) == q.Limit) {
				next = c.path
				return false
			}
			c = &pathCount{path: v.Path, counts: map[int64]int64{}}
		}
		read += len(v.Text) + versionCost
		n := sought.count(v.Text)
		if c.counts[v.ID] = n; n == 0 {
			return true
		}
		if c.first == 0 {
			c.first, found = v.ID, append(found, c)
		}
		c.last, c.present = v.ID, c.present || v.Current
		return true
	})
	return found, next, err
}

// describe returns the match of a path, nil where its versions are gone.
func describe(ctx context.Context, store Historian, c *pathCount) (*HistoryMatch, error) {
	versions, err := store.VersionsByID(ctx, c.first, c.last)
	if err != nil || len(versions) == 0 {
		return nil, err
	}
	m := &HistoryMatch{Path: c.path, First: versions[0], Last: versions[len(versions)-1], Present: c.present}
	var now int64 // how often the text stands in the path
	err = store.StepsOf(ctx, c.path, func(step PathStep) bool {
		change := TextChange{PathStep: step}
		change.Before, change.After = c.around(step, now)
		if now = change.After; change.Before == change.After {
			return true
		}
		if m.Truncated = len(m.Changes) == MaxChanges; m.Truncated {
			return false
		}
		m.Changes = append(m.Changes, change)
		return true
	})
	return m, err
}

// around returns how often the text stands in the path before and after a step. now is
// what the step before has left: it stands in where neither the row nor a version says.
func (c *pathCount) around(step PathStep, now int64) (before, after int64) {
	switch {
	case step.Type == Created:
	case step.Away, step.Type == Moved, step.OldVersion == 0:
		before = now
	default:
		before = c.count(step.OldVersion, now)
	}
	if step.NewVersion == 0 {
		return before, 0
	}
	return before, c.count(step.NewVersion, before)
}

// count returns how often the text stands in a version, or what is given for one that is
// not known.
func (c *pathCount) count(version, unknown int64) int64 {
	if n, ok := c.counts[version]; ok {
		return n
	}
	return unknown
}
