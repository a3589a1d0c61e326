package store

import (
	"context"
	"fmt"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/textdiff"
)

// Record implements track.Store: everything of a step in one transaction.
func (s *Store) Record(ctx context.Context, step track.Step) (track.Result, error) {
	var result track.Result
	err := s.transact(ctx, func(ctx context.Context, tx *transaction) (err error) {
		result, err = s.record(ctx, tx, step)
		return err
	})
	if err != nil {
		return track.Result{}, err
	}
	s.steps.WithLabelValues(string(step.Type)).Inc()
	if s.publish {
		s.hint()
	}
	return result, nil
}

func (s *Store) record(ctx context.Context, tx *transaction, step track.Step) (result track.Result, err error) {
	if err := compareHeads(ctx, tx, step); err != nil {
		return result, err
	}
	step.Observed = after(step.Observed, newest(step))
	defer func() {
		if err != nil {
			err = fmt.Errorf("record %s of %q: %w", step.Type, step.Path, err)
		}
	}()

	var version int64
	if step.Type != track.Deleted {
		if version, err = addVersion(ctx, tx, step); err != nil {
			return result, err
		}
	}
	change, err := addDiff(ctx, tx, step, version)
	if err != nil {
		return result, err
	}
	if err := addChange(ctx, tx, step, change); err != nil {
		return result, err
	}
	if err := s.setState(ctx, tx, step); err != nil {
		return result, err
	}
	tx.indexStep(step, version)
	if err := s.addToOutbox(ctx, tx, change); err != nil {
		return result, err
	}
	if err := remember(ctx, tx, step.RequestID, change, version); err != nil {
		return result, err
	}
	return resultOf(step, change, version), nil
}

// compareHeads returns ErrStale unless the heads are still those that the step
// was made from (tracker case 35). The tracker sees to that among its own steps,
// so there is nothing to compare while no other program has written.
func compareHeads(ctx context.Context, tx *transaction, step track.Step) error {
	type expectation struct {
		path string
		head track.Head
	}
	expected := []expectation{{step.Path, step.From}}
	if step.Type == track.Moved {
		expected = []expectation{{step.Path, step.Over}, {step.OldPath, step.From}}
	}
	for _, e := range expected {
		if e.head.Others == tx.others {
			continue
		}
		now, err := headOf(ctx, tx, e.path)
		if err != nil {
			return err
		}
		if now.Version.ID != e.head.Version.ID {
			return track.ErrStale
		}
	}
	return nil
}

// newest returns when the step's path was last recorded.
func newest(step track.Step) time.Time {
	if step.Type == track.Moved {
		return step.Over.Observed
	}
	return step.From.Observed
}

