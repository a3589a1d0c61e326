package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
)

// within is the condition that a column is in a scope: its parameters are ?1 to ?3.
func within(column string) string {
	return fmt.Sprintf("(%[1]s = ?1 OR %[1]s >= ?2 AND %[1]s < ?3)", column)
}

func scopeArgs(s track.Scope) []any {
	path := rawpath.Encode(s.Path)
	if !s.Recursive {
		return []any{path, "", ""} // nothing is below ""
	}
	from, to := rangeOf(path)
	return []any{path, from, to}
}

// MovedOut implements track.Store.
func (s *Store) MovedOut(ctx context.Context, scope track.Scope) ([]track.Passage, error) {
	return s.passages(ctx, `SELECT d.id, d.file_path, ifnull(d.new_version_id, 0) FROM obby_diffs o JOIN content_diffs d ON d.id = o.diff_id
		WHERE `+within("o.old_path")+` AND NOT `+within("d.file_path"), scope)
}

// MovedIn implements track.Store.
func (s *Store) MovedIn(ctx context.Context, scope track.Scope) ([]track.Passage, error) {
	return s.passages(ctx, `SELECT d.id, o.old_path, ifnull(d.old_version_id, 0) FROM content_diffs d JOIN obby_diffs o ON o.diff_id = d.id
		WHERE `+within("d.file_path")+` AND NOT `+within("o.old_path"), scope)
}

func (s *Store) passages(ctx context.Context, statement string, scope track.Scope) (all []track.Passage, err error) {
	rows, err := s.read.QueryContext(ctx, statement, scopeArgs(scope)...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	for rows.Next() {
		var p track.Passage
		if err := rows.Scan(&p.Step, &p.Path, &p.Version); err != nil {
			return nil, err
		}
		p.Path = rawpath.Decode(p.Path)
		all = append(all, p)
	}
	return all, explain(rows.Err())
}

// Forget implements track.Store.
func (s *Store) Forget(ctx context.Context, scope track.Scope, joins []track.Join, dry bool) (gone track.Forgotten, err error) {
	err = s.transact(ctx, func(ctx context.Context, tx *transaction) (err error) {
		tx.others = s.others.Add(1) // a step that is on its way must look at its path's head again
		if gone, err = s.forget(ctx, tx, scope, joins); err != nil || len(gone.Paths) == 0 {
			return err
		}
		if dry {
			return errDry
		}
		// A removed entry's words stay in older segments of the index until these are merged.
		_, err = tx.ExecContext(ctx, `INSERT INTO obby_search (obby_search) VALUES ('optimize')`)
		return err
	})
	return gone, notDry(err)
}

func (s *Store) forget(ctx context.Context, tx *transaction, scope track.Scope, joins []track.Join) (gone track.Forgotten, err error) {
	args := scopeArgs(scope)
	if gone.Paths, err = texts(ctx, tx, `SELECT file_path FROM file_versions WHERE `+within("file_path")+`
		UNION SELECT file_path FROM content_diffs WHERE `+within("file_path")+`
		UNION SELECT file_path FROM file_states WHERE `+within("file_path"), args); err != nil || len(gone.Paths) == 0 {
		return gone, err
	}
	if gone.Linked, err = texts(ctx, tx, `SELECT d.file_path FROM obby_diffs o JOIN content_diffs d ON d.id = o.diff_id
			WHERE `+within("o.old_path")+` AND NOT `+within("d.file_path")+`
		UNION SELECT o.old_path FROM obby_diffs o JOIN content_diffs d ON d.id = o.diff_id
			WHERE `+within("d.file_path")+` AND NOT `+within("o.old_path"), args); err != nil {
		return gone, err
	}
	if err := s.unpackScope(ctx, tx, joins, args); err != nil {
		return gone, err
	}
	if err := part(ctx, tx, joins, args); err != nil {
		return gone, err
	}
	unindexed := make([]indexing, len(gone.Paths))
	for i, path := range gone.Paths {
		unindexed[i] = indexing{path: rawpath.Encode(path)}
	}
	if err := tx.reindex(ctx, unindexed); err != nil {
		return gone, err
	}
	for _, x := range s.traces() {
		result, err := tx.ExecContext(ctx, x.statement, args...)
		if err != nil {
			return gone, fmt.Errorf("forget %q: %w", scope.Path, err)
		}
		if x.count != nil {
			n, _ := result.RowsAffected() // this driver always knows
			*x.count(&gone) += n
		}
	}
	return gone, nil
}

// unpackScope takes apart the blocks that hold steps of a scope, or joins.
func (s *Store) unpackScope(ctx context.Context, tx *transaction, joins []track.Join, args []any) error {
	var steps string
	if err := tx.QueryRowContext(ctx, `SELECT json_group_array(id) FROM content_diffs WHERE `+within("file_path"), args...).Scan(&steps); err != nil {
		return err
	}
	return errors.Join(s.unpack(ctx, tx, steps), s.unpack(ctx, tx, values(changed(joins))))
}

// part joins the moves of which one end stays. Those that are not among the joins were
// recorded since these were made: ErrStale.
func part(ctx context.Context, tx *transaction, joins []track.Join, args []any) error {
	var missed bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM obby_diffs o JOIN content_diffs d ON d.id = o.diff_id
		WHERE `+within("o.old_path")+` <> `+within("d.file_path")+` AND d.id NOT IN (SELECT value FROM json_each(?4)))`,
		append(args[:len(args):len(args)], values(changed(joins)))...).Scan(&missed); err != nil {
		return err
	}
	if missed {
		return track.ErrStale
	}
	for _, j := range joins {
		if err := join(ctx, tx, j); err != nil {
			return err
		}
		if err := leave(ctx, tx, j); err != nil {
			return err
		}
	}
	return nil
}

// leave makes of a move, which has been joined as a deletion, a step of the path that
// the file left, in the change log too. Of other steps it makes nothing.
func leave(ctx context.Context, tx *transaction, j track.Join) error {
	if j.Path == "" {
		return nil
	}
	path := rawpath.Encode(j.Path)
	if _, err := tx.ExecContext(ctx, `UPDATE file_changes SET file_path = ?, change_type = ?, new_content_hash = NULL
		WHERE file_path = (SELECT file_path FROM content_diffs WHERE id = ?) AND substr(content_hash, ?) = ?`,
		path, track.Deleted, j.ID, keyedFrom, keyed(j.ID)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE content_diffs SET file_path = ?, new_version_id = NULL WHERE id = ?`, path, j.ID)
	return err
}

