package store

import (
	"context"
	"database/sql"
	"sync"

	"github.com/obby/go-services/query-service/internal/query"
)

const (
	// recentPages is how many first pages are kept: both views, of two sizes.
	recentPages = 4
	// recentBytes bounds a page that is kept.
	recentBytes = 256 << 10
)

// recent keeps the newest steps, which is what is asked most often and by everybody
// alike, while nothing is written: until PRAGMA data_version changes, one look on a
// connection of its own, a page that was read is the page.
type recent struct {
	mu      sync.Mutex // guards what follows
	conn    *sql.Conn
	version int64
	pages   map[recentKey]query.Page[query.Diff]
}

type recentKey struct {
	limit    int
	withText bool
}

// isFirst reports whether a query asks for the newest steps.
func isFirst(q query.DiffQuery) bool {
	return !q.Filtered() && q.After <= 0 && q.Before <= 0 && !q.Oldest
}

// newest returns the page of a query that isFirst.
func (s *Store) newest(ctx context.Context, q query.DiffQuery) (query.Page[query.Diff], error) {
	key := recentKey{q.Limit, q.WithText}
	var at *database
	var version int64
	var page query.Page[query.Diff]
	kept := false
	err := s.use(func(d *database) (err error) {
		at = d
		page, version, kept, err = d.recent.look(d, key)
		return explain(ctx, err)
	})
	if err != nil || kept {
		return page, err
	}
	page, err = s.diffs(ctx, q)
	if err == nil && pageBytes(page) <= recentBytes {
		at.recent.keep(key, version, page)
	}
	return page, err
}

// look returns a page that is kept, or what version of the database one would be of.
func (r *recent) look(d *database, key recentKey) (page query.Page[query.Diff], version int64, kept bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if version, err = r.readVersion(d); err != nil {
		return page, 0, false, err
	}
	if version != r.version {
		r.version, r.pages = version, map[recentKey]query.Page[query.Diff]{}
	}
	page, kept = r.pages[key]
	return page, version, kept, nil
}

// dataVersion returns what changes whenever anything is committed.
func (r *recent) dataVersion(d *database) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.readVersion(d)
}

// readVersion is dataVersion. The caller holds mu.
func (r *recent) readVersion(d *database) (version int64, err error) {
	ctx := context.Background() // of nobody: the connection is everybody's
	if r.conn == nil {
		if r.conn, err = d.Conn(ctx); err != nil {
			return 0, err
		}
	}
	err = r.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version)
	return version, err
}

// keep keeps a page that was read after the version was looked at.
func (r *recent) keep(key recentKey, version int64, page query.Page[query.Diff]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if version == r.version && len(r.pages) < recentPages {
		r.pages[key] = page
	}
}

func (r *recent) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		return nil
	}
	err := r.conn.Close()
	r.conn = nil
	return err
}

func pageBytes(page query.Page[query.Diff]) (n int) {
	for _, d := range page.Items {
		n += d.Size()
	}
	return n
}
