package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/internal/usertest"
)

func mustExec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func scalar[T any](t *testing.T, db *sql.DB, query string, args ...any) T {
	t.Helper()
	var value T
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

func reader(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sqlite.Reader(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestPragmas(t *testing.T) {
	path, writer := sqlitetest.New(t)
	for name, db := range map[string]*sql.DB{"writer": writer, "reader": reader(t, path)} {
		want := map[string]string{"journal_mode": "wal", "busy_timeout": "10000", "wal_autocheckpoint": "0", "mmap_size": "0"}
		if name == "writer" {
			want["synchronous"], want["foreign_keys"] = "2", "1"
		} else {
			want["query_only"] = "1"
		}
		for pragma, value := range want {
			if got := scalar[string](t, db, "PRAGMA "+pragma); got != value {
				t.Errorf("%s: %s is %s, want %s", name, pragma, got, value)
			}
		}
	}
	if got := writer.Stats().MaxOpenConnections; got != 1 {
		t.Errorf("the writer may open %d connections", got)
	}
}

func TestReaderCannotWrite(t *testing.T) {
	path, _ := sqlitetest.New(t)
	db := reader(t, path)
	db.SetMaxOpenConns(1)
	for _, pragma := range []string{"PRAGMA query_only = 1", "PRAGMA query_only = 0"} { // mode=ro holds alone
		mustExec(t, db, pragma)
		_, err := db.ExecContext(t.Context(), "INSERT INTO obby_meta VALUES ('a', 'b')")
		if !sqlite.Unusable(err) {
			t.Errorf("after %q: error is %v, want that of a read-only database", pragma, err)
		}
	}
}

func TestOddNames(t *testing.T) {
	for _, name := range []string{"a b?mode=memory.db", "100%41.db", "a#b.db", "ümläut.db", "latin\xe9.db", "semi;colon&=.db"} {
		path := filepath.Join(t.TempDir(), name)
		sqlitetest.Adopted(t, path)
		if _, err := os.Stat(path); err != nil {
			t.Errorf("the file has another name: %v", err)
		}
		reader(t, path)
	}
}

func TestSymbolicLink(t *testing.T) {
	path, _ := sqlitetest.New(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	db := reader(t, link)
	if got, want := scalar[string](t, db, "SELECT file FROM pragma_database_list"), path; got != want {
		t.Errorf("opened %s, want %s", got, want)
	}
}

// TestRefusals: each is one sentence that names the file and says what to do.
func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	open := map[string]func(string) (*sql.DB, error){
		"Create": func(path string) (*sql.DB, error) { return sqlite.Create(t.Context(), path) },
		"Reader": sqlite.Reader,
	}
	for _, tc := range []struct{ name, path, want string }{
		{"no database", text, "name another file"},
		{"directory", dir, "name a file in it"},
		{"no directory", filepath.Join(dir, "no", "obby.db"), "create " + filepath.Join(dir, "no")},
		{"file as directory", filepath.Join(text, "obby.db"), "not a directory"},
		{"device", "/dev/null", "name another file"},
	} {
		for name, open := range open {
			t.Run(name+"/"+tc.name, func(t *testing.T) {
				db, err := open(tc.path)
				if err == nil {
					db.Close()
					t.Fatal("opened")
				}
				if text := err.Error(); !strings.Contains(text, tc.path) || !strings.Contains(text, tc.want) || strings.Contains(text, "\n") {
					t.Errorf("error is %q, want one line with %q and %q", text, tc.path, tc.want)
				}
			})
		}
	}
}

func TestMissingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "obby.db")
	if _, err := sqlite.Reader(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v, want fs.ErrNotExist", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a reader made the file")
	}
}

func TestUnwritable(t *testing.T) { usertest.Unprivileged(t, testUnwritable) }

func testUnwritable(t *testing.T) {
	path := sqlitetest.Legacy(t)
	dir := filepath.Dir(path)
	for name, mode := range map[string]struct{ file, dir os.FileMode }{"file": {0o444, 0o700}, "directory": {0o600, 0o500}} {
		for target, mode := range map[string]os.FileMode{path: mode.file, dir: mode.dir} {
			if err := os.Chmod(target, mode); err != nil {
				t.Fatal(err)
			}
		}
		_, err := sqlite.Create(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), "grant write permission") {
			t.Errorf("%s: error is %v, want advice on permissions", name, err)
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestCreateSwitchesToWAL(t *testing.T) {
	path := sqlitetest.Legacy(t)
	if mode := scalar[string](t, plain(t, path), "PRAGMA journal_mode = DELETE"); mode != "delete" {
		t.Fatalf("journal_mode is %s", mode)
	}
	db := sqlitetest.Adopted(t, path)
	if mode := scalar[string](t, db, "PRAGMA journal_mode"); mode != "wal" {
		t.Errorf("case 41: journal_mode is %s, want wal", mode)
	}
}

// TestReaderAfterAKill: every writer is gone and left its WAL behind, without
// the -shm file that says what is in it.
func TestReaderAfterAKill(t *testing.T) {
	path, db := sqlitetest.New(t)
	mustExec(t, db, "INSERT INTO obby_meta VALUES ('a', 'b')")
	left := filepath.Join(t.TempDir(), "obby.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := scalar[string](t, reader(t, left), "SELECT value FROM obby_meta WHERE key = 'a'"); got != "b" {
		t.Errorf("case 61: read %q", got)
	}
}

// TestRealErrors: the codes are those that SQLite gives.
func TestRealErrors(t *testing.T) {
	_, db := sqlitetest.New(t)
	mustExec(t, db, "PRAGMA max_page_count = 1") // raised by SQLite to the present size
	const insert = "INSERT INTO obby_blobs VALUES ('hash', zeroblob(1000000))"
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), insert); !sqlite.Full(err) {
		t.Errorf("case 38: error is %v, want full", err)
	}
	_ = tx.Rollback() // SQLite may have rolled back itself
	mustExec(t, db, "PRAGMA max_page_count = 1000000")
	mustExec(t, db, insert)
	if _, err := db.ExecContext(t.Context(), insert); !sqlite.Constraint(err) {
		t.Errorf("error is %v, want a constraint", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = db.ExecContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
	if !sqlite.Interrupted(err) {
		t.Errorf("error is %v, want interrupted", err)
	}
}

// TestBeginIsImmediate: the lock is taken by BEGIN, so that a writer waits there
// and never fails in the middle.
func TestBeginIsImmediate(t *testing.T) {
	path, db := sqlitetest.New(t)
	other, err := sql.Open("sqlite3", "file:"+path+"?_busy_timeout=0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()

	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = other.ExecContext(t.Context(), "INSERT INTO obby_meta VALUES ('a', 'b')")
	if !sqlite.Busy(err) {
		t.Errorf("case 40: another writer got %v while our transaction is open, want busy", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}

	// A deferred transaction that has read cannot write once another did.
	deferred, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer deferred.Rollback() //nolint:errcheck // the test is over
	var rows int
	if err := deferred.QueryRowContext(t.Context(), "SELECT count(*) FROM obby_meta").Scan(&rows); err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "INSERT INTO obby_meta VALUES ('c', 'd')")
	if _, err := deferred.ExecContext(t.Context(), "INSERT INTO obby_meta VALUES ('a', 'b')"); !sqlite.Busy(err) {
		t.Errorf("case 40: a deferred transaction got %v, want busy at once", err)
	}
}

func TestCreateIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqlite.Create(ctx, filepath.Join(t.TempDir(), "obby.db")); !sqlite.Interrupted(err) {
		t.Errorf("error is %v, want that of the context", err)
	}
}
