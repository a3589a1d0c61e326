package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/obby/go-services/content-tracker/internal/store"
	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/sqlitetest"
)

func TestFullDisk(t *testing.T) { // case 38
	w := newWorld(t, "")
	w.write("a", "x\n")
	w.track("a")
	pages := one[int](w, `PRAGMA page_count`)
	limit := func(pages int) { w.store.Writer(t, fmt.Sprintf("PRAGMA max_page_count = %d", pages)) }
	limit(pages)
	w.write("big", lines(100_000))
	if err := w.failing("big"); !errors.Is(err, track.ErrFull) {
		t.Errorf("case 38: error is %v", err)
	}
	expect(t, "case 38: steps of the failed file", w.steps("big"), "")
	w.sound()
	limit(1 << 30)
	expect(t, "case 38: after space was freed", w.track("big"), "created +100000 -0")
	w.sound()
}

func TestLockedByPython(t *testing.T) { // case 39
	w := newWorld(t, "")
	// A Python process that holds a write transaction until its input ends.
	release, ended := holding(t, `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
db.execute("INSERT INTO events (type, path, timestamp) VALUES ('created', '/p', '2024-01-01 00:00:00')")
print("locked", flush=True)
sys.stdin.read()
db.execute("COMMIT")
`, w.database)
	w.write("a", "x\n")
	expect(t, "case 39: readers", one[int](w, `SELECT count(*) FROM events`), 0)
	tracked := make(chan error, 1)
	go func() {
		_, err := w.tracker.Track(context.Background(), track.Request{Path: w.path("a")})
		tracked <- err
	}()
	release()
	if err := <-tracked; err != nil {
		t.Errorf("case 39: after the lock: %v", err)
	}
	if err := ended(); err != nil {
		t.Fatal(err)
	}
	expect(t, "case 39: steps", w.steps("a"), "created ->1")
}

func TestLegacy(t *testing.T) { // case 41
	path := sqlitetest.Legacy(t)
	old, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	tables := []string{"file_versions", "content_diffs", "file_changes", "events", "file_states", "semantic_entries", "semantic_topics"}
	before := sqlitetest.Dump(t, old, tables...)
	s, err := store.Open(t.Context(), path, false, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if after := sqlitetest.Dump(t, old, tables...); after != before {
		t.Error("case 41: opening changed what was there")
	}
	head, err := s.Head(t.Context(), sqlitetest.NotePath)
	if err != nil || head.Version.ID != sqlitetest.NoteFirst {
		t.Errorf("head is %+v, %v", head, err)
	}
	content, err := s.Content(t.Context(), head.Version.ID)
	if err != nil || string(content.Body) != sqlitetest.NoteFirstText {
		t.Errorf("content is %q, %v", content.Body, err)
	}
	if err := s.CatchUpNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	var found int
	if err := old.QueryRowContext(t.Context(), `SELECT count(*) FROM obby_search WHERE obby_search MATCH 'milk'`).Scan(&found); err != nil || found != 1 {
		t.Errorf("the index finds %d files with the Python side's text, %v", found, err)
	}
	old.Close()
}

// What Python writes is indexed, and what we write Python reads.
func TestBesidePython(t *testing.T) {
	w := newWorld(t, "")
	w.write("a", "ours\n")
	w.track("a")
	out := python(t, w.database, `
import datetime, hashlib
text = "theirs\n"
path = sys.argv[2]
now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S.%f")
digest = hashlib.sha256(text.encode()).hexdigest()
db.execute("INSERT INTO file_versions (file_path, content_hash, content, line_count, timestamp) VALUES (?, ?, ?, 1, ?)", (path, digest, text, now))
db.execute("UPDATE file_states SET content_hash = ? WHERE file_path = ?", (digest, path))
db.commit()
print(db.execute("SELECT content FROM file_versions WHERE id = 1").fetchone()[0], end="")
`, w.path("a"))
	expect(t, "what Python reads", out, "ours\n")
	if err := w.store.CatchUpNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, "found: theirs", w.found("theirs"), true)
	expect(t, "found: ours", w.found("ours"), false)
	expect(t, "the disk is newer", w.track("a"), "modified +1 -1")
	expect(t, "found: ours again", w.found("ours"), true)
	expect(t, "found: theirs again", w.found("theirs"), false)
}

func python(t *testing.T, database, script string, args ...string) string {
	t.Helper()
	script = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n" + script
	out, err := exec.Command("python3", append([]string{"-c", script, database}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("python3: %v\n%s", err, out)
	}
	return string(out)
}

func TestOutbox(t *testing.T) {
	w := newWorld(t, "")
	for _, text := range []string{"x\n", "y\n"} {
		w.write("a", text)
		w.track("a")
	}
	select {
	case <-w.store.Wake():
	default:
		t.Error("nobody was woken")
	}
	first, ok, err := w.store.Next(t.Context(), 0)
	if err != nil || !ok || first.Change.Type != track.Created || first.Change.Path != w.path("a") || first.Change.Version.ID != 1 {
		t.Fatalf("first is %+v, %v, %v", first, ok, err)
	}
	second, ok, err := w.store.Next(t.Context(), first.ID)
	if err != nil || !ok || second.Change.Type != track.Modified || !strings.Contains(second.Change.Diff.Text, "+y") {
		t.Fatalf("second is %+v, %v, %v", second, ok, err)
	}
	if err := w.store.Done(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if again, ok, err := w.store.Next(t.Context(), 0); err != nil || !ok || again.ID != second.ID {
		t.Errorf("after the first was acknowledged: %+v, %v, %v", again, ok, err)
	}
	// The Python side deletes the row of a pending change: it is passed over.
	python(t, w.database, "db.execute('DELETE FROM content_diffs')\ndb.commit()")
	if _, ok, err := w.store.Next(t.Context(), 0); ok || err != nil {
		t.Errorf("a change without row is pending: %v, %v", ok, err)
	}
}

func TestRefusals(t *testing.T) {
	path := sqlitetest.Legacy(t)
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `DROP TABLE content_diffs`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := store.Open(t.Context(), path, false, prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), "content_diffs") {
		t.Errorf("case 41: error is %v, want one that names the table", err)
	}
}

// A checkpoint under way, such as our own checkpointer's, is waited for: SQLite itself
// answers at once that the log cannot be emptied.
func TestVacuumWaitsForCheckpoint(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "x\n")
	w.read.Close() // a reader would keep the log from being emptied
	// A process that holds SQLite's lock of checkpoints (byte 121 of the file of shared
	// memory, see its wal.c) until its input ends.
	release, ended := holding(t, `
import fcntl, sys
shm = open(sys.argv[1] + "-shm", "r+b")
fcntl.lockf(shm, fcntl.LOCK_EX, 1, 121)
print("locked", flush=True)
sys.stdin.read()
`, w.database)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := w.store.Vacuum(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while there is a checkpoint: %v", err)
	}
	release()
	if err := ended(); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Vacuum(t.Context()); err != nil {
		t.Errorf("after the checkpoint: %v", err)
	}
}

// holding runs a Python script, given the database's path, that prints "locked" once
// it holds what it is to hold, until release.
func holding(t *testing.T, script, database string) (release func(), ended func() error) {
	t.Helper()
	cmd := exec.Command("python3", "-c", script, database)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := output.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	return func() { _ = input.Close() }, cmd.Wait // its end tells
}
