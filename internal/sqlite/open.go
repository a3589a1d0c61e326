package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/mattn/go-sqlite3"
)

// minVersion is SQLite 3.51.3: before it two connections that checkpoint at the
// same instant can corrupt the file (https://sqlite.org/wal.html#walresetbug).
const minVersion = 3_051_003

// The readers' pool. Idle connections keep their page caches warm for a while: to
// open one costs as much as a hundred short questions.
const (
	maxReaders = 25
	idleReader = time.Minute
)

// The writer's page cache holds what a transaction of hundreds of files changes
// (16 MB); with SQLite's 2 MB pages are read again and again.
const (
	writerParams = "_txlock=immediate&_busy_timeout=10000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1&_cache_size=-16000" + cached
	// With SQLite's 2 MB the inner pages of a large history's indexes do not stay.
	readerParams = "mode=ro&_query_only=1&_busy_timeout=10000&_cache_size=-4000" + cached
	// To prepare a statement takes longer than to run it. No service has more of
	// them than this.
	cached = "&_stmt_cache_size=100"
)

// Create opens the database for its one writer and makes the file when there is
// none; call Adopt next. The pool holds exactly one connection, so a caller that
// asks for a second while it holds a transaction waits for itself.
//
// Another process's lock is waited for up to 10 s, also past ctx's end.
func Create(ctx context.Context, path string) (*sql.DB, error) {
	file, err := locate(path)
	if err != nil {
		return nil, err
	}
	if err := setPageSize(ctx, file); err != nil {
		return nil, explain(file, err)
	}
	db := open(file, writerParams)
	db.SetMaxOpenConns(1)
	if err := probeWriter(ctx, db); err != nil {
		return nil, errors.Join(explain(file, err), db.Close())
	}
	return db, nil
}

// setPageSize gives a database that does not exist yet pages of 8 KiB: a note and
// its diff mostly fit on one each, where SQLite's 4 KiB break them up, and an
// eighth more files are tracked in a second. It cannot be changed in WAL mode.
func setPageSize(ctx context.Context, file string) error {
	if info, err := os.Stat(file); err == nil && info.Size() > 0 {
		return nil
	}
	db := open(file, "_busy_timeout=10000")
	_, err := db.ExecContext(ctx, "PRAGMA page_size = 8192; VACUUM")
	return errors.Join(err, db.Close())
}

// Reader opens an existing database for reading. The error of a missing file
// matches fs.ErrNotExist: the writer may not have made it yet. Verify says
// whether its tables are usable.
func Reader(path string) (*sql.DB, error) {
	file, err := locate(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("database %s does not exist: start the content-tracker, which makes it (%w)", file, fs.ErrNotExist)
	}
	db := open(file, readerParams)
	db.SetMaxOpenConns(maxReaders)
	db.SetMaxIdleConns(maxReaders)
	db.SetConnMaxIdleTime(idleReader)
	if err := probe(context.Background(), db); err != nil {
		return nil, errors.Join(explain(file, err), db.Close())
	}
	return db, nil
}

// locate returns the absolute path of the database, symbolic links resolved: the
// -wal and -shm files lie beside the real file. It refuses a place where a
// database cannot be.
func locate(path string) (string, error) {
	if _, number, _ := sqlite3.Version(); number < minVersion {
		return "", versionError(number)
	}
	file, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("database %s: %w", path, err)
	}
	if target, err := filepath.EvalSymlinks(file); err == nil {
		file = target
	}
	info, err := os.Stat(file)
	switch {
	case err == nil && info.IsDir():
		return "", fmt.Errorf("database %s is a directory: name a file in it", file)
	case err == nil && !info.Mode().IsRegular():
		return "", fmt.Errorf("database %s is not a regular file: name another file", file)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("database %s: %w", file, err)
	}
	dir := filepath.Dir(file)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("database %s: its directory does not exist: create %s", file, dir)
	}
	if err := checkFilesystem(dir); err != nil {
		return "", fmt.Errorf("database %s: %w", file, err)
	}
	return file, nil
}

func versionError(number int) error {
	return fmt.Errorf("this program was linked with SQLite %d.%d.%d, which can corrupt the database: build it with 3.51.3 or later",
		number/1_000_000, number/1000%1000, number%1000)
}

// open returns a pool; it opens no connection yet. The prefix "file:" matters:
// without it the driver drops mode=ro.
func open(file, params string) *sql.DB {
	uri := url.URL{Scheme: "file", Path: file, RawQuery: params}
	return sql.OpenDB(connector{uri.String()})
}

// connector opens connections with our hook. It stands in for a name in
// database/sql's registry, which would be a global of the whole program.
type connector struct{ dsn string }

var sqliteDriver = &sqlite3.SQLiteDriver{ConnectHook: prepare}

func (c connector) Connect(context.Context) (driver.Conn, error) { return sqliteDriver.Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return sqliteDriver }

func prepare(conn *sqlite3.SQLiteConn) error {
	if _, err := conn.Exec("PRAGMA wal_autocheckpoint=0", nil); err != nil {
		return err
	}
	if err := conn.RegisterFunc("obby_time", sqlTime, true); err != nil {
		return err
	}
	return conn.RegisterFunc("obby_picks", newPicks(), true)
}

// probe meets now what the first query would meet: connections open lazily, and
// SQLite reads the file later still.
func probe(ctx context.Context, db *sql.DB) error {
	var tables int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return err
	}
	return CheckFTS5(ctx, db)
}

// probeWriter is probe, and writes something that it takes back: SQLite opens a
// read-only file without an error, and even BEGIN IMMEDIATE passes there.
func probeWriter(ctx context.Context, db *sql.DB) error {
	if err := probe(ctx, db); err != nil {
		return err
	}
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" { // SQLite reports no error where it cannot switch
		return fmt.Errorf("SQLite cannot use WAL mode here, only %q: keep the file on a local disk", mode)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "CREATE TABLE obby_probe (x)")
	return errors.Join(err, tx.Rollback())
}

// CheckFTS5 reports, in one sentence, an SQLite without full-text search. Create
// and Reader call it.
func CheckFTS5(ctx context.Context, db *sql.DB) error {
	var modules int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'").Scan(&modules)
	if err == nil && modules == 0 {
		err = errors.New("this program was built without full-text search: build it with -tags sqlite_fts5")
	}
	return err
}
