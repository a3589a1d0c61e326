package store

import (
	"context"
	"testing"
)

// Writer runs a statement on the writing connection.
func (s *Store) Writer(t *testing.T, statement string) {
	t.Helper()
	if _, err := s.write.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// CatchUpNow is one pass of CatchUp.
func (s *Store) CatchUpNow(ctx context.Context) error { return s.catchUp(ctx) }

// Packer does what CatchUp does about the blocks of steps, a pass at a time.
func (s *Store) Packer() func(ctx context.Context, others bool) error {
	var p packing
	return func(ctx context.Context, others bool) error { return s.pack(ctx, &p, others) }
}

// Piece is a piece of work of a group.
type Piece func(ctx context.Context, exec func(statement string) error) error

// Group does pieces of work in one transaction, as callers who come at once would
// have it, and returns what each of them is told.
func (s *Store) Group(callers []context.Context, pieces ...Piece) []error {
	jobs := make([]*job, len(pieces))
	for i, piece := range pieces {
		jobs[i] = &job{ctx: callers[i], done: make(chan struct{}), work: func(ctx context.Context, tx *transaction) error {
			return piece(ctx, func(statement string) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			})
		}}
	}
	s.group(jobs)
	errs := make([]error, len(jobs))
	for i, j := range jobs {
		<-j.done
		errs[i] = j.err
	}
	return errs
}
