package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/query-service/internal/query"
)

// maxRanked is how many files of each part of rankedStatement are ranked, those
// recorded last: bm25 costs a microsecond for a word of a file, and there are words
// that all files have (decision 19).
const maxRanked = query.MaxDepth

// A word in the path weighs ten times one in the content. A guess: who types a
// file's name wants that file.
//
// FTS5 ranks what it finds, and only what a filter needs is joined to that. Behind
// the LIMIT come the joins that leave out rows of the index that dangle, and those
// that are no longer their path's head (case 59). A content is read when its row
// comes: none is sorted.
const (
	selectPart = `SELECT * FROM (SELECT f.rowid AS id, -bm25(obby_search, 10.0, 1.0) AS score
	FROM obby_search f%s ORDER BY f.rowid DESC LIMIT ?)`

	// What is in both parts has the score that its path gives it.
	mergeParts = "SELECT id, max(score) AS score FROM (%s) GROUP BY id"

	selectRanked = `SELECT f.id, f.score, v.file_path, v.id IS NOT NULL AND ` + isHead + `, obby_time(v.timestamp), v.content
FROM (%s ORDER BY score DESC, id DESC LIMIT ? OFFSET ?) f
LEFT JOIN file_versions v ON v.id = f.id
LEFT JOIN file_states s ON s.file_path = v.file_path
ORDER BY f.score DESC, f.id DESC`

	isHead = "(s.id IS NULL OR s.content_hash = v.content_hash)"
)

// Ranked implements query.Finder.
func (s *Store) Ranked(ctx context.Context, q query.FilesQuery, visit func(query.Found) bool) error {
	if err := s.searchable(); err != nil {
		return err
	}
	statement, args, err := rankedStatement(q)
	if err != nil {
		return err
	}
	rank := q.Skip - 1
	return s.visit(ctx, statement, args, func(rows *sql.Rows) (bool, error) {
		f := query.Found{}
		var file, text sql.Null[string]
		var live sql.Null[bool]
		var at micros
		rank++
		if err := rows.Scan(&f.Version, &f.Score, &file, &live, &at, &text); err != nil || !live.V {
			return true, err
		}
		f.Rank, f.Path, f.Observed, f.Content = rank, rawpath.Decode(file.V), at.Time(), valid(text.V)
		return visit(f), nil
	})
}

// rankedStatement finds in two parts: all that match, and those that have a word of
// the query in their path. So none of these is lost where more match than are ranked,
// and a word that few paths have weighs much there, however many contents have it.
func rankedStatement(q query.FilesQuery) (string, []any, error) {
	expressions := []string{q.Match}
	if q.InPath != "" {
		expressions = append(expressions, fmt.Sprintf("(%s) AND (%s)", q.Match, q.InPath))
	}
	var parts string
	var args []any
	for i, expression := range expressions {
		if i > 0 {
			parts += "\nUNION ALL "
		}
		var w where
		w.and("obby_search MATCH ?", expression)
		filtered, err := w.files(q.Files)
		if err != nil {
			return "", nil, err
		}
		join := ""
		if filtered {
			join = " CROSS JOIN file_versions v ON v.id = f.rowid"
		}
		parts += fmt.Sprintf(selectPart, join+w.String())
		args = append(append(args, w.args...), maxRanked)
	}
	return fmt.Sprintf(selectRanked, fmt.Sprintf(mergeParts, parts)), append(args, max(0, query.MaxDepth-q.Skip), q.Skip), nil
}

// files keeps rows of file_versions v that a filter picks, and reports whether it
// leaves any out. What is cheap to read comes first. With the + SQLite does not take
// the condition for the way to the rows: they come in an order of their own.
func (w *where) files(f query.FileFilter) (bool, error) {
	before := len(w.conditions)
	w.below("+v.file_path", f.Prefix)
	if f.Pattern != "" || len(f.Extensions) > 0 {
		picks, err := json.Marshal(sqlite.Picks{Prefix: []byte(f.Prefix), Pattern: []byte(f.Pattern), Extensions: f.Extensions})
		if err != nil {
			return false, err
		}
		w.and("obby_picks(?, v.file_path)", string(picks))
	}
	if f.Range != (query.Range{}) {
		w.during("obby_time(v.timestamp)", f.Range)
	}
	return len(w.conditions) > before, nil
}

// obby_indexed has no index by version: its rows are sorted, which takes 1 ms of
// the 50 that it takes to read the contents of 10,000. The LIMIT has them sorted
// before the contents are joined to them.
const (
	selectIndexed  = "SELECT version_id AS id FROM obby_indexed WHERE version_id < ? ORDER BY version_id DESC LIMIT -1"
	selectMatching = "SELECT rowid AS id FROM obby_search WHERE obby_search MATCH ? AND rowid < ? ORDER BY rowid DESC"

	selectNewest = `SELECT v.id, v.file_path, obby_time(v.timestamp), v.content
FROM (%s) f
CROSS JOIN file_versions v ON v.id = f.id
LEFT JOIN file_states s ON s.file_path = v.file_path%s
ORDER BY f.id DESC`
)

// Newest implements query.Finder.
func (s *Store) Newest(ctx context.Context, q query.FilesQuery, visit func(query.Found) bool) error {
	if err := s.searchable(); err != nil {
		return err
	}
	statement, args, err := newestStatement(q)
	if err != nil {
		return err
	}
	return s.visit(ctx, statement, args, func(rows *sql.Rows) (bool, error) {
		var f query.Found
		var at micros
		var text sql.Null[string]
		if err := rows.Scan(&f.Version, &f.Path, &at, &text); err != nil {
			return false, err
		}
		f.Path, f.Observed, f.Content = rawpath.Decode(f.Path), at.Time(), valid(text.V)
		return visit(f), nil
	})
}

func newestStatement(q query.FilesQuery) (string, []any, error) {
	before := q.Before
	if before == 0 {
		before = math.MaxInt64
	}
	from, args := selectIndexed, []any{before}
	if q.Match != "" {
		from, args = selectMatching, []any{q.Match, before}
	}
	var w where
	w.and(isHead)
	_, err := w.files(q.Files)
	return fmt.Sprintf(selectNewest, from, w.String()), append(args, w.args...), err
}

// visit calls row for each row of a statement until it returns false.
func (s *Store) visit(ctx context.Context, statement string, args []any, row func(*sql.Rows) (bool, error)) error {
	err := s.each(ctx, statement, args, func(rows *sql.Rows) error {
		more, err := row(rows)
		if err == nil && !more {
			err = errFull
		}
		return err
	})
	if errors.Is(err, errFull) {
		err = nil
	}
	return err
}

// searchable returns why nothing can be searched.
func (s *Store) searchable() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.database == nil:
		return s.why
	case !s.database.search:
		return query.ErrNoIndex
	}
	return nil
}
