package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/query-service/internal/query"
)

// A path's versions lie behind each other in the index, so nothing is sorted, and
// a path that is left out costs none of its contents.
const selectTexts = `SELECT v.id, v.file_path, ` + isCurrent + `, ifnull(v.content, '')
FROM file_versions v INDEXED BY idx_file_versions_path
LEFT JOIN file_states s ON s.file_path = v.file_path%s
ORDER BY v.file_path, v.id`

// Texts implements query.Historian.
func (s *Store) Texts(ctx context.Context, q query.TextsQuery, visit func(query.VersionText) bool) error {
	statement, args, err := textsStatement(q)
	if err != nil {
		return err
	}
	return s.visit(ctx, statement, args, func(rows *sql.Rows) (bool, error) {
		var v query.VersionText
		err := rows.Scan(&v.ID, &v.Path, &v.Current, &v.Text)
		v.Path, v.Text = rawpath.Decode(v.Path), valid(v.Text)
		return err == nil && visit(v), err
	})
}

func textsStatement(q query.TextsQuery) (string, []any, error) {
	var w where
	if q.Path != "" {
		w.and("v.file_path = ?", rawpath.Encode(q.Path))
	}
	if q.After != "" {
		w.and("v.file_path > ?", rawpath.Encode(q.After))
	}
	if prefix := rawpath.Encode(q.Files.Prefix); prefix != "" && prefix != "/" {
		w.and("v.file_path >= ? AND v.file_path < ?", prefix, prefix+"0") // what is below it is among these
	}
	_, err := w.files(q.Files)
	w.and("(v.content IS NOT NULL OR EXISTS (SELECT 1 FROM obby_versions o WHERE o.version_id = v.id AND o.kind = 'binary'))")
	return fmt.Sprintf(selectTexts, w.String()), w.args, err
}

// The second part are the moves away: their rows are those of the new paths.
const selectStepsOf = `SELECT d.id, obby_time(d.timestamp), d.change_type, 0,
	CAST(ifnull(d.old_version_id, 0) AS INTEGER), CAST(ifnull(d.new_version_id, 0) AS INTEGER)
FROM content_diffs d WHERE d.file_path = ?1
UNION ALL
SELECT d.id, obby_time(d.timestamp), d.change_type, 1, CAST(ifnull(d.old_version_id, 0) AS INTEGER), 0
FROM obby_diffs o CROSS JOIN content_diffs d ON d.id = o.diff_id WHERE o.old_path = ?1 AND d.file_path <> ?1
ORDER BY 1`

// StepsOf implements query.Historian.
func (s *Store) StepsOf(ctx context.Context, path string, visit func(query.PathStep) bool) error {
	return s.visit(ctx, selectStepsOf, []any{rawpath.Encode(path)}, func(rows *sql.Rows) (bool, error) {
		var step query.PathStep
		var at micros
		err := rows.Scan(&step.ID, &at, &step.Type, &step.Away, &step.OldVersion, &step.NewVersion)
		step.Observed = at.Time()
		return err == nil && visit(step), err
	})
}

// VersionsByID implements query.Historian.
func (s *Store) VersionsByID(ctx context.Context, ids ...int64) ([]query.Version, error) {
	var versions []query.Version
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	err := s.each(ctx, versionsByIDStatement(len(ids)), args, func(rows *sql.Rows) error {
		v, err := scanVersion(rows)
		versions = append(versions, v)
		return err
	})
	return versions, err
}

func versionsByIDStatement(n int) string {
	return "SELECT " + versionColumns + fromVersions + " WHERE v.id IN (?" + strings.Repeat(", ?", n-1) + ") ORDER BY v.id"
}
