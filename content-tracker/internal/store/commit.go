package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// maxGroup bounds how many callers share a transaction: one that fails as a whole
// has to be made anew by all of them. A guess.
const maxGroup = 64

var errClosed = errors.New("the database is closed")

// work is what one caller wants written. It gets a context that is not cancelled:
// SQLite answers an interrupted statement by rolling the whole transaction back
// (https://sqlite.org/c3ref/interrupt.html), and with it the work of others.
type work func(ctx context.Context, tx *sql.Tx) error

type job struct {
	ctx  context.Context
	work work
	err  error
	done chan struct{} // closed when err is final
}

// transact has a piece of work done in a write transaction and returns when it is
// on disk. Whoever asks while a commit is under way shares the next one: a disk
// that takes 5 ms to sync a commit would allow 200 steps a second otherwise. With
// an error, such as of a full disk or a lock that outlasts the busy timeout, the
// work has left nothing behind.
func (s *Store) transact(ctx context.Context, w work) error {
	j := &job{ctx: ctx, work: w, done: make(chan struct{})}
	select {
	case s.jobs <- j:
		<-j.done // no longer than the busy timeout, and one commit before it
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return errClosed
	}
}

// commit does the work that is asked for, until Close.
func (s *Store) commit() {
	defer close(s.committed)
	for {
		select {
		case j := <-s.jobs:
			s.group(s.gather(j))
		case <-s.closed:
			return
		}
	}
}

// gather returns the first job and those that wait already.
func (s *Store) gather(first *job) []*job {
	group := []*job{first}
	for len(group) < maxGroup {
		select {
		case j := <-s.jobs:
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

// group does the work of several callers in one transaction. Each piece stands or
// falls by itself, up to the commit.
func (s *Store) group(group []*job) {
	start := time.Now()
	err := s.together(group)
	if err == nil {
		s.commits.Observe(time.Since(start).Seconds())
	}
	for _, j := range group {
		if j.err == nil {
			j.err = explain(err)
		}
		close(j.done)
	}
}

func (s *Store) together(group []*job) error {
	ctx := context.Background() // of nobody: a caller that gives up must not stop the others
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, j := range group {
		if err := j.do(ctx, tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		// SQLITE_BUSY and SQLITE_FULL leave the transaction open.
		_ = tx.Rollback()
		return err
	}
	return nil
}

// do does one piece of work and keeps its error. It returns an error where the
// transaction has ended with it, as it does when the disk is full.
func (j *job) do(ctx context.Context, tx *sql.Tx) error {
	if j.err = j.ctx.Err(); j.err != nil {
		return nil //nolint:nilerr // it is this piece's error, not the transaction's
	}
	if _, err := tx.ExecContext(ctx, `SAVEPOINT piece`); err != nil {
		return err
	}
	err := j.safely(context.WithoutCancel(j.ctx), tx)
	if err == nil {
		_, err := tx.ExecContext(ctx, `RELEASE piece`)
		return err
	}
	if _, failed := tx.ExecContext(ctx, `ROLLBACK TO piece`); failed != nil {
		return err
	}
	j.err = explain(err)
	_, err = tx.ExecContext(ctx, `RELEASE piece`)
	return err
}

// safely makes an error of a panic: the caller's goroutine, which would have
// recovered from it, is another one.
func (j *job) safely(ctx context.Context, tx *sql.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return j.work(ctx, tx)
}
