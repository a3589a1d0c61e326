// Package store answers the questions of package query from the SQLite file that
// the product's processes share, one file per question. It never writes.
//
// # Model
//
// A Store stands for a path. Whether there is a usable database at that path, and
// which, its Run finds out about once a second: a file may come into being, be
// replaced by a backup (tracker case 60), or change its tables while the service
// runs. Each of these means opening anew; until that succeeds every question is
// answered with query.ErrUnavailable and the reason.
//
// A file that no content-tracker has adopted yet lacks the obby_ tables, and an
// old one perhaps a semantic_ table. Statements are written as if all were there:
// see standIns.
//
// # Invariants
//
//   - A statement is closed before its answer is sent, so that no slow client
//     keeps the write-ahead log from being reset (case 50). Those of lists return
//     a bounded number of rows; those that count, or look into contents, read on until
//     they are done or their visitor has enough.
//   - Stored times are read through obby_time alone (cases 44 to 46).
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/query-service/internal/query"
)

// checkInterval is how often Run looks at the file.
const checkInterval = time.Second

// Store implements query.Store.
type Store struct {
	path   string
	log    *slog.Logger
	report func(error)

	mu       sync.RWMutex // guards database and why
	database *database
	why      error // why there is no database
	closing  sync.WaitGroup

	watch *watch
	terms termCache
	// Of short statements there run as many at once as there are cores, and one that
	// reads from disk meanwhile: more would only take turns, each on a connection with a
	// page cache of its own. A count keeps two cores busy, and takes some megabytes for
	// a million steps.
	short, counts turns
}

// database is one opened file.
type database struct {
	*sql.DB
	users   sync.WaitGroup // it is closed after the last of them
	file    os.FileInfo    // tells the file from one that replaced it; as it was last seen
	version int64          // data_version, then
	content string         // its fingerprint, then
	schema  int64          // changes with every change of the tables
	with    string         // begins every statement: see standIns
	search  bool           // it has a search index

	recent recent

	watching *sql.Conn // see watcher; only follow uses it while the database is open
	seen     int64     // its last data_version
}

// New returns the store of the database at path. It opens nothing; Run does.
// report is called by Run with nil when a database became usable, and about once
// a second with the reason while there is none.
func New(path string, log *slog.Logger, report func(error)) *Store {
	return &Store{path: path, log: log, report: report, watch: newWatch(), short: make(turns, runtime.GOMAXPROCS(0)+1), counts: make(turns, runtime.GOMAXPROCS(0)),
		why: fmt.Errorf("%w: %s was not opened yet", query.ErrUnavailable, path)}
}

// Run opens the database when there is one, opens it again when it is another,
// and closes it when ctx ends. It returns nil.
func (s *Store) Run(ctx context.Context) error {
	var followers sync.WaitGroup
	defer followers.Wait()
	followers.Go(func() { s.follow(ctx) }) // ended by ctx
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	s.check(ctx)
	for {
		select {
		case <-ctx.Done():
			s.swap(nil, fmt.Errorf("%w: the service is stopping", query.ErrUnavailable))
			s.closing.Wait()
			return nil
		case <-ticker.C:
			s.check(ctx)
		}
	}
}

// check opens the database unless the one that is open is still what lies at the
// path. Only Run calls it, so it reads s.database without the lock.
func (s *Store) check(ctx context.Context) {
	before := s.database
	if before != nil && before.isAt(ctx, s.path) {
		return
	}
	next, err := open(ctx, s.path)
	switch {
	case ctx.Err() != nil:
		if next != nil {
			next.close() //nolint:errcheck // nothing was written
		}
	case err != nil:
		err = fmt.Errorf("%w: %w", query.ErrUnavailable, err)
		s.swap(nil, err)
		s.report(err)
	default:
		s.log.Info("database opened", "path", s.path, "search_index", next.search)
		s.swap(next, nil)
		s.report(nil)
	}
}

// swap has questions go to another database. Nobody waits for those that the one before
// is still asked.
func (s *Store) swap(next *database, why error) {
	s.mu.Lock()
	before := s.database
	s.database, s.why = next, why
	s.mu.Unlock()
	s.terms.forget()
	if before != nil {
		s.closing.Go(func() { // ended by the end of its users
			before.users.Wait()
			before.close() //nolint:errcheck // nothing was written
		})
	}
}

// open opens what lies at path now.
func open(ctx context.Context, path string) (*database, error) {
	// Before it is opened: where it is replaced in between, the next check sees a
	// file other than this one.
	file, missing := os.Stat(path)
	if missing != nil && !errors.Is(missing, fs.ErrNotExist) {
		return nil, missing
	}
	db, err := sqlite.Reader(path) // has the better sentence where there is none
	if err != nil {
		return nil, err
	}
	if missing != nil { // it has come in between: the next check opens it
		return nil, errors.Join(missing, db.Close())
	}
	d := &database{DB: db, file: file}
	if err := d.inspect(ctx); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, nil
}

// inspect reads which tables there are.
func (d *database) inspect(ctx context.Context) error {
	var err error
	if d.schema, err = d.schemaVersion(ctx); err != nil {
		return err
	}
	if err := sqlite.Verify(ctx, d); err != nil {
		return err
	}
	search, err := sqlite.Columns(ctx, d, "obby_search")
	if err != nil {
		return err
	}
	d.search = len(search) > 0
	if d.with, err = standIns(ctx, d); err != nil {
		return err
	}
	_, err = d.overwritten(ctx, "", d.file)
	return err
}

func (d *database) isAt(ctx context.Context, path string) bool {
	file, err := os.Stat(path)
	if err != nil || !os.SameFile(file, d.file) {
		return false
	}
	schema, err := d.schemaVersion(ctx)
	if err != nil || schema != d.schema {
		return sqlite.Busy(err)
	}
	overwritten, err := d.overwritten(ctx, path, file)
	return err == nil && !overwritten || sqlite.Busy(err)
}

// overwritten reports whether another program has written the file anew, as cp does:
// SQLite notices nothing, and answers from pages that it has read before. Then the file
// changed although nothing was committed, and says something else to who opens it now;
// after a checkpoint it says the same.
func (d *database) overwritten(ctx context.Context, path string, file os.FileInfo) (bool, error) {
	version, err := d.recent.dataVersion(d)
	if err != nil {
		return false, err
	}
	changed := !file.ModTime().Equal(d.file.ModTime()) || file.Size() != d.file.Size()
	committed := version != d.version
	d.file, d.version = file, version
	switch {
	case committed:
		d.content, err = d.fingerprint(ctx, d)
		return false, err
	case !changed:
		return false, nil
	}
	fresh, err := sqlite.Reader(path)
	if err != nil {
		return false, err
	}
	defer fresh.Close()
	content, err := d.fingerprint(ctx, fresh)
	return content != d.content, err
}

const selectFingerprint = `SELECT (SELECT group_concat(name || ' ' || seq) FROM (SELECT name, seq FROM sqlite_sequence ORDER BY name))
	|| ifnull((SELECT value FROM obby_meta WHERE key = 'database_id'), '') || ifnull((SELECT file_path FROM content_diffs ORDER BY id DESC LIMIT 1), '')`

// fingerprint tells a database, as it is now, from its backups and from others.
func (d *database) fingerprint(ctx context.Context, db sqlite.Querier) (string, error) {
	var text sql.Null[string]
	err := db.QueryRowContext(ctx, d.with+selectFingerprint).Scan(&text)
	return text.V, err
}

func (d *database) schemaVersion(ctx context.Context) (version int64, err error) {
	err = d.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&version)
	return version, err
}
