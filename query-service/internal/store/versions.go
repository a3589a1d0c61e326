package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/query-service/internal/query"
)

// isCurrent is whether a version is its path's head: that is what file_states says; a
// path without a row there, which an old Python release may leave, has its newest
// version.
const isCurrent = `CASE WHEN s.id IS NULL THEN v.id = (SELECT max(id) FROM file_versions WHERE file_path = v.file_path)
	ELSE v.content_hash IS s.content_hash END`

const versionColumns = `v.id, v.file_path, v.content_hash, CAST(ifnull(v.line_count, 0) AS INTEGER),
	o.size_bytes, ifnull(o.kind, ''), obby_time(v.timestamp), o.mtime_ns, ifnull(v.change_description, ''),
	` + isCurrent + `, ifnull(l.label, ''), ifnull(l.pinned, 0)`

const fromVersions = `
FROM file_versions v
LEFT JOIN obby_versions o ON o.version_id = v.id
LEFT JOIN file_states s ON s.file_path = v.file_path
LEFT JOIN obby_labels l ON l.version_id = v.id`

const (
	selectVersions = "SELECT " + versionColumns + fromVersions + `
WHERE v.file_path = ? AND v.id < ? ORDER BY v.id DESC LIMIT ?`

	selectKnown = `SELECT EXISTS (SELECT 1 FROM file_versions WHERE file_path = ?1)
	OR EXISTS (SELECT 1 FROM file_states WHERE file_path = ?1)
	OR EXISTS (SELECT 1 FROM content_diffs WHERE file_path = ?1)`
)

// Versions implements query.VersionStore.
func (s *Store) Versions(ctx context.Context, path string, before int64, limit int) (query.Page[query.Version], error) {
	text := rawpath.Encode(path)
	if before == 0 {
		before = math.MaxInt64
	}
	p, err := page(ctx, s, selectVersions, []any{text, before}, limit, func(rows *sql.Rows) (query.Version, error) {
		return scanVersion(rows)
	})
	if err != nil || len(p.Items) > 0 {
		return p, err
	}
	var known bool
	err = s.each(ctx, selectKnown, []any{text}, func(rows *sql.Rows) error { return rows.Scan(&known) })
	if err == nil && !known {
		err = query.ErrPathNotFound
	}
	return p, err
}

// scanVersion reads versionColumns and what follows them.
func scanVersion(rows *sql.Rows, more ...any) (query.Version, error) {
	var v query.Version
	var at micros
	var size, mtime sql.Null[int64]
	err := rows.Scan(append([]any{&v.ID, &v.Path, &v.Hash, &v.Lines, &size, &v.Kind, &at, &mtime, &v.Description, &v.Current,
		&v.Label, &v.Pinned}, more...)...)
	v.Path, v.Hash, v.Description, v.Label = rawpath.Decode(v.Path), valid(v.Hash), valid(v.Description), valid(v.Label)
	v.Observed = at.Time()
	if size.Valid {
		v.Bytes = &size.V
	}
	if mtime.Valid {
		v.ModTime = time.Unix(0, mtime.V).UTC()
	}
	return v, err
}

// data is the content of a version; NULL where it was not kept.
const data = `CASE WHEN o.kind IN ('lossy', 'binary') THEN b.data
	WHEN o.kind IS NOT 'omitted' THEN CAST(v.content AS BLOB) END`

const selectContent = "SELECT " + versionColumns + ", octet_length(" + data + "), CASE WHEN octet_length(" + data + ") <= ?2 THEN " + data + " END" +
	fromVersions + `
LEFT JOIN obby_blobs b ON b.content_hash = v.content_hash
WHERE v.id = ?1`

// Content implements query.VersionStore.
func (s *Store) Content(ctx context.Context, id int64) (query.Version, []byte, error) {
	var version query.Version
	var content []byte
	err := query.ErrVersionNotFound
	readErr := s.each(ctx, selectContent, []any{id, query.MaxContent}, func(rows *sql.Rows) (scanErr error) {
		var size sql.Null[int64]
		version, scanErr = scanVersion(rows, &size, &content)
		switch {
		case !size.Valid:
			err = query.ErrContentNotKept
		case size.V > query.MaxContent:
			err = fmt.Errorf("%w: %d bytes", query.ErrContentTooLarge, size.V)
		default:
			err = nil
		}
		return scanErr
	})
	if readErr != nil {
		err = readErr
	}
	return version, content, err
}
