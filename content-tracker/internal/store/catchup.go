package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

const (
	// indexedAtOnce is up to how many paths a transaction indexes itself. Those of
	// a larger group are left to CatchUp: to index a page costs more than all its
	// rows, and less by the page where many are indexed together.
	indexedAtOnce = 32
	// catchUpInterval is how often another program's writes are looked for: one
	// PRAGMA on an open connection. A guess.
	catchUpInterval = 2 * time.Second
	// catchUpBatch bounds a transaction of CatchUp, in rows.
	catchUpBatch = 1000
	// catchUpShare bounds what CatchUp takes from callers who wait for a commit:
	// a batch that took t is followed by a pause of t times this.
	catchUpShare = 3
	// forgetInterval is how often old requests are removed.
	forgetInterval = time.Hour
)

// CatchUp indexes the rows that the Python side writes and those that were left
// to it, puts steps into blocks, and forgets old requests, until ctx ends.
func (s *Store) CatchUp(ctx context.Context, log *slog.Logger) error {
	ticker := time.NewTicker(catchUpInterval)
	defer ticker.Stop()
	var seen int64
	var forgot time.Time
	var blocks packing
	behind := true
	for {
		version, err := s.dataVersion(ctx)
		if err == nil && (behind || version != seen) {
			err = s.catchUp(ctx)
		}
		if err == nil {
			err = s.pack(ctx, &blocks, version != seen)
		}
		if err == nil && time.Since(forgot) > forgetInterval {
			forgot = time.Now()
			err = s.transact(ctx, forgetRequests)
		}
		if err == nil {
			seen, behind = version, false
		} else if ctx.Err() == nil {
			log.Warn("the indexes are not caught up, will try again", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.behind:
			behind = true
		case <-ticker.C:
		}
	}
}

// left notes that CatchUp has something to do.
func (s *Store) left() {
	select {
	case s.behind <- struct{}{}:
	default: // it knows already
	}
}

// dataVersion changes when another connection has written: on the writing
// connection, therefore, when another program has.
func (s *Store) dataVersion(ctx context.Context) (version int64, err error) {
	err = s.write.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version)
	return version, err
}

func (s *Store) catchUp(ctx context.Context) error {
	for more := true; more; {
		start := time.Now()
		err := s.transact(ctx, func(ctx context.Context, tx *transaction) (err error) {
			more, err = catchUpOnce(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
		if more {
			if err := s.giveWay(ctx, start); err != nil {
				return err
			}
		}
	}
	return nil
}

// giveWay pauses after a batch where callers wait for a commit.
func (s *Store) giveWay(ctx context.Context, start time.Time) error {
	if !s.crowded.Load() {
		return nil
	}
	select {
	case <-time.After(catchUpShare * time.Since(start)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// newRows says where paths come from whose index entry may be outdated: from new
// versions, and from new steps at both ends of a move.
var newRows = []struct{ cursor, query string }{
	{"indexed_file_versions", `SELECT r.id, r.file_path, '' FROM file_versions r`},
	{"indexed_content_diffs", `SELECT r.id, r.file_path, ifnull(o.old_path, '') FROM content_diffs r LEFT JOIN obby_diffs o ON o.diff_id = r.id`},
}

// catchUpOnce indexes the heads of the paths of the next rows after the cursors.
// Rows of ours are among them: most of their paths are indexed already.
func catchUpOnce(ctx context.Context, tx *transaction) (more bool, err error) {
	var all []string
	for _, rows := range newRows {
		paths, n, last, err := newPaths(ctx, tx, rows.cursor, rows.query)
		if err != nil {
			return false, err
		}
		all = append(all, paths...)
		more = more || n == catchUpBatch
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO obby_meta (key, value)
			SELECT ?, ? WHERE ? > 0`, rows.cursor, fmt.Sprint(last), last); err != nil {
			return false, err
		}
	}
	heads, err := headVersions(ctx, tx, all)
	if err != nil {
		return false, err
	}
	return more, tx.reindex(ctx, heads)
}

// newPaths returns the paths, in their encoded form, of the next rows after a
// cursor, how many rows those are, and the last of them.
func newPaths(ctx context.Context, tx *transaction, cursor, query string) (paths []string, n int, last int64, err error) {
	rows, err := tx.QueryContext(ctx, query+`
		WHERE r.id > ifnull((SELECT CAST(value AS INTEGER) FROM obby_meta WHERE key = ?), 0)
		ORDER BY r.id LIMIT ?`, cursor, catchUpBatch)
	if err != nil {
		return nil, 0, 0, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		var path, old string
		if err := rows.Scan(&last, &path, &old); err != nil {
			return nil, 0, 0, err
		}
		if paths = append(paths, path); old != "" {
			paths = append(paths, old)
		}
	}
	return paths, n, last, rows.Err()
}

// headVersions returns which version of each path is its head.
func headVersions(ctx context.Context, tx *transaction, paths []string) (heads []indexing, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT paths.value, ifnull(`+headVersion+`, 0)
		FROM json_each(?) paths LEFT JOIN file_states s ON s.file_path = paths.value`, values(paths))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var x indexing
		if err := rows.Scan(&x.path, &x.version); err != nil {
			return nil, err
		}
		heads = append(heads, x)
	}
	return heads, rows.Err()
}
