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

// selectHeads reads where paths stand.
const selectHeads = `
WITH paths (value) AS (%s)
SELECT paths.value, s.file_path IS NOT NULL OR v.id IS NOT NULL,
	v.id, v.content_hash, v.line_count, +v.timestamp,
	o.kind, o.eol, o.size_bytes, o.mtime_ns,
	f.device, f.inode, f.size_bytes, f.mtime_ns, f.ctime_ns,
	(SELECT +d.timestamp FROM content_diffs d WHERE d.file_path = paths.value ORDER BY d.id DESC LIMIT 1)
FROM paths
LEFT JOIN file_states s ON s.file_path = paths.value
LEFT JOIN file_versions v ON v.id = ` + headVersion + `
LEFT JOIN obby_versions o ON o.version_id = v.id
LEFT JOIN obby_files f ON f.file_path = paths.value`

var (
	selectHead       = fmt.Sprintf(selectHeads, "VALUES (?)")
	selectHeadsBelow = fmt.Sprintf(selectHeads, "SELECT file_path FROM file_states WHERE file_path >= ? AND file_path < ? AND content_hash IS NOT NULL")
)

// Head implements track.Store.
func (s *Store) Head(ctx context.Context, path string) (track.Head, error) {
	others := s.others.Load() // before the database is read
	head, err := headOf(ctx, s.read, path)
	head.Others = others
	return head, explain(err)
}

// Heads implements track.Store.
func (s *Store) Heads(ctx context.Context, dir string) (map[string]track.Head, error) {
	from, to := rangeOf(rawpath.Encode(dir))
	rows, err := s.read.QueryContext(ctx, selectHeadsBelow, from, to)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	heads := map[string]track.Head{}
	for rows.Next() {
		path, head, err := scanHead(rows)
		if err != nil {
			return nil, err
		}
		if head.Live() { // not so where the Python side removed the version
			heads[path] = head
		}
	}
	return heads, explain(rows.Err())
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
	_, head, err := scanHead(rows)
	return head, errors.Join(err, rows.Err())
}

func scanHead(rows *sql.Rows) (string, track.Head, error) {
	var (
		path                        string
		h                           track.Head
		id, lines, size, mtime      sql.NullInt64
		hash, kind, eol             sql.NullString
		observed, newest            any
		device, inode               sql.NullInt64
		fileSize, fileMtime, fctime sql.NullInt64
	)
	err := rows.Scan(&path, &h.Known, &id, &hash, &lines, &observed, &kind, &eol, &size, &mtime,
		&device, &inode, &fileSize, &fileMtime, &fctime, &newest)
	if err != nil {
		return "", h, fmt.Errorf("read a path's head: %w", err)
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
	// SQLite's integers are signed; inode numbers use all 64 bits.
	h.Stat = track.Stat{
		Device: uint64(device.Int64), Inode: uint64(inode.Int64),
		Size: fileSize.Int64, Mtime: fileMtime.Int64, Ctime: fctime.Int64,
	}
	return rawpath.Decode(path), h, nil
}

// Touch implements track.Store.
func (s *Store) Touch(ctx context.Context, path string, stat track.Stat) error {
	return s.transact(ctx, func(ctx context.Context, tx *transaction) error { return touch(ctx, tx, path, stat) })
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
