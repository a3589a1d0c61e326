package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/obby/go-services/internal/sqlite"
)

// maxGroup bounds how many callers share a transaction, and so how long a single
// one may wait for the others of its group. With more, those who read have less to
// do meanwhile; with half as many, a batch of new files takes a tenth longer.
const maxGroup = 256

var errClosed = errors.New("the database is closed")

// work is what one caller wants written. It gets a context that is not cancelled:
// SQLite answers an interrupted statement by rolling the whole transaction back
// (https://sqlite.org/c3ref/interrupt.html), and with it the work of others.
//
// It may be called twice: where a group fails, its pieces are done anew.
type work func(ctx context.Context, tx *transaction) error

// transaction is what pieces of work write through.
type transaction struct {
	*sql.Tx
	others  int64      // Store.others when it began
	careful bool       // each piece has a savepoint
	search  []indexing // done at the end, or left to CatchUp
}

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
		<-j.done // it is being written: to leave now would leave open whether it was
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
// falls by itself, up to the commit: where one fails, which is rare, all is undone
// and done again with savepoints, which cost as much as a row.
func (s *Store) group(group []*job) {
	start := time.Now()
	s.crowded.Store(len(group) > 1)
	err := s.place.check()
	if err == nil {
		err = s.together(group, false)
		if err != nil && len(group) > 1 && !sqlite.Busy(err) {
			err = s.together(group, true)
		}
	}
	if err == nil {
		s.commits.Observe(time.Since(start).Seconds())
		// Afterwards too: what has just been committed may have gone with the file.
		err = s.place.check()
	}
	for _, j := range group {
		if j.err == nil {
			j.err = explain(err)
		}
		close(j.done)
	}
}

func (s *Store) together(group []*job, careful bool) error {
	ctx := context.Background() // of nobody: a caller that gives up must not stop the others
	tx, err := s.begin(ctx, careful)
	if err != nil {
		return err
	}
	for _, j := range group {
		if err := j.do(ctx, tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	if len(tx.search) > indexedAtOnce {
		defer s.left()
		tx.search = nil
	}
	if err := tx.reindex(ctx, tx.search); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit() // the driver rolls back where it fails
}

// begin begins a transaction and looks whether another program has written since
// the last one.
func (s *Store) begin(ctx context.Context, careful bool) (*transaction, error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	var version int64
	if err := tx.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	if version != s.lastVersion {
		s.lastVersion = version
		s.others.Add(1)
	}
	return &transaction{Tx: tx, others: s.others.Load(), careful: careful}, nil
}

// do does one piece of work. In a careful transaction it keeps the piece's error;
// else it returns it. It returns an error too where the transaction has ended with
// the piece, as it does when the disk is full.
func (j *job) do(ctx context.Context, tx *transaction) error {
	if j.err = j.ctx.Err(); j.err != nil {
		return nil //nolint:nilerr // it is this piece's error, not the transaction's
	}
	mine := context.WithoutCancel(j.ctx)
	if !tx.careful {
		return j.safely(mine, tx)
	}
	if _, err := tx.ExecContext(ctx, `SAVEPOINT piece`); err != nil {
		return err
	}
	search := len(tx.search)
	err := j.safely(mine, tx)
	if err == nil {
		_, err := tx.ExecContext(ctx, `RELEASE piece`)
		return err
	}
	if _, failed := tx.ExecContext(ctx, `ROLLBACK TO piece`); failed != nil {
		return err
	}
	j.err, tx.search = explain(err), tx.search[:search]
	_, err = tx.ExecContext(ctx, `RELEASE piece`)
	return err
}

// safely makes an error of a panic: the caller's goroutine, which would have
// recovered from it, is another one.
func (j *job) safely(ctx context.Context, tx *transaction) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return j.work(ctx, tx)
}
