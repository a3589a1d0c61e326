// Package store keeps the history in the shared SQLite file. It is the one Go
// writer of that file, and the only package of this service that knows SQL.
//
// A step is one transaction (Record): version, diff, state, change, event, search
// index and outbox rows stand or fall together. The head of a path is
// file_states.content_hash, which the Python side writes too, so a step compares
// it inside its transaction. A path in a TEXT column is in rawpath's form.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/sqlite"
)

// Store implements track.Store and the outbox.
type Store struct {
	write        *sql.DB // one connection: a second caller waits for it, or for its ctx
	read         *sql.DB
	place        *place
	id           string   // of the database
	publish      bool     // steps go to the outbox
	stamp        string   // ends an update of file_states: an old file has no updated_at (tracker case 41)
	summaries    []string // tables of the Python side with rows of paths
	selectPast   string
	unreferenced string // condition that no summary refers to version v
	wake         chan struct{}
	behind       chan struct{} // signalled when something was left to CatchUp

	jobs      chan *job
	closing   sync.Once
	closed    chan struct{} // closed by Close
	committed chan struct{} // closed when commit has ended

	unpacked    atomic.Bool  // blocks of steps were taken apart
	others      atomic.Int64 // how often another program was seen to have written
	crowded     atomic.Bool  // the last transaction was of many callers
	lastVersion int64        // PRAGMA data_version of the last transaction; commit's own

	commits prometheus.Histogram
	steps   *prometheus.CounterVec
}

// Open opens the database, makes it where there is none and adopts it where
// there is. With publish, steps go to the outbox: without a hub nobody would
// ever empty it, and a hub that is configured later begins with what happens
// then, for what happened before is in the history.
func Open(ctx context.Context, path string, publish bool, metrics prometheus.Registerer) (*Store, error) {
	write, err := sqlite.Create(ctx, path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		write: write, publish: publish, wake: make(chan struct{}, 1), behind: make(chan struct{}, 1), // 1: a hint is a hint
		jobs: make(chan *job), closed: make(chan struct{}), committed: make(chan struct{}),
	}
	go s.commit() // ended by Close
	if err := s.prepare(ctx, path, metrics); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context, path string, metrics prometheus.Registerer) error {
	if err := sqlite.Adopt(ctx, s.write); err != nil {
		return err
	}
	columns, err := sqlite.Columns(ctx, s.write, "file_states")
	if err != nil {
		return err
	}
	if _, ok := columns["updated_at"]; ok {
		s.stamp = ", updated_at = CURRENT_TIMESTAMP"
	}
	if err := s.findSummaries(ctx); err != nil {
		return err
	}
	if s.read, err = sqlite.Reader(path); err != nil {
		return err
	}
	if s.place, err = newPlace(path); err != nil {
		return err
	}
	if err := s.read.QueryRowContext(ctx, `SELECT value FROM obby_meta WHERE key = 'database_id'`).Scan(&s.id); err != nil {
		return fmt.Errorf("read the database's id: %w", err)
	}
	s.commits = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "obby_tracker_transaction_duration_seconds", Help: "Duration of write transactions, from their begin to the commit on disk.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
	})
	s.steps = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "obby_tracker_steps_total", Help: "Recorded steps, by type of change.",
	}, []string{"type"})
	if err := errors.Join(metrics.Register(s.commits), metrics.Register(s.steps)); err != nil {
		return err
	}
	return metrics.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "obby_tracker_outbox_events", Help: "Committed changes that the hub has not acknowledged yet.",
	}, s.outboxDepth))
}

// findSummaries looks which tables of the Python side's summaries the file has.
func (s *Store) findSummaries(ctx context.Context) error {
	for _, table := range []string{"semantic_entries", "semantic_analysis"} {
		columns, err := sqlite.Columns(ctx, s.write, table)
		if err != nil {
			return err
		}
		if _, ok := columns["file_path"]; ok {
			s.summaries = append(s.summaries, table)
		}
		if _, ok := columns["version_id"]; ok {
			s.unreferenced += ` AND NOT EXISTS (SELECT 1 FROM ` + table + ` e WHERE e.version_id = v.id)`
		}
	}
	referenced := strings.ReplaceAll(strings.ReplaceAll(s.unreferenced, "AND NOT EXISTS", "OR EXISTS"), "v.id", "d.new_version_id")
	if s.publish {
		referenced += ` OR EXISTS (SELECT 1 FROM obby_outbox q WHERE q.diff_id = d.id)`
	}
	s.selectPast = fmt.Sprintf(selectPast, referenced)
	return nil
}

// Close closes the database. What was asked for before is on disk.
func (s *Store) Close() error {
	s.closing.Do(func() { close(s.closed) })
	<-s.committed
	var left error
	if s.place != nil {
		left = s.place.leave()
	}
	if s.read != nil {
		return errors.Join(left, s.read.Close(), s.write.Close())
	}
	return s.write.Close()
}

// DatabaseID identifies the database file, also after it was restored elsewhere.
func (s *Store) DatabaseID() string { return s.id }

// explain marks the errors of SQLite that a caller can do something about.
func explain(err error) error {
	switch {
	case sqlite.Busy(err):
		return fmt.Errorf("%w (%w)", track.ErrBusy, err)
	case sqlite.Full(err):
		return fmt.Errorf("%w: free some space (%w)", track.ErrFull, err)
	}
	if system := sqlite.SystemError(err); system != nil { // such as no file handle left
		return fmt.Errorf("the database %w: %w (%w)", track.ErrReadFailed, system, err)
	}
	return err
}

// optional gives NULL for the zero value.
func optional[T comparable](value T) any {
	var zero T
	if value == zero {
		return nil
	}
	return value
}

// Rows of a directory are those whose path lies in this range: byte order puts
// '0' right after '/'.
func rangeOf(dir string) (from, to string) {
	dir = filepath.Clean(dir)
	if dir == "/" {
		return "/", "0"
	}
	return dir + "/", dir + "0"
}
