package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/query-service/internal/query"
)

// The steps of the page are picked first, so that nothing is sorted with its text.
// That is cut in SQL too: a row may hold 100 MB of it (case 22). Of an empty blob
// substr makes NULL.
const selectDiffs = `SELECT d.id, d.file_path, ifnull(o.old_path, ''), d.change_type,
	ifnull(d.old_version_id, 0), ifnull(d.new_version_id, 0),
	CAST(ifnull(d.lines_added, 0) AS INTEGER), CAST(ifnull(d.lines_removed, 0) AS INTEGER),
	obby_time(d.timestamp), ifnull(o.truncated, 0),
	ifnull(substr(CAST(d.diff_content AS BLOB), 1, ?1), '')
FROM (SELECT id FROM content_diffs%s ORDER BY id%s LIMIT ?) picked
JOIN content_diffs d ON d.id = picked.id
LEFT JOIN obby_diffs o ON o.diff_id = d.id
ORDER BY picked.id%[2]s`

// Diffs implements query.DiffStore.
func (s *Store) Diffs(ctx context.Context, q query.DiffQuery) (query.Page[query.Diff], error) {
	statement, args := diffsStatement(q)
	return page(ctx, s, statement, args, q.Limit, scanDiff)
}

func diffsStatement(q query.DiffQuery) (string, []any) {
	var w where
	if q.After > 0 {
		w.and("id > ?", q.After)
	}
	if q.Before > 0 {
		w.and("id < ?", q.Before)
	}
	w.below("file_path", q.Prefix)
	if len(q.Types) > 0 {
		w.and("change_type IN (?" + strings.Repeat(", ?", len(q.Types)-1) + ")")
		for _, t := range q.Types {
			w.args = append(w.args, string(t))
		}
	}
	if q.Range != (query.Range{}) {
		w.during("obby_time(timestamp)", q.Range)
	}
	order := " DESC"
	if q.Oldest {
		order = ""
	}
	text := 0
	if q.WithText {
		text = query.MaxDiffText + utf8.UTFMax // so that cutText never sees half a character
	}
	return fmt.Sprintf(selectDiffs, w.String(), order), slices.Concat([]any{text}, w.args)
}

func scanDiff(rows *sql.Rows) (query.Diff, error) {
	var d query.Diff
	var at micros
	err := rows.Scan(&d.ID, &d.Path, &d.OldPath, &d.Type, &d.OldVersion, &d.NewVersion, &d.Added, &d.Removed, &at, &d.Truncated, &d.Text)
	d.Path, d.OldPath, d.Observed = rawpath.Decode(d.Path), rawpath.Decode(d.OldPath), at.Time()
	var cut bool
	d.Text, cut = cutText(d.Text, query.MaxDiffText)
	d.Truncated = d.Truncated || cut
	return d, err
}

// cutText returns the first characters of a text, as many as fit into limit, and
// whether that leaves any out.
func cutText(text string, limit int) (string, bool) {
	text = valid(text)
	if len(text) <= limit {
		return text, false
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit], true
}

// AUTOINCREMENT keeps the largest id there ever was, also of a deleted row.
const selectLast = `SELECT
	max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'content_diffs'), 0), ifnull((SELECT max(id) FROM content_diffs), 0)),
	ifnull((SELECT value FROM obby_meta WHERE key = 'database_id'), '')`

// Last implements query.DiffStore.
func (s *Store) Last(ctx context.Context) (query.Position, error) {
	var last query.Position
	err := s.each(ctx, selectLast, nil, func(rows *sql.Rows) error {
		return rows.Scan(&last.ID, &last.Database)
	})
	return last, err
}
