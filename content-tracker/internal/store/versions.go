package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/textdiff"
)

// Content implements track.Store.
func (s *Store) Content(ctx context.Context, version int64) (track.Content, error) {
	var hash, kind, ending string
	var text sql.NullString
	var exact []byte
	err := s.read.QueryRowContext(ctx, `SELECT v.content_hash, v.content, ifnull(o.kind, 'text'), ifnull(o.eol, ''), b.data
		FROM file_versions v
		LEFT JOIN obby_versions o ON o.version_id = v.id
		LEFT JOIN obby_blobs b ON b.content_hash = v.content_hash AND o.kind IN ('lossy', 'binary')
		WHERE v.id = ?`, version).Scan(&hash, &text, &kind, &ending, &exact)
	c := track.Content{Hash: track.Hash(hash), Kind: track.Kind(kind), EOL: track.LineEnding(ending), Body: exact}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return c, track.ErrNoVersion
	case err != nil:
		return c, explain(err)
	case c.Kind == track.Text && text.Valid:
		c.Body = []byte(text.String)
	case c.Kind == track.Omitted || c.Kind == track.Text:
		c.Kind = track.Omitted
		return c, track.ErrNoContent
	}
	return c, nil
}

// PathOf implements track.Store.
func (s *Store) PathOf(ctx context.Context, version int64) (path string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT file_path FROM file_versions WHERE id = ?`, version).Scan(&path)
	if errors.Is(err, sql.ErrNoRows) {
		return "", track.ErrNoVersion
	}
	return rawpath.Decode(path), explain(err)
}

// FilesAt implements track.Store.
func (s *Store) FilesAt(ctx context.Context, path string, at time.Time) (files []track.FileAt, err error) {
	text := rawpath.Encode(path)
	from, to := rangeOf(text)
	rows, err := s.read.QueryContext(ctx, sqlite.FilesAt, text, from, to, at.UnixMicro(), "", int64(sqlite.AnyStep), int64(sqlite.AnyStep), math.MaxInt64)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var f track.FileAt
		if err := rows.Scan(&f.Path, &f.Version); err != nil {
			return nil, err
		}
		f.Path = rawpath.Decode(f.Path)
		files = append(files, f)
	}
	return files, explain(rows.Err())
}

// LoggedAt implements track.Store. A move away leaves no row of the path that the
// file left: that is read from the steps, for retention keeps every move.
func (s *Store) LoggedAt(ctx context.Context, path string, at time.Time) (there bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT c.change_type <> 'deleted' AND NOT EXISTS (
			SELECT 1 FROM obby_diffs o JOIN content_diffs d ON d.id = o.diff_id
			WHERE o.old_path = c.file_path AND obby_time(d.timestamp) BETWEEN obby_time(c.timestamp) AND ?2)
		FROM file_changes c WHERE c.file_path = ?1 AND obby_time(c.timestamp) <= ?2 ORDER BY c.id DESC LIMIT 1`,
		rawpath.Encode(path), at.UnixMicro()).Scan(&there)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return there, explain(err)
}

// addVersion returns the version row of the step's content, a new one unless the
// path had that content before.
func addVersion(ctx context.Context, tx *transaction, s track.Step) (int64, error) {
	if s.To == nil {
		return copyVersion(ctx, tx, s)
	}
	id, err := int64(0), error(nil)
	if s.Type != track.Created || s.From.Known { // else the path has no version yet
		if id, err = findVersion(ctx, tx, s.Path, s.To.Hash); err != nil {
			return 0, err
		}
	}
	if id != 0 {
		if _, err = fill(ctx, tx, id, s.To); err != nil {
			return 0, err
		}
	} else {
		if id, err = insert(ctx, tx, `INSERT INTO file_versions
			(file_path, content_hash, content, line_count, timestamp, change_description) VALUES (?, ?, ?, ?, ?, ?)`,
			rawpath.Encode(s.Path), s.To.Hash, textOf(s.To), s.To.LineCount, sqlite.FormatTime(s.Observed), description(s.Type)); err != nil {
			return 0, err
		}
	}
	return id, describe(ctx, tx, id, s.To)
}

// fill gives a version that has no content, because it was over the cap or the
// Python side kept none, the one that is met again. It never replaces one.
func fill(ctx context.Context, tx *transaction, id int64, c *track.Content) (filled bool, err error) {
	if c.Kind == track.Omitted {
		return false, nil
	}
	result, err := tx.ExecContext(ctx, `UPDATE file_versions SET content = ifnull(content, ?), line_count = ?
		WHERE id = ? AND content_hash = ? AND CASE ifnull((SELECT kind FROM obby_versions WHERE version_id = file_versions.id), 'text')
			WHEN 'omitted' THEN 1 WHEN 'text' THEN content IS NULL ELSE 0 END`, textOf(c), c.LineCount, id, c.Hash)
	if err != nil {
		return false, err
	}
	n, _ := result.RowsAffected() // this driver always knows
	if n == 0 {
		return false, nil
	}
	_, err = tx.ExecContext(ctx, `UPDATE obby_versions SET kind = ? WHERE version_id = ?`, c.Kind, id)
	return true, err
}

// describe keeps what the row of a version has no column for. The kind says what
// the row holds, so a version that is met again keeps its own, and a text of the
// Python side is not omitted, however large.
func describe(ctx context.Context, tx *transaction, id int64, c *track.Content) error {
	if c.Kind == track.Lossy || c.Kind == track.Binary {
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO obby_blobs (content_hash, data) VALUES (?, ?)`, c.Hash, c.Body); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO obby_versions (version_id, kind, eol, size_bytes, mtime_ns)
		SELECT id, CASE WHEN ?2 = 'omitted' AND content IS NOT NULL THEN 'text' ELSE ?2 END, ?3, ?4, ?5 FROM file_versions WHERE id = ?1
		ON CONFLICT (version_id) DO UPDATE SET eol = excluded.eol, size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns`,
		id, c.Kind, c.EOL, c.Size, c.Stat.Mtime)
	return err
}

// copyVersion gives a moved path the version that its old path had, unread.
func copyVersion(ctx context.Context, tx *transaction, s track.Step) (int64, error) {
	from := s.From.Version
	if id, err := findVersion(ctx, tx, s.Path, from.Hash); id != 0 || err != nil {
		return id, err
	}
	id, err := insert(ctx, tx, `INSERT INTO file_versions
		(file_path, content_hash, content, line_count, timestamp, change_description)
		SELECT ?, content_hash, content, line_count, ?, ? FROM file_versions WHERE id = ?`,
		rawpath.Encode(s.Path), sqlite.FormatTime(s.Observed), description(s.Type), from.ID)
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO obby_versions (version_id, kind, eol, size_bytes, mtime_ns)
		SELECT ?, kind, eol, size_bytes, mtime_ns FROM obby_versions WHERE version_id = ?`, id, from.ID)
	return id, err
}

func findVersion(ctx context.Context, tx *transaction, path string, hash track.Hash) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT id FROM file_versions WHERE file_path = ? AND content_hash = ?`, rawpath.Encode(path), hash).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// textOf is what the TEXT column holds: always valid UTF-8, for Python fails a
// whole query on anything else (tracker case 6); NULL for what is no text.
func textOf(c *track.Content) any {
	switch c.Kind {
	case track.Text:
		return string(c.Body)
	case track.Lossy:
		return textdiff.Valid(string(c.Body))
	}
	return nil
}

func description(t track.ChangeType) string { return "File " + string(t) }

func insert(ctx context.Context, tx *transaction, statement string, args ...any) (id int64, err error) {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}