func (s *Store) addToOutbox(ctx context.Context, tx *transaction, change int64) error {
	if !s.publish {
		return nil
	}
	// A row of this id is of a step that the Python side removed.
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO obby_outbox (diff_id) VALUES (?)`, change)
	return err
}

// maxAhead is how far a time may run ahead of the clock to stay in order. The
// triggers refuse what is more than a day ahead; the order is that of the ids.
const maxAhead = 12 * time.Hour

// after keeps the times of a path's steps in their order though clocks step back
// (tracker cases 33 and 34).
func after(observed, newest time.Time) time.Time {
	least := newest.Add(time.Microsecond)
	if newest.IsZero() || !observed.Before(least) || least.Sub(observed) > maxAhead {
		return observed
	}
	return least
}

func resultOf(step track.Step, change, version int64) track.Result {
	r := track.Result{Recorded: true, ChangeID: change, Type: step.Type, OldVersion: step.From.Version.ID, Diff: step.Diff}
	if version == 0 {
		return r
	}
	v := step.From.Version // of a move that was not read
	if step.To != nil {
		v = track.Version{
			Hash: step.To.Hash, LineCount: step.To.LineCount, Size: step.To.Size,
			Kind: step.To.Kind, EOL: step.To.EOL, Mtime: time.Unix(0, step.To.Stat.Mtime),
		}
	}
	v.ID, v.Observed = version, step.Observed
	r.Version = &v
	return r
}

func addDiff(ctx context.Context, tx *transaction, step track.Step, version int64) (int64, error) {
	id, err := insert(ctx, tx, `INSERT INTO content_diffs
		(file_path, old_version_id, new_version_id, change_type, diff_content, lines_added, lines_removed, timestamp)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		rawpath.Encode(step.Path), optional(step.From.Version.ID), optional(version), step.Type,
		textdiff.Valid(step.Diff.Text), step.Diff.Added, step.Diff.Removed, sqlite.FormatTime(step.Observed))
	if err != nil || step.OldPath == "" && !step.Diff.Truncated {
		return id, err
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO obby_diffs (diff_id, old_path, truncated) VALUES (?, ?, ?)`,
		id, optional(rawpath.Encode(step.OldPath)), step.Diff.Truncated)
	return id, err
}

// changeKey is the change log's de-duplication key of a step: of it alone, for the
// same transition may happen again, and its id too where another program has
// emptied the table. It has the form of the product's keys, which are hashes, and
// ascends: keys in no order would touch a page of the index each.
func changeKey(change int64, observed time.Time) string {
	return fmt.Sprintf("%x%016x%s", "obby change", observed.UnixMicro(), keyed(change))
}

// keyed is how a key ends, from keyedFrom on, counted from 1 as SQL does.
func keyed(change int64) string { return fmt.Sprintf("%026x", change) }

const keyedFrom = 64 - 26 + 1

// addChange writes the bare change log and the raw event.
func addChange(ctx context.Context, tx *transaction, step track.Step, change int64) error {
	observed := sqlite.FormatTime(step.Observed)
	_, err := tx.ExecContext(ctx, `INSERT INTO file_changes
		(file_path, change_type, old_content_hash, new_content_hash, timestamp, content_hash) VALUES (?, ?, ?, ?, ?, ?)`,
		rawpath.Encode(step.Path), step.Type, optional(step.From.Version.Hash), optional(newHash(step)), observed, changeKey(change, step.Observed))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO events (type, path, timestamp, size) VALUES (?, ?, ?, ?)`,
		step.Type, rawpath.Encode(step.Path), observed, step.Stat.Size)
	return err
}

func newHash(step track.Step) track.Hash {
	switch {
	case step.Type == track.Deleted:
		return ""
	case step.To != nil:
		return step.To.Hash
	}
	return step.From.Version.Hash
}

// setState moves the head pointer.
func (s *Store) setState(ctx context.Context, tx *transaction, step track.Step) error {
	if step.Type == track.Deleted {
		return s.clearState(ctx, tx, step.Path, step.Observed)
	}
	if step.Type == track.Moved {
		if err := s.clearState(ctx, tx, step.OldPath, step.Observed); err != nil {
			return err
		}
	}
	lines := step.From.Version.LineCount
	if step.To != nil {
		lines = step.To.LineCount
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO file_states (file_path, content_hash, last_modified, line_count, file_size)
		VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (file_path) DO UPDATE SET content_hash = excluded.content_hash, last_modified = excluded.last_modified,
			line_count = excluded.line_count, file_size = excluded.file_size`+s.stamp,
		rawpath.Encode(step.Path), newHash(step), sqlite.FormatTime(time.Unix(0, step.Stat.Mtime)), lines, step.Stat.Size)
	if err != nil {
		return err
	}
	return touch(ctx, tx, step.Path, step.Stat)
}

// clearState says that a path has no content any more; its versions stay. The row
// may be missing where only the Python side's versions told that it lived.
func (s *Store) clearState(ctx context.Context, tx *transaction, path string, observed time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO file_states (file_path, content_hash, last_modified, line_count, file_size)
		VALUES (?, NULL, ?, 0, 0)
		ON CONFLICT (file_path) DO UPDATE SET content_hash = NULL, last_modified = excluded.last_modified,
			line_count = 0, file_size = 0`+s.stamp,
		rawpath.Encode(path), sqlite.FormatTime(observed))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM obby_files WHERE file_path = ?`, rawpath.Encode(path))
	return err
}
