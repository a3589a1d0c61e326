package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"slices"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/query-service/internal/query"
)

// A word in the path weighs ten times one in the content. A guess: who types a
// file's name wants that file.
const rank = "bm25(obby_search, 10.0, 1.0)"

// The joins leave out rows of the index that dangle, and those that are no longer
// their path's head (case 59). The snippets are cut of the page's rows only: the
// inner SELECT reads nothing that lies behind the contents.
const (
	selectFound = `SELECT v.id, v.file_path, -` + rank + ` AS score
	FROM obby_search
	JOIN file_versions v ON v.id = obby_search.rowid
	LEFT JOIN file_states s ON s.file_path = v.file_path`

	selectResults = `SELECT found.id, found.file_path, found.score, obby_time(v.timestamp),
	ifnull((SELECT snippet(obby_search, 1, ?2, ?3, '', 40) FROM obby_search WHERE obby_search MATCH ?1 AND rowid = found.id), '')
FROM (`

	orderResults = `) found
JOIN file_versions v ON v.id = found.id
ORDER BY found.score DESC, found.id`
)

// Search implements query.Finder.
func (s *Store) Search(ctx context.Context, q query.SearchQuery) (query.Page[query.Result], error) {
	var p query.Page[query.Result]
	if err := s.searchable(); err != nil || len(q.Words) == 0 {
		return p, err
	}
	// No content holds these marks: nobody ever sees them (case 57).
	open, shut := rand.Text(), rand.Text()
	statement, args := searchStatement(q, open, shut)
	err := s.each(ctx, statement, args, func(rows *sql.Rows) error {
		if p.More = len(p.Items) == q.Limit; p.More {
			return errFull
		}
		result, err := scanResult(rows, open, shut)
		p.Items = append(p.Items, result)
		return err
	})
	if errors.Is(err, errFull) {
		err = nil
	}
	return p, err
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

func searchStatement(q query.SearchQuery, open, shut string) (string, []any) {
	var w where
	w.and("obby_search MATCH ?1")
	w.and("(s.id IS NULL OR s.content_hash = v.content_hash)")
	w.below("v.file_path", q.Prefix)
	statement := selectResults + selectFound + w.String() + " ORDER BY score DESC, v.id LIMIT ? OFFSET ?" + orderResults
	return statement, slices.Concat([]any{q.Words.Match(), open, shut}, w.args, []any{q.Limit + 1, q.Offset})
}

func scanResult(rows *sql.Rows, open, shut string) (query.Result, error) {
	var r query.Result
	var at micros
	var marked string
	err := rows.Scan(&r.Version, &r.Path, &r.Score, &at, &marked)
	r.Path, r.Observed, r.Snippet = rawpath.Decode(r.Path), at.Time(), query.CutSnippet(marked, open, shut)
	return r, err
}
