package query

import (
	"context"
	"strings"
	"time"
)

// maxScan bounds the bytes of content that one call reads where the index cannot
// tell what is sought: up to a second. Its page ends there.
const maxScan = 128 << 20

// SearchQuery asks for files.
type SearchQuery struct {
	Sought Sought
	Files  FileFilter
	Lines  int // matching lines to show of each, at least one
	Around int // lines to show before and after each of them
	Limit  int
	From   SearchCursor
}

// SearchCursor is where a page of results begins; its zero value is the beginning.
type SearchCursor struct {
	Found  int   // results of the pages before
	Skip   int   // where the index tells: see FilesQuery
	Before int64 // where it does not
}

// Result is one file that a search found.
type Result struct {
	Version  int64
	Path     string
	Score    float64 // larger is better; 0: newest first
	Observed time.Time
	Shown
}

// Size bounds the bytes of the result in a message.
func (r Result) Size() int {
	const number = 8 // of a field with its tag
	size := 10*number + pathSize(r.Path) + len(r.Snippet.Text) + 3*number*(len(r.Snippet.Highlights)+len(r.Shown.Path))
	for _, l := range r.Lines {
		size += 4*number + len(l.Text) + 3*number*len(l.Highlights)
	}
	return size
}

// Results is a page of a search.
type Results struct {
	Items []Result
	Next  *SearchCursor // nil: this was the last
}

// Search returns the files whose newest content or path has what is sought: best
// first where the index tells, else newest first. It returns ErrNoIndex where the
// database has no search index yet.
func Search(ctx context.Context, finder Finder, q SearchQuery) (Results, error) {
	if q.Sought.Empty() {
		return Results{}, nil
	}
	s := &search{q: q, limit: min(q.Limit, MaxDepth-q.From.Found)}
	files := FilesQuery{Match: q.Sought.Match, InPath: q.Sought.InPath, Files: q.Files, Skip: q.From.Skip, Before: q.From.Before}
	var err error
	if q.Sought.Indexed() {
		err = finder.Ranked(ctx, files, func(f Found) bool { return s.ranked(ctx, f) })
	} else {
		err = finder.Newest(ctx, files, func(f Found) bool { return s.scanned(ctx, f) })
	}
	return s.results, err
}

// search is a page in the making.
type search struct {
	q       SearchQuery
	limit   int
	results Results
	size    int // of the results in a message
	read    int // bytes of content
}

// full reports whether the page ends before another result.
func (s *search) full() bool { return len(s.results.Items) >= s.limit || s.size > PageBytes }

// end has the next page begin at a cursor, unless it would be beyond the last one.
func (s *search) end(next SearchCursor) bool {
	if next.Found = s.q.From.Found + len(s.results.Items); next.Found < MaxDepth {
		s.results.Next = &next
	}
	return false
}

func (s *search) ranked(ctx context.Context, f Found) bool {
	if s.full() {
		return s.end(SearchCursor{Skip: f.Rank})
	}
	s.add(ctx, f)
	return true
}

func (s *search) scanned(ctx context.Context, f Found) bool {
	if s.full() || s.read > maxScan {
		return s.end(SearchCursor{Before: f.Version + 1})
	}
	s.read += s.q.Sought.cost(f.Content)
	if s.q.Sought.In(ctx, shownPath(f.Path), f.Content) {
		s.add(ctx, f)
	}
	return true
}

func (s *search) add(ctx context.Context, f Found) {
	r := Result{Version: f.Version, Path: f.Path, Score: f.Score, Observed: f.Observed}
	r.Shown = s.q.Sought.Show(ctx, shownPath(f.Path), f.Content, s.q.Lines, s.q.Around)
	s.size += r.Size()
	s.results.Items = append(s.results.Items, r)
}

// shownPath is the form of a path that a message shows.
func shownPath(path string) string { return strings.ToValidUTF8(path, "\uFFFD") }
