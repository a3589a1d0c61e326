package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
)

// headVersion is the id of the version that is the head of a path of paths, with
// its row s of file_states. A path of the Python side may have versions and no
// state: then its newest version is its head.
const headVersion = `CASE WHEN s.file_path IS NOT NULL
	THEN (SELECT id FROM file_versions WHERE file_path = s.file_path AND content_hash = s.content_hash)
	ELSE (SELECT max(id) FROM file_versions WHERE file_path = paths.value) END`

// selectHead reads where a path stands.
const selectHead = `
WITH paths (value) AS (VALUES (?))
SELECT s.file_path IS NOT NULL OR v.id IS NOT NULL,
	v.id, v.content_hash, v.line_count, +v.timestamp,
	o.kind, o.eol, o.size_bytes, o.mtime_ns,
	f.device, f.inode, f.size_bytes, f.mtime_ns, f.ctime_ns,
	(SELECT +d.timestamp FROM content_diffs d WHERE d.file_path = paths.value ORDER BY d.id DESC LIMIT 1)
FROM paths
LEFT JOIN file_states s ON s.file_path = paths.value
LEFT JOIN file_versions v ON v.id = ` + headVersion + `
LEFT JOIN obby_versions o ON o.version_id = v.id
LEFT JOIN obby_files f ON f.file_path = paths.value`

// Head implements track.Store.
func (s *Store) Head(ctx context.Context, path string) (track.Head, error) {
	others := s.others.Load() // before the database is read
	head, err := headOf(ctx, s.read, path)
	head.Others = others
	return head, explain(err)
}

// Live implements track.Store. A state whose version the Python side removed is
// not one of a live path; a path of it that has versions and no state is (headVersion).
func (s *Store) Live(ctx context.Context, dir string) (map[string]track.Stat, error) {
	from, to := rangeOf(rawpath.Encode(dir))
	rows, err := s.read.QueryContext(ctx, `SELECT s.file_path, f.device, f.inode, f.size_bytes, f.mtime_ns, f.ctime_ns
		FROM file_states s LEFT JOIN obby_files f ON f.file_path = s.file_path
		WHERE s.file_path >= ?1 AND s.file_path < ?2 AND EXISTS
			(SELECT 1 FROM file_versions v WHERE v.file_path = s.file_path AND v.content_hash = s.content_hash)
		UNION SELECT v.file_path, NULL, NULL, NULL, NULL, NULL FROM file_versions v
		WHERE v.file_path >= ?1 AND v.file_path < ?2 AND NOT EXISTS (SELECT 1 FROM file_states s WHERE s.file_path = v.file_path)`, from, to)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	live := map[string]track.Stat{}
	for rows.Next() {
		var path string
		var stat stat
		if err := rows.Scan(append([]any{&path}, stat.columns()...)...); err != nil {
			return nil, err
		}
		live[rawpath.Decode(path)] = stat.of()
	}
	return live, explain(rows.Err())
}

// stat is a row of obby_files, which may be missing.
type stat struct{ device, inode, size, mtime, ctime sql.NullInt64 }

func (s *stat) columns() []any { return []any{&s.device, &s.inode, &s.size, &s.mtime, &s.ctime} }

// of returns the Stat. SQLite's integers are signed; inode numbers use all 64 bits.
func (s *stat) of() track.Stat {
	return track.Stat{
		Device: uint64(s.device.Int64), Inode: uint64(s.inode.Int64),
		Size: s.size.Int64, Mtime: s.mtime.Int64, Ctime: s.ctime.Int64,
	}
}

func headOf(ctx context.Context, q sqlite.Querier, path string) (track.Head, error) {
	rows, err := q.QueryContext(ctx, selectHead, rawpath.Encode(path))
	if err != nil {
		return track.Head{}, err
	}
	defer rows.Close()
	if !rows.Next() {
		return track.Head{}, rows.Err()
	}
	head, err := scanHead(rows)
	return head, errors.Join(err, rows.Err())
}

func scanHead(rows *sql.Rows) (h track.Head, err error) {
	var (
		id, lines, size, mtime sql.NullInt64
		hash, kind, eol        sql.NullString
		observed, newest       any
		stat                   stat
	)
	columns := append([]any{&h.Known, &id, &hash, &lines, &observed, &kind, &eol, &size, &mtime}, stat.columns()...)
	if err := rows.Scan(append(columns, &newest)...); err != nil {
		return h, fmt.Errorf("read a path's head: %w", err)
	}
	h.Version = track.Version{
		ID: id.Int64, Hash: track.Hash(hash.String), LineCount: lines.Int64, Size: size.Int64,
		Kind: track.Kind(kind.String), EOL: track.LineEnding(eol.String),
	}
	if mtime.Valid {
		h.Version.Mtime = time.Unix(0, mtime.Int64)
	}
	h.Version.Observed, _ = sqlite.ParseTime(observed)
	h.Observed, _ = sqlite.ParseTime(newest)
	h.Stat = stat.of()
	return h, nil
}

// Touch implements track.Store.
func (s *Store) Touch(ctx context.Context, path string, version int64, c track.Content) error {
	return s.transact(ctx, func(ctx context.Context, tx *transaction) error {
		if err := touch(ctx, tx, path, c.Stat); err != nil {
			return err
		}
		filled, err := fill(ctx, tx, version, &c)
		if err == nil {
			err = describe(ctx, tx, version, &c)
		}
		if err != nil || !filled {
			return err
		}
		heads, err := headVersions(ctx, tx, []string{rawpath.Encode(path)}) // CatchUp looks only for new rows
		if err != nil {
			return err
		}
		return tx.reindex(ctx, heads)
	})
}

func touch(ctx context.Context, tx *transaction, path string, stat track.Stat) error {
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO obby_files
		(file_path, device, inode, size_bytes, mtime_ns, ctime_ns) VALUES (?, ?, ?, ?, ?, ?)`,
		rawpath.Encode(path), int64(stat.Device), int64(stat.Inode), stat.Size, stat.Mtime, stat.Ctime)
	return err
}

// Root implements track.Store.
func (s *Store) Root(ctx context.Context, root string) (track.Stat, bool, error) {
	var device, inode int64
	err := s.read.QueryRowContext(ctx, `SELECT device, inode FROM obby_roots WHERE root_path = ?`, rawpath.Encode(root)).Scan(&device, &inode)
	if errors.Is(err, sql.ErrNoRows) {
		return track.Stat{}, false, nil
	}
	return track.Stat{Device: uint64(device), Inode: uint64(inode)}, err == nil, explain(err)
}

// SetRoot implements track.Store.
func (s *Store) SetRoot(ctx context.Context, root string, stat track.Stat) error {
	return s.transact(ctx, func(ctx context.Context, tx *transaction) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO obby_roots (root_path, device, inode) VALUES (?, ?, ?)`,
			rawpath.Encode(root), int64(stat.Device), int64(stat.Inode))
		return err
	})
}