// trace is a table that knows of paths.
type trace struct {
	statement string
	count     func(*track.Forgotten) *int64
}

// traces returns what removes every row of a scope, in an order in which each
// statement still finds its own.
func (s *Store) traces() []trace {
	versions := `(SELECT id FROM file_versions WHERE ` + within("file_path") + `)`
	diffs := `(SELECT id FROM content_diffs WHERE ` + within("file_path") + `)`
	all := []trace{
		{`DELETE FROM obby_requests WHERE diff_id IN ` + diffs + ` OR version_id IN ` + versions, nil},
		{`DELETE FROM obby_outbox WHERE diff_id IN ` + diffs, nil},
		{`DELETE FROM obby_diffs WHERE diff_id IN ` + diffs, nil},
		{`DELETE FROM content_diffs WHERE ` + within("file_path"), func(f *track.Forgotten) *int64 { return &f.Steps }},
		{`DELETE FROM obby_labels WHERE version_id IN ` + versions, nil},
		{`DELETE FROM obby_versions WHERE version_id IN ` + versions, nil},
		{`DELETE FROM obby_blobs WHERE content_hash IN (SELECT content_hash FROM file_versions WHERE ` + within("file_path") + `)
			AND NOT EXISTS (SELECT 1 FROM file_versions v WHERE v.content_hash = obby_blobs.content_hash AND NOT ` + within("v.file_path") + `)`, nil},
		{`DELETE FROM file_changes WHERE ` + within("file_path"), nil},
		{`DELETE FROM events WHERE ` + within("path"), nil},
		{`DELETE FROM file_states WHERE ` + within("file_path"), nil},
		{`DELETE FROM obby_files WHERE ` + within("file_path"), nil},
		{`DELETE FROM obby_indexed WHERE ` + within("file_path"), nil},
		{`DELETE FROM obby_paths WHERE ` + within("file_path"), nil},
	}
	for _, table := range s.summaries {
		all = append(all, trace{`DELETE FROM ` + table + ` WHERE ` + within("file_path"), nil})
	}
	return append(all, trace{`DELETE FROM file_versions WHERE ` + within("file_path"), func(f *track.Forgotten) *int64 { return &f.Versions }})
}

// texts reads a column of paths.
func texts(ctx context.Context, tx *transaction, statement string, args []any) (paths []string, err error) {
	rows, err := tx.QueryContext(ctx, statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var path string
		if err := rows.Scan(&path); err != nil {
			return nil, err
		}
		paths = append(paths, rawpath.Decode(path))
	}
	return paths, rows.Err()
}

// Vacuum implements track.Store. SQLite's secure_delete would not do instead: it
// leaves what lay in pages that were emptied or put in order. The database's log
// is emptied too, which waits for readers, up to the busy timeout.
func (s *Store) Vacuum(ctx context.Context) error {
	if _, err := s.write.ExecContext(ctx, `VACUUM`); err != nil {
		return explain(err)
	}
	return s.emptyLog(ctx)
}

// emptyLog truncates the database's log. SQLite waits for readers, up to the busy
// timeout, but not for another checkpoint, such as that of our own checkpointer.
func (s *Store) emptyLog(ctx context.Context) error {
	for begin := time.Now(); ; {
		var busy, frames, moved int
		if err := s.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &moved); err != nil {
			return explain(err)
		}
		switch {
		case busy == 0:
			return nil
		case time.Since(begin) > 5*time.Second:
			return fmt.Errorf("%w: what was forgotten is gone from the history, but remains of it are in the database's log until that program lets go of it", track.ErrBusy)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
