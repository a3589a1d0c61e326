package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
)

// placeInterval is how often an idle store looks whether its file is still there: as
// often as the query-service, which then answers from another file.
const placeInterval = time.Second

// place is where the open database lies. A connection keeps to the file that it has
// opened: where that was replaced or removed, what is written vanishes with it, and
// SQLite gives no error.
type place struct {
	path     string
	file     os.FileInfo // of the database
	log      os.FileInfo // of its write-ahead log
	logPath  string
	lost     chan struct{} // closed when the file was found to be another one, or none
	noticing sync.Once
}

// newPlace returns the place of a database that was just opened.
func newPlace(path string) (*place, error) {
	p := &place{path: path, lost: make(chan struct{})}
	real, err := filepath.EvalSymlinks(path) // where SQLite keeps the log
	if err == nil {
		p.logPath = real + "-wal"
		p.file, err = os.Stat(path)
	}
	if err == nil {
		p.log, err = os.Stat(p.logPath)
	}
	if err != nil {
		return nil, fmt.Errorf("database %s was taken away while it was opened: start again (%w)", path, err)
	}
	return p, nil
}

// check returns ErrReplaced where the path does not lead to the open file any more, and
// from then on: that file is not written to again.
func (p *place) check() error {
	select {
	case <-p.lost:
	default:
		if !p.replaced() {
			return nil
		}
		p.noticing.Do(func() { close(p.lost) })
	}
	return fmt.Errorf("database %s: %w", p.path, track.ErrReplaced)
}

// replaced says what is the case now. Where the path cannot be looked at, the file may
// well be there.
func (p *place) replaced() bool {
	now, err := os.Stat(p.path)
	return errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(now, p.file)
}

// leave removes the log of a file that was replaced, if it was left behind: SQLite
// would take what it holds for changes of the file that lies there now, and damage
// that. Call it while the database is open.
func (p *place) leave() error {
	if !p.replaced() {
		return nil
	}
	if now, err := os.Stat(p.logPath); err != nil || !os.SameFile(now, p.log) {
		return nil //nolint:nilerr // there is none, or it is the new file's own
	}
	index := p.logPath[:len(p.logPath)-len("wal")] + "shm"
	return errors.Join(os.Remove(p.logPath), os.Remove(index))
}

// Stay returns ErrReplaced once the database's file was replaced or removed, and nil
// when ctx ends.
func (s *Store) Stay(ctx context.Context) error {
	ticker := time.NewTicker(placeInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.place.lost:
		case <-ticker.C:
		}
		if err := s.place.check(); err != nil {
			return err
		}
	}
}
