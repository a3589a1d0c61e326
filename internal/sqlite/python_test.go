package sqlite_test

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/sqlitetest"
)

// python runs a script of testdata with the interpreter's own SQLite, which is
// what the existing backend has.
func python(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	interpreter, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("these tests need python3: the database is shared with a Python program")
	}
	return exec.CommandContext(t.Context(), interpreter, args...)
}

func TestPythonSharesTheFile(t *testing.T) {
	path, db := sqlitetest.New(t)
	at := sqlite.FormatTime(time.UnixMicro(1709633472000001))
	mustExec(t, db, "INSERT INTO file_versions (file_path, content_hash, content, line_count, timestamp, change_description) VALUES ('/ours', ?, 'go café', 1, ?, 'File created')", sqlitetest.Hash("go café"), at)
	mustExec(t, db, "INSERT INTO content_diffs (file_path, new_version_id, change_type, diff_content, lines_added, timestamp) VALUES ('/ours', 1, 'created', '+go café', 1, ?)", at)
	mustExec(t, db, "INSERT INTO obby_search (rowid, file_path, content) SELECT id, file_path, content FROM file_versions")

	output, err := python(t, "testdata/share.py", path).Output()
	if err != nil {
		t.Fatalf("share.py: %v\n%s", err, output)
	}
	var got map[string]any
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"version": []any{"/ours", "go café", at, "File created"}, "diff": []any{"created", "+go café", 1.0},
		"found": 1.0, "refused": true, "integrity": "ok",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what Python read (-want +got):\n%s", diff)
	}
	for query, want := range map[string]string{
		"SELECT content FROM file_versions WHERE file_path = '/theirs'":                                 "from python\n",
		"SELECT change_type || lines_added FROM content_diffs WHERE file_path = '/theirs'":              "created1",
		"SELECT type || processed FROM events WHERE path = '/theirs'":                                   "created0",
		"SELECT content_hash FROM file_states WHERE file_path = '/theirs'":                              sqlitetest.Hash("from python\n"),
		"SELECT obby_time(timestamp) = 1709633472500000 FROM file_versions WHERE file_path = '/theirs'": "1",
		"SELECT topic FROM semantic_topics":                                                             "shared",
	} {
		if got := scalar[string](t, db, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// TestPythonHoldsTheLock: the writer waits for a lock of the Python program, and
// readers do not notice it.
func TestPythonHoldsTheLock(t *testing.T) {
	path, db := sqlitetest.New(t)
	readers := reader(t, path)
	holder := python(t, "testdata/lock.py", path)
	output, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("lock.py says %q, %v", line, err)
	}
	if got := scalar[int](t, readers, "SELECT count(*) FROM file_versions"); got != 0 {
		t.Errorf("case 39: a reader sees %d versions, want none before the commit", got)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatalf("case 39: the writer did not wait: %v", err)
	}
	var versions int
	if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM file_versions").Scan(&versions); err != nil || versions != 1 {
		t.Errorf("case 39: the writer began before the Python program's commit: %d versions, %v", versions, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := holder.Wait(); err != nil {
		t.Fatal(err)
	}
}
