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
