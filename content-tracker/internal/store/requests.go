package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
)

// requestWindow is how long a repeated request gets the answer of the first.
const requestWindow = 24 * time.Hour

// remember notes what a request recorded: nothing where change is 0.
func remember(ctx context.Context, tx *transaction, requestID string, change, version int64) error {
	if requestID == "" {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO obby_requests (request_id, diff_id, version_id, created_at) VALUES (?, ?, ?, ?)`,
		requestID, optional(change), optional(version), time.Now().UnixMicro())
	return err
}

func forgetRequests(ctx context.Context, tx *transaction) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM obby_requests WHERE created_at < ?`, time.Now().Add(-requestWindow).UnixMicro())
	return err
}

// Unchanged implements track.Store.
func (s *Store) Unchanged(ctx context.Context, requestID string, version int64) error {
	return s.transact(ctx, func(ctx context.Context, tx *transaction) error { return remember(ctx, tx, requestID, 0, version) })
}

// Answer implements track.Store.
func (s *Store) Answer(ctx context.Context, requestID string) (track.Result, bool, error) {
	var change, version sql.NullInt64
	err := s.read.QueryRowContext(ctx, `SELECT diff_id, version_id FROM obby_requests WHERE request_id = ? AND created_at >= ?`,
		requestID, time.Now().Add(-requestWindow).UnixMicro()).Scan(&change, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return track.Result{}, false, nil
	}
	if err != nil {
		return track.Result{}, false, explain(err)
	}
	result := track.Result{OldVersion: version.Int64}
	if change.Valid {
		result, err = s.recorded(ctx, change.Int64)
	}
	if err == nil && version.Valid {
		var v track.Version
		v, err = s.version(ctx, version.Int64)
		result.Version = &v
	}
	if errors.Is(err, sql.ErrNoRows) { // what was recorded is gone: begin anew
		return track.Result{}, false, nil
	}
	return result, err == nil, err
}

// recorded returns a recorded step without its version.
func (s *Store) recorded(ctx context.Context, change int64) (track.Result, error) {
	r := track.Result{Recorded: true, ChangeID: change}
	var old sql.NullInt64
	err := s.read.QueryRowContext(ctx, `SELECT d.change_type, d.old_version_id, ifnull(d.diff_content, ''), d.lines_added, d.lines_removed, ifnull(o.truncated, 0)
		FROM content_diffs d LEFT JOIN obby_diffs o ON o.diff_id = d.id WHERE d.id = ?`, change).
		Scan(&r.Type, &old, &r.Diff.Text, &r.Diff.Added, &r.Diff.Removed, &r.Diff.Truncated)
	r.OldVersion = old.Int64
	return r, explain(err)
}

func (s *Store) version(ctx context.Context, id int64) (track.Version, error) {
	v := track.Version{ID: id}
	var observed any
	var mtime sql.NullInt64
	err := s.read.QueryRowContext(ctx, `SELECT v.content_hash, v.line_count, +v.timestamp, ifnull(o.kind, ''), ifnull(o.eol, ''), ifnull(o.size_bytes, 0), o.mtime_ns
		FROM file_versions v LEFT JOIN obby_versions o ON o.version_id = v.id WHERE v.id = ?`, id).
		Scan(&v.Hash, &v.LineCount, &observed, &v.Kind, &v.EOL, &v.Size, &mtime)
	v.Observed, _ = sqlite.ParseTime(observed)
	if mtime.Valid {
		v.Mtime = time.Unix(0, mtime.Int64)
	}
	return v, explain(err)
}

// Change is a recorded step with what a subscriber is told of it.
type Change struct {
	track.Result
	Path, OldPath string
	Observed      time.Time // the zero time: what is stored cannot be read
}

// change reads a recorded step for publication.
func (s *Store) change(ctx context.Context, id int64) (Change, error) {
	result, err := s.recorded(ctx, id)
	if err != nil {
		return Change{}, err
	}
	c := Change{Result: result}
	var version sql.NullInt64
	var observed any
	err = s.read.QueryRowContext(ctx, `SELECT d.file_path, ifnull(o.old_path, ''), d.new_version_id, +d.timestamp
		FROM content_diffs d LEFT JOIN obby_diffs o ON o.diff_id = d.id WHERE d.id = ?`, id).
		Scan(&c.Path, &c.OldPath, &version, &observed)
	if err != nil {
		return Change{}, explain(err)
	}
	c.Path, c.OldPath = rawpath.Decode(c.Path), rawpath.Decode(c.OldPath)
	if at, ok := sqlite.ParseTime(observed); ok {
		c.Observed = at
	}
	if version.Valid {
		v, err := s.version(ctx, version.Int64)
		if err != nil {
			return Change{}, err
		}
		c.Version = &v
	}
	return c, nil
}
