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
	rows, err := s.read.QueryContext(ctx, sqlite.FilesAt, text, from, to, at.UnixMicro(), "", math.MaxInt64)
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
	if id == 0 {
		if id, err = insert(ctx, tx, `INSERT INTO file_versions
			(file_path, content_hash, content, line_count, timestamp, change_description) VALUES (?, ?, ?, ?, ?, ?)`,
			rawpath.Encode(s.Path), s.To.Hash, textOf(s.To), s.To.LineCount, sqlite.FormatTime(s.Observed), description(s.Type)); err != nil {
			return 0, err
		}
	}
	if s.To.Kind == track.Lossy || s.To.Kind == track.Binary {
		if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO obby_blobs (content_hash, data) VALUES (?, ?)`, s.To.Hash, s.To.Body); err != nil {
			return 0, err
		}
	}
	// The kind says what the row holds, so a version that is met again keeps its own.
	_, err = tx.ExecContext(ctx, `INSERT INTO obby_versions (version_id, kind, eol, size_bytes, mtime_ns) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (version_id) DO UPDATE SET eol = excluded.eol, size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns`,
		id, s.To.Kind, s.To.EOL, s.To.Size, s.To.Stat.Mtime)
	return id, err
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
		return track.Valid(string(c.Body))
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
