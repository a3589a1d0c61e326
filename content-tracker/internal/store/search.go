package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
)

// reindex makes the search index hold a path's version, or nothing for 0. An
// external-content entry is removed with exactly the values that it was made of;
// where the Python side deleted that row they are lost, and the entry dangles:
// readers join it away.
func reindex(ctx context.Context, tx *sql.Tx, path string, version int64) error {
	encoded := rawpath.Encode(path)
	var indexed int64
	err := tx.QueryRowContext(ctx, `SELECT version_id FROM obby_indexed WHERE file_path = ?`, encoded).Scan(&indexed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || indexed == version {
		return ignoreNoRows(err)
	}
	if indexed != 0 {
		if _, err := tx.ExecContext(ctx, `INSERT INTO obby_search (obby_search, rowid, file_path, content)
			SELECT 'delete', id, file_path, content FROM file_versions WHERE id = ?`, indexed); err != nil {
			return err
		}
	}
	if version == 0 {
		_, err := tx.ExecContext(ctx, `DELETE FROM obby_indexed WHERE file_path = ?`, encoded)
		return err
	}
	added, err := tx.ExecContext(ctx, `INSERT INTO obby_search (rowid, file_path, content)
		SELECT id, file_path, content FROM file_versions WHERE id = ? AND content IS NOT NULL`, version)
	if err != nil {
		return err
	}
	if n, err := added.RowsAffected(); err != nil || n == 0 { // no text: nothing to find
		_, deleteErr := tx.ExecContext(ctx, `DELETE FROM obby_indexed WHERE file_path = ?`, encoded)
		return errors.Join(err, deleteErr)
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO obby_indexed (file_path, version_id) VALUES (?, ?)`, encoded, version)
	return err
}

// reindexStep indexes what a step leaves at its paths.
func reindexStep(ctx context.Context, tx *sql.Tx, step track.Step, version int64) error {
	if step.Type == track.Moved {
		if err := reindex(ctx, tx, step.OldPath, 0); err != nil {
			return err
		}
	}
	return reindex(ctx, tx, step.Path, version)
}

func ignoreNoRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

const (
	// catchUpInterval is how often another program's writes are looked for: one
	// PRAGMA on an open connection. A guess.
	catchUpInterval = 2 * time.Second
	// catchUpBatch bounds a transaction, so that tracking is not kept waiting.
	catchUpBatch = 200
	// forgetInterval is how often old requests are removed.
	forgetInterval = time.Hour
)

// CatchUp keeps the index in step with the rows that the Python side writes, and
// forgets old requests, until ctx ends.
func (s *Store) CatchUp(ctx context.Context, log *slog.Logger) error {
	ticker := time.NewTicker(catchUpInterval)
	defer ticker.Stop()
	var seen int64
	var forgot time.Time
	for {
		version, err := s.dataVersion(ctx)
		if err == nil && version != seen {
			err = s.catchUp(ctx)
		}
		if err == nil && time.Since(forgot) > forgetInterval {
			forgot = time.Now()
			err = s.transact(ctx, forgetRequests)
		}
		if err == nil {
			seen = version
		} else if ctx.Err() == nil {
			log.Warn("search index not caught up, will try again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// dataVersion changes when another connection has written: on the writing
// connection, therefore, when another program has.
func (s *Store) dataVersion(ctx context.Context) (version int64, err error) {
	err = s.write.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version)
	return version, err
}

func (s *Store) catchUp(ctx context.Context) error {
	for {
		more := false
		err := s.transact(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			more, err = catchUpOnce(ctx, tx)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// catchUpOnce indexes the heads of the paths of the next rows after the cursors.
// Rows of ours are among them: their paths are indexed already.
func catchUpOnce(ctx context.Context, tx *sql.Tx) (more bool, err error) {
	for _, table := range []string{"file_versions", "content_diffs"} {
		cursor := "indexed_" + table
		paths, last, err := newPaths(ctx, tx, table, cursor)
		if err != nil {
			return false, err
		}
		for _, path := range paths {
			head, err := headOf(ctx, tx, path)
			if err != nil {
				return false, err
			}
			if err := reindex(ctx, tx, path, head.Version.ID); err != nil {
				return false, err
			}
		}
		more = more || len(paths) == catchUpBatch
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO obby_meta (key, value)
			SELECT ?, ? WHERE ? > 0`, cursor, fmt.Sprint(last), last); err != nil {
			return false, err
		}
	}
	return more, nil
}

func newPaths(ctx context.Context, tx *sql.Tx, table, cursor string) (paths []string, last int64, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, file_path FROM `+table+`
		WHERE id > ifnull((SELECT CAST(value AS INTEGER) FROM obby_meta WHERE key = ?), 0)
		ORDER BY id LIMIT ?`, cursor, catchUpBatch)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var path string
		if err := rows.Scan(&last, &path); err != nil {
			return nil, 0, err
		}
		paths = append(paths, rawpath.Decode(path))
	}
	return paths, last, rows.Err()
}
