package store

import (
	"context"

	"github.com/obby/go-services/content-tracker/internal/track"
)

// SetLabel implements track.Store.
func (s *Store) SetLabel(ctx context.Context, version int64, label string, pinned bool) error {
	return s.transact(ctx, func(ctx context.Context, tx *transaction) error {
		var exists bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM file_versions WHERE id = ?)`, version).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			return track.ErrNoVersion
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM obby_labels WHERE version_id = ?`, version); err != nil || label == "" && !pinned {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO obby_labels (version_id, label, pinned) VALUES (?, ?, ?)`, version, label, pinned)
		return err
	})
}
