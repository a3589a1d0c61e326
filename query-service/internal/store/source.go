package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/query-service/internal/query"
)

// source is what statements run on: a database, or one state of it.
type source struct {
	sqlite.Querier
	with string // begins every statement: see standIns
}

// asker runs statements: a Store, or a source.
type asker interface {
	each(ctx context.Context, statement string, args []any, row func(*sql.Rows) error) error
	// packed runs a statement that packs its rows.
	packed(ctx context.Context, statement string, args ...any) (*unpacker, error)
}

func (d source) each(ctx context.Context, statement string, args []any, row func(*sql.Rows) error) error {
	rows, err := d.QueryContext(ctx, d.with+statement, args...)
	if err != nil {
		return explain(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return explain(ctx, err)
		}
	}
	return explain(ctx, rows.Err())
}

// packed implements asker. Such a statement reads a page, or what an index bounds:
// that it cannot be interrupted saves a goroutine.
func (d source) packed(ctx context.Context, statement string, args ...any) (*unpacker, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	u := &unpacker{}
	return u, d.each(context.WithoutCancel(ctx), statement, args, func(rows *sql.Rows) error { return rows.Scan(&u.rest) })
}

// each runs a statement and calls row for each of its rows until row returns an
// error. row must not run another statement, which may be one of another database.
func (s *Store) each(ctx context.Context, statement string, args []any, row func(*sql.Rows) error) error {
	return s.use(func(d *database) error { return source{d, d.with}.each(ctx, statement, args, row) })
}

// packed implements asker.
func (s *Store) packed(ctx context.Context, statement string, args ...any) (u *unpacker, err error) {
	if err := s.short.take(ctx); err != nil {
		return nil, err
	}
	defer s.short.done()
	err = s.use(func(d *database) error {
		u, err = source{d, d.with}.packed(ctx, statement, args...)
		return err
	})
	return u, err
}

// turns bounds how many callers do something at once.
type turns chan struct{}

// take waits for a turn; done ends it.
func (t turns) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turns) done() { <-t }

// snapshot has several statements see one state of the database. Nothing may wait for
// a client meanwhile (case 50).
func (s *Store) snapshot(ctx context.Context, ask func(source) error) error {
	return s.use(func(d *database) error {
		tx, err := d.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		if err != nil {
			return explain(ctx, err)
		}
		defer tx.Rollback() //nolint:errcheck // it has only read
		return ask(source{tx, d.with})
	})
}

// use keeps the database open while it is asked.
func (s *Store) use(ask func(*database) error) error {
	s.mu.RLock()
	d, why := s.database, s.why
	if d != nil {
		d.users.Add(1)
	}
	s.mu.RUnlock()
	if d == nil {
		return why
	}
	defer d.users.Done()
	return ask(d)
}

// explain says what an error of SQLite means to the one who asked.
func explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && sqlite.Interrupted(err):
		return ctx.Err()
	case sqlite.Busy(err):
		return fmt.Errorf("%w (%w)", query.ErrBusy, err)
	case sqlite.Corrupt(err):
		return fmt.Errorf("%w (%w)", query.ErrDamaged, err)
	case sqlite.Unusable(err):
		return fmt.Errorf("%w: %w", query.ErrUnavailable, err)
	}
	return err
}
