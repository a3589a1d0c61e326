package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/textdiff"
)

// Paths implements track.Store.
func (s *Store) Paths(ctx context.Context) (paths []string, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT file_path FROM content_diffs GROUP BY file_path HAVING count(*) > 1 ORDER BY file_path`)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var path string
		if err := rows.Scan(&path); err != nil {
			return nil, err
		}
		paths = append(paths, rawpath.Decode(path))
	}
	return paths, explain(rows.Err())
}

// selectPast reads what retention weighs. Fixed is a move, a step to a pinned
// version, and one to a version that a summary of the Python side refers to: that
// row would go with it. So is one that the hub has not been sent yet, where there is
// one: it would never be.
const selectPast = `SELECT d.id, d.change_type, ifnull(d.old_version_id, 0), ifnull(d.new_version_id, 0), ifnull(obby_time(d.timestamp), 0),
	d.change_type = 'moved' OR EXISTS (SELECT 1 FROM obby_labels l WHERE l.version_id = d.new_version_id AND l.pinned) %s,
	ifnull(octet_length(d.diff_content), 0) + ifnull(octet_length(v.content), 0) + ifnull(octet_length(b.data), 0)
FROM content_diffs d
LEFT JOIN file_versions v ON v.id = d.new_version_id
LEFT JOIN obby_blobs b ON b.content_hash = v.content_hash
WHERE d.file_path = ? ORDER BY d.id`

// Past implements track.Store.
func (s *Store) Past(ctx context.Context, path string) ([]track.PastStep, error) {
	steps, err := s.past(ctx, s.read, path)
	return steps, explain(err)
}

func (s *Store) past(ctx context.Context, q sqlite.Querier, path string) (steps []track.PastStep, err error) {
	rows, err := q.QueryContext(ctx, s.selectPast, rawpath.Encode(path))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p track.PastStep
		var at int64
		if err := rows.Scan(&p.ID, &p.Type, &p.Old, &p.New, &at, &p.Fixed, &p.Bytes); err != nil {
			return nil, err
		}
		p.At = time.UnixMicro(at)
		steps = append(steps, p)
	}
	return steps, rows.Err()
}

// Bytes implements track.Store.
func (s *Store) Bytes(ctx context.Context) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT (SELECT ifnull(sum(octet_length(content)), 0) FROM file_versions)
		+ (SELECT ifnull(sum(octet_length(diff_content)), 0) FROM content_diffs) + (SELECT ifnull(sum(octet_length(data)), 0) FROM obby_blobs)`).Scan(&n)
	return n, explain(err)
}

// errDry takes back a transaction that was only to count.
var errDry = errors.New("a trial")

// Thin implements track.Store.
func (s *Store) Thin(ctx context.Context, t track.Thinning) (lost track.Thinned, err error) {
	err = s.transact(ctx, func(ctx context.Context, tx *transaction) (err error) {
		now, err := s.past(ctx, tx, t.Path)
		if err != nil {
			return err
		}
		if !slices.Equal(now, t.Past) {
			return track.ErrStale
		}
		if lost, err = s.thin(ctx, tx, t.Joins, values(t.Gone)); err == nil && t.Dry {
			err = errDry
		}
		return err
	})
	return lost, notDry(err)
}

func notDry(err error) error {
	if errors.Is(err, errDry) {
		return nil
	}
	return err
}

func (s *Store) thin(ctx context.Context, tx *transaction, joins []track.Join, gone string) (lost track.Thinned, err error) {
	before, err := s.weigh(ctx, tx, gone)
	if err != nil {
		return lost, err
	}
	if err := errors.Join(s.unpack(ctx, tx, gone), s.unpack(ctx, tx, values(changed(joins)))); err != nil {
		return lost, err
	}
	for _, j := range joins {
		if err := join(ctx, tx, j); err != nil {
			return lost, err
		}
	}
	var candidates string
	err = tx.QueryRowContext(ctx, `SELECT json_group_array(version) FROM (
		SELECT old_version_id AS version FROM content_diffs WHERE id IN (SELECT value FROM json_each(?1))
		UNION SELECT new_version_id FROM content_diffs WHERE id IN (SELECT value FROM json_each(?1))) WHERE version IS NOT NULL`, gone).Scan(&candidates)
	if err != nil {
		return lost, err
	}
	for _, statement := range []string{
		`DELETE FROM obby_diffs WHERE diff_id IN (SELECT value FROM json_each(?))`,
		`DELETE FROM obby_requests WHERE diff_id IN (SELECT value FROM json_each(?))`,
		`DELETE FROM obby_outbox WHERE diff_id IN (SELECT value FROM json_each(?))`, // left from when there was a hub
		`DELETE FROM content_diffs WHERE id IN (SELECT value FROM json_each(?))`,
	} {
		if _, err := tx.ExecContext(ctx, statement, gone); err != nil {
			return lost, err
		}
	}
	lost = before
	var content int64
	lost.Versions, content, err = s.dropVersions(ctx, tx, candidates)
	lost.Bytes += content
	return lost, err
}

