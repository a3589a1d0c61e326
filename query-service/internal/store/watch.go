package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/obby/go-services/query-service/internal/query"
)

// watchInterval is how often it is looked whether the record went on, while anybody
// follows it: one PRAGMA on an open connection. A guess: it reads as at once.
const watchInterval = 100 * time.Millisecond

// watch tells all followers of a store that the record went on. One goroutine looks for
// them all.
type watch struct {
	mu        sync.Mutex // guards what follows
	followers int
	changed   chan struct{} // closed at the next change
	first     chan struct{} // signalled by the first follower; 1: a hint is a hint

	// What run knows, and only run.
	last   query.Position
	usable bool
}

func newWatch() *watch {
	return &watch{changed: make(chan struct{}), first: make(chan struct{}, 1)}
}

// Watch implements query.DiffStore.
func (s *Store) Watch() (changed func() <-chan struct{}, stop func()) {
	w := s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.followers++; w.followers == 1 {
		select {
		case w.first <- struct{}{}:
		default:
		}
	}
	var once sync.Once
	return w.next, func() { once.Do(w.leave) }
}

func (w *watch) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

func (w *watch) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.followers--
}

func (w *watch) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.followers == 0
}

func (w *watch) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
}

// follow looks for changes while there are followers, until ctx ends.
func (s *Store) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.watch.first:
		}
		// What happened while nobody looked is not known.
		s.watch.usable = false
		ticker := time.NewTicker(watchInterval)
		for !s.watch.idle() && ctx.Err() == nil {
			s.look(ctx)
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
		}
		ticker.Stop()
		s.use(func(d *database) error { return d.unwatch() }) //nolint:errcheck // there is none, or it closes
	}
}

// look wakes the followers where the record went on, or its database is another one or
// unusable, since the last time.
func (s *Store) look(ctx context.Context) {
	w := s.watch
	var last query.Position
	same := false
	err := s.use(func(d *database) error {
		conn, err := d.watcher(ctx)
		if err != nil {
			return err
		}
		var version int64
		if err := conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
			return err
		}
		if same = version == d.seen; same {
			return nil
		}
		if err := conn.QueryRowContext(ctx, d.with+selectLast).Scan(&last.ID, &last.Database, &last.Time); err != nil {
			return err
		}
		d.seen = version
		return nil
	})
	if same && err == nil {
		return
	}
	if usable := err == nil; usable != w.usable || last != w.last {
		w.last, w.usable = last, usable
		w.wake()
	}
}

// watcher returns the connection on which changes are looked for: its data_version is
// its own.
func (d *database) watcher(ctx context.Context) (*sql.Conn, error) {
	if d.watching == nil {
		conn, err := d.Conn(ctx)
		if err != nil {
			return nil, err
		}
		d.watching, d.seen = conn, 0
	}
	return d.watching, nil
}

// unwatch gives the connection back.
func (d *database) unwatch() error {
	if d.watching == nil {
		return nil
	}
	err := d.watching.Close()
	d.watching = nil
	return err
}

// close closes the database.
func (d *database) close() error { return errors.Join(d.unwatch(), d.recent.close(), d.Close()) }
