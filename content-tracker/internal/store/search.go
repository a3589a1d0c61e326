package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
)

// indexing asks that the search index hold a path's version, or nothing for 0.
type indexing struct {
	path    string // in its encoded form
	version int64
}

// index has the search index hold a path's version when the transaction ends.
func (tx *transaction) index(path string, version int64) {
	tx.search = append(tx.search, indexing{rawpath.Encode(path), version})
}

// indexStep has what a step leaves at its paths indexed.
func (tx *transaction) indexStep(step track.Step, version int64) {
	if step.Type == track.Moved {
		tx.index(step.OldPath, 0)
	}
	tx.index(step.Path, version)
}

// reindex makes the search index hold what the list asks for. All entries
// go before any comes, each in the order of their rows: where a row's number is
// not above the one before it, FTS5 writes out what it has gathered
// (sqlite3Fts5IndexBeginWrite), and a group of changed files would cost it a
// segment each.
//
// An external-content entry is removed with exactly the values that it was made
// of; where the Python side deleted that row they are lost, and the entry dangles:
// readers join it away.
func (tx *transaction) reindex(ctx context.Context, list []indexing) error {
	if len(list) == 0 {
		return nil
	}
	want := make(map[string]int64, len(list))
	for _, x := range list {
		want[x.path] = x.version
	}
	gone, paths, err := tx.outdated(ctx, want)
	if err != nil {
		return err
	}
	versions := slices.DeleteFunc(slices.Collect(maps.Values(want)), func(v int64) bool { return v == 0 })
	for _, x := range []struct {
		statement string
		rows      string
	}{
		{`INSERT INTO obby_search (obby_search, rowid, file_path, content) SELECT 'delete', id, file_path, content
			FROM file_versions WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`, values(gone)},
		{`DELETE FROM obby_indexed WHERE file_path IN (SELECT value FROM json_each(?))`, values(paths)},
		{`INSERT INTO obby_search (rowid, file_path, content) SELECT id, file_path, content
			FROM file_versions WHERE id IN (SELECT value FROM json_each(?)) AND content IS NOT NULL ORDER BY id`, values(versions)},
		{`INSERT OR REPLACE INTO obby_indexed (file_path, version_id) SELECT file_path, id
			FROM file_versions WHERE id IN (SELECT value FROM json_each(?)) AND content IS NOT NULL`, values(versions)},
	} {
		if x.rows == "[]" {
			continue
		}
		if _, err := tx.ExecContext(ctx, x.statement, x.rows); err != nil {
			return fmt.Errorf("update the search index: %w", err)
		}
	}
	return nil
}

// outdated returns the paths whose entry must go, with the versions that it holds,
// and removes from want what is indexed already.
func (tx *transaction) outdated(ctx context.Context, want map[string]int64) (gone []int64, paths []string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT i.file_path, i.version_id
		FROM json_each(?) j CROSS JOIN obby_indexed i ON i.file_path = j.value`, values(slices.Collect(maps.Keys(want))))
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var path string
		var version int64
		if err := rows.Scan(&path, &version); err != nil {
			return nil, nil, err
		}
		if want[path] == version {
			delete(want, path)
		} else {
			gone, paths = append(gone, version), append(paths, path)
		}
	}
	return gone, paths, rows.Err()
}

// values is how a list is given to json_each.
func values[T any](list []T) string {
	text, err := json.Marshal(append([]T{}, list...))
	if err != nil {
		panic(err) // numbers and valid UTF-8: it cannot be
	}
	return string(text)
}