// changed returns the steps that joins change.
func changed(joins []track.Join) []int64 {
	ids := make([]int64, len(joins))
	for i, j := range joins {
		ids[i] = j.ID
	}
	return ids
}

// weigh counts steps and the bytes of their diffs.
func (s *Store) weigh(ctx context.Context, tx *transaction, steps string) (t track.Thinned, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*), ifnull(sum(octet_length(diff_content)), 0) FROM content_diffs
		WHERE id IN (SELECT value FROM json_each(?))`, steps).Scan(&t.Steps, &t.Bytes)
	return t, err
}

func join(ctx context.Context, tx *transaction, j track.Join) error {
	_, err := tx.ExecContext(ctx, `UPDATE content_diffs SET old_version_id = ?, change_type = ?, diff_content = ?, lines_added = ?, lines_removed = ?
		WHERE id = ?`, optional(j.Old), j.Type, textdiff.Valid(j.Diff.Text), j.Diff.Added, j.Diff.Removed, j.ID)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM obby_diffs WHERE diff_id = ?`, j.ID); err != nil || !j.Diff.Truncated {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO obby_diffs (diff_id, truncated) VALUES (?, 1)`, j.ID)
	return err
}

// dropVersions removes those of the versions that nothing refers to any more.
func (s *Store) dropVersions(ctx context.Context, tx *transaction, candidates string) (n, bytes int64, err error) {
	var ids, hashes sql.NullString
	err = tx.QueryRowContext(ctx, `SELECT json_group_array(v.id), json_group_array(v.content_hash), count(*), ifnull(sum(octet_length(v.content)), 0)
		FROM json_each(?) c JOIN file_versions v ON v.id = c.value
		LEFT JOIN file_states s ON s.file_path = v.file_path
		WHERE v.content_hash IS NOT s.content_hash AND s.file_path IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM content_diffs d WHERE d.old_version_id = v.id)
			AND NOT EXISTS (SELECT 1 FROM content_diffs d WHERE d.new_version_id = v.id)
			AND NOT EXISTS (SELECT 1 FROM obby_indexed i WHERE i.file_path = v.file_path AND i.version_id = v.id)
			AND NOT EXISTS (SELECT 1 FROM obby_labels l WHERE l.version_id = v.id AND l.pinned)`+s.unreferenced, candidates).
		Scan(&ids, &hashes, &n, &bytes)
	if err != nil || n == 0 {
		return 0, 0, err
	}
	for _, x := range []struct{ statement, rows string }{
		{`DELETE FROM obby_labels WHERE version_id IN (SELECT value FROM json_each(?))`, ids.String},
		{`DELETE FROM obby_requests WHERE version_id IN (SELECT value FROM json_each(?))`, ids.String},
		{`DELETE FROM obby_versions WHERE version_id IN (SELECT value FROM json_each(?))`, ids.String},
		{`DELETE FROM file_versions WHERE id IN (SELECT value FROM json_each(?))`, ids.String},
	} {
		if _, err := tx.ExecContext(ctx, x.statement, x.rows); err != nil {
			return 0, 0, err
		}
	}
	blobs := `FROM obby_blobs WHERE content_hash IN (SELECT value FROM json_each(?))
		AND NOT EXISTS (SELECT 1 FROM file_versions v WHERE v.content_hash = obby_blobs.content_hash)`
	var freed int64
	if err := tx.QueryRowContext(ctx, `SELECT ifnull(sum(octet_length(data)), 0) `+blobs, hashes.String).Scan(&freed); err != nil {
		return 0, 0, err
	}
	_, err = tx.ExecContext(ctx, `DELETE `+blobs, hashes.String)
	return n, bytes + freed, err
}
