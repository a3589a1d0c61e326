package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newTable returns a database with an empty table t(v).
func newTable(t *testing.T) (path string, db *sql.DB) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "obby.db")
	db, err := Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	mustExec(t, db, "CREATE TABLE t (v)")
	return path, db
}

func mustExec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// copied returns the rows of t in the database file alone, as after losing its
// WAL: -1 when not even the table is there.
func copied(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "alone.db")
	if err := os.WriteFile(alone, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db := open(alone, "")
	defer db.Close()
	count := -1
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&count); err != nil {
		return -1
	}
	return count
}

func TestOnlyTheCheckpointerCheckpoints(t *testing.T) {
	path, db := newTable(t)
	for range 20 { // more pages than SQLite's automatic checkpoint waits for
		mustExec(t, db, "INSERT INTO t VALUES (zeroblob(1000000))")
	}
	if got := copied(t, path); got != -1 {
		t.Errorf("the file holds %d rows before any checkpoint", got)
	}
}

func TestRun(t *testing.T) {
	path, db := newTable(t)
	mustExec(t, db, "INSERT INTO t VALUES (1)")
	c := NewCheckpointer(path, slog.New(slog.DiscardHandler))
	c.interval = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	for copied(t, path) != 1 { // ends by the test's own limit if nothing is ever copied
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run ended with %v", err)
	}
}

func TestLastCheckpoint(t *testing.T) {
	path, db := newTable(t)
	mustExec(t, db, "INSERT INTO t VALUES (1)")
	own := open(path, checkpointParams)
	defer own.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	NewCheckpointer(path, slog.New(slog.DiscardHandler)).loop(ctx, own, path+"-wal")
	if got := copied(t, path); got != 1 {
		t.Errorf("the file holds %d rows after the end, want 1", got)
	}
}

func TestRunChecksTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	err := NewCheckpointer(path, slog.New(slog.DiscardHandler)).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error is %v, want one that names %s", err, path)
	}
}

func TestTick(t *testing.T) {
	path, db := newTable(t)
	mustExec(t, db, "INSERT INTO t VALUES (zeroblob(100000))")
	c := NewCheckpointer(path, slog.New(slog.DiscardHandler))
	own := open(path, checkpointParams)
	defer own.Close()
	tick := func() {
		t.Helper()
		if err := c.tick(t.Context(), own, path+"-wal"); err != nil {
			t.Fatal(err)
		}
	}
	size := func() int64 {
		t.Helper()
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}

	tick()
	if got := copied(t, path); got != 1 {
		t.Errorf("the file holds %d rows after a tick, want 1", got)
	}
	if size() == 0 {
		t.Error("a small WAL was truncated")
	}
	own.Close() // an idle tick must not touch the database
	tick()

	own = open(path, checkpointParams)
	c.large = 1000
	mustExec(t, db, "INSERT INTO t VALUES (2)")
	tick()
	if got := size(); got != 0 {
		t.Errorf("a large WAL has %d bytes after a tick", got)
	}
}

func TestTickBesideAReader(t *testing.T) {
	path, db := newTable(t)
	readers, err := Reader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer readers.Close()
	reading, err := readers.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var count int
	if err := reading.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&count); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "INSERT INTO t VALUES (1)")

	var log bytes.Buffer
	c := NewCheckpointer(path, slog.New(slog.NewTextHandler(&log, nil)))
	c.large = 1000
	own := open(path, checkpointParams)
	defer own.Close()
	for range 3 {
		c.report(c.tick(t.Context(), own, path+"-wal"))
	}
	if got := strings.Count(log.String(), "transaction keeps"); got != 1 {
		t.Errorf("the reader was logged %d times in 3 ticks, want once:\n%s", got, &log)
	}
	if err := reading.Rollback(); err != nil {
		t.Fatal(err)
	}
	c.report(c.tick(t.Context(), own, path+"-wal"))
	if got := copied(t, path); got != 1 || !strings.Contains(log.String(), "checkpointed again") {
		t.Errorf("the file holds %d rows after the reader's end, want 1; log:\n%s", got, &log)
	}
}
