package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
)

// Wake is signalled when the outbox may have grown: a hint, not a count.
func (s *Store) Wake() <-chan struct{} { return s.wake }

func (s *Store) hint() {
	select {
	case s.wake <- struct{}{}:
	default: // one is waiting to be taken
	}
}

// Pending is a change that the hub has not acknowledged.
type Pending struct {
	ID     int64 // of its outbox row
	Change Change
}

// Next returns the oldest pending change after the outbox row with the given id,
// and whether there is one. A change whose row the Python side deleted is passed
// over.
func (s *Store) Next(ctx context.Context, after int64) (Pending, bool, error) {
	p := Pending{ID: after}
	for {
		var change int64
		err := s.read.QueryRowContext(ctx, `SELECT id, diff_id FROM obby_outbox WHERE id > ? ORDER BY id LIMIT 1`, p.ID).Scan(&p.ID, &change)
		if errors.Is(err, sql.ErrNoRows) {
			return p, false, nil
		}
		if err != nil {
			return p, false, explain(err)
		}
		if p.Change, err = s.change(ctx, change); !errors.Is(err, sql.ErrNoRows) {
			return p, err == nil, err
		}
	}
}

// Done removes the changes up to the outbox row with the given id: they were
// acknowledged.
func (s *Store) Done(ctx context.Context, id int64) error {
	return s.transact(ctx, func(ctx context.Context, tx *transaction) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM obby_outbox WHERE id <= ?`, id)
		return err
	})
}

func (s *Store) outboxDepth() float64 {
	var n float64
	if err := s.read.QueryRowContext(context.Background(), `SELECT count(*) FROM obby_outbox`).Scan(&n); err != nil {
		return math.NaN() // shown as such: better than a wrong 0
	}
	return n
}
