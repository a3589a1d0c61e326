package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"
)

const (
	checkpointInterval = time.Second
	// checkpointParams: an own connection without the writer's patience. While
	// TRUNCATE waits for readers, writers wait for it.
	checkpointParams = "mode=rw&_busy_timeout=100"
	// largeWAL is a guess: readers search the WAL's index, which stays fast up to
	// some 10,000 pages.
	largeWAL = 64 << 20
	// lastCheckpoint bounds the checkpoint at shutdown; what it leaves is in the
	// WAL and safe there.
	lastCheckpoint = 5 * time.Second
)

// Checkpointer copies the write-ahead log into the database. There is one in all
// processes together: two connections that checkpoint at the same instant are what
// SQLite's worst bug needed. Who checkpoints has a lock on the file <database>-checkpoint:
// the content-tracker while it runs, the Python backend for a moment while it does not.
type Checkpointer struct {
	path     string
	log      *slog.Logger
	interval time.Duration
	large    int64 // size in bytes from which the WAL is truncated

	lock     *os.File // nil: it is not ours yet
	copied   walState // what the WAL was when it was last copied completely
	reported string   // the trouble that was logged last
}

// walState tells whether the WAL was written to since. A write within the same
// tick of the file system's clock that also keeps the size is missed, and copied
// with the next one.
type walState struct {
	size  int64
	mtime time.Time
}

// errHeld is what a forgotten read transaction does. Its text has no size in it:
// report would log every growth.
var errHeld = errors.New("another connection's transaction keeps the large write-ahead log from being truncated")

// NewCheckpointer returns a Checkpointer of the database at path, which Create
// has opened before.
func NewCheckpointer(path string, log *slog.Logger) *Checkpointer {
	return &Checkpointer{path: path, log: log, interval: checkpointInterval, large: largeWAL}
}

// Run checkpoints about once a second while there is something to copy, and once
// more when ctx ends. It logs what hinders it and tries again; its error is that
// of opening the database.
func (c *Checkpointer) Run(ctx context.Context) error {
	file, err := locate(c.path)
	if err != nil {
		return err
	}
	db := open(file, checkpointParams)
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := probe(ctx, db); err != nil && ctx.Err() == nil {
		return explain(file, err)
	}
	c.loop(ctx, db, file+"-wal")
	return nil
}

func (c *Checkpointer) loop(ctx context.Context, db *sql.DB, wal string) {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	defer func() { _ = c.lock.Close() }() // nil or not
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCheckpoint)
			defer cancel()
			if c.owns(wal) {
				_, err := checkpoint(last, db, "PASSIVE")
				c.report(err)
			}
			return
		case <-ticker.C:
			c.report(c.tick(ctx, db, wal))
		}
	}
}

// tick copies what was written since the last complete copy. PASSIVE waits for
// nobody and copies what no reader still needs; TRUNCATE, which writers wait for,
// then has little left to do.
func (c *Checkpointer) tick(ctx context.Context, db *sql.DB, wal string) error {
	info, err := os.Stat(wal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was written yet
	}
	if err != nil {
		return err
	}
	// Taken before the copy, so that a write during it shows at the next tick.
	state := walState{info.Size(), info.ModTime()}
	if state == c.copied || state.size == 0 || !c.owns(wal) {
		return nil
	}
	done, err := checkpoint(ctx, db, "PASSIVE")
	if err == nil && state.size > c.large {
		done, err = checkpoint(ctx, db, "TRUNCATE")
		if err == nil && !done {
			err = errHeld
		}
	}
	if done {
		c.copied = state
	}
	return err
}

// owns takes the lock if it is not taken, and reports whether it is ours.
func (c *Checkpointer) owns(wal string) bool {
	if c.lock == nil {
		var err error
		if c.lock, err = takeLock(strings.TrimSuffix(wal, "-wal") + "-checkpoint"); err != nil {
			c.report(err)
		}
	}
	return c.lock != nil
}

// checkpoint reports whether the whole WAL was copied.
func checkpoint(ctx context.Context, db *sql.DB, mode string) (bool, error) {
	var busy, frames, copied int64
	err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &frames, &copied)
	if err != nil && !Busy(err) && ctx.Err() == nil {
		return false, fmt.Errorf("checkpoint %s: %w", mode, err)
	}
	return err == nil && busy == 0 && frames == copied, nil
}

// report logs a trouble once, not once a second, and its end.
func (c *Checkpointer) report(err error) {
	switch {
	case err == nil && c.reported != "":
		c.log.Info("write-ahead log is checkpointed again")
		c.reported = ""
	case err != nil && err.Error() != c.reported:
		c.log.Warn("write-ahead log is not checkpointed", "err", err)
		c.reported = err.Error()
	}
}
