package store

import (
	"context"
	"database/sql"
	"math"
	"time"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/query-service/internal/query"
)

const selectFilesAt = "SELECT " + versionColumns + fromVersions + `
JOIN (` + sqlite.FilesAt + `) found ON found.version_id = v.id
ORDER BY v.file_path`

// FilesAt implements query.VersionStore.
func (s *Store) FilesAt(ctx context.Context, path string, at time.Time, after string, limit int) (query.Page[query.Version], error) {
	text := rawpath.Encode(path)
	from, to := text+"/", text+"0"
	if path == "/" {
		from, to = "/", "0"
	}
	known, upTo, err := s.before(ctx, at)
	if err != nil {
		return query.Page[query.Version]{}, err
	}
	args := []any{text, from, to, at.UnixMicro(), rawpath.Encode(after), known, upTo}
	return page(ctx, s, selectFilesAt, args, limit, func(rows *sql.Rows) (query.Version, error) { return scanVersion(rows) })
}

// Every statement may begin with stand-ins, a WITH clause, and sqlite.FilesAt has its own.
const selectVersionAt = "SELECT version_id FROM (" + sqlite.FilesAt + ")"

// VersionAt implements query.VersionStore: FilesAt of the one path.
func (s *Store) VersionAt(ctx context.Context, path string, at time.Time) (id int64, err error) {
	known, upTo, err := s.before(ctx, at)
	if err != nil {
		return 0, err
	}
	text := rawpath.Encode(path)
	next := text + "\x01" // no path but this one lies below it
	err = s.each(ctx, selectVersionAt, []any{text, next, next, at.UnixMicro(), "", known, upTo, 1}, func(rows *sql.Rows) error {
		return rows.Scan(&id)
	})
	if err != nil || id != 0 {
		return id, err
	}
	return 0, s.known(ctx, path)
}

// before returns ids between which, the second included, every step is later than a
// time: those of the newest blocks. A file may have a hundred thousand steps since.
func (s *Store) before(ctx context.Context, at time.Time) (last, upTo int64, err error) {
	w := newWalk(s, query.DiffQuery{})
	limit := at.UnixMicro()
	last, upTo = sqlite.AnyStep, sqlite.AnyStep
	for {
		blocks, err := w.blocks(ctx)
		if err != nil {
			return 0, 0, err
		}
		for _, b := range blocks {
			if upTo == sqlite.AnyStep {
				upTo = b.last // rows behind the newest block are in none
			} else if b.behind {
				return last, upTo, nil
			}
			if !b.times.any || b.times.from <= limit {
				return b.last, upTo, nil
			}
			last = b.first - 1
			w.before = b.first
		}
		if len(blocks) < blocksAtOnce {
			return last, upTo, nil
		}
	}
}

// Labels implements query.VersionStore.
func (s *Store) Labels(ctx context.Context, prefix string, before int64, limit int) (query.Page[query.Marked], error) {
	if before == 0 {
		before = math.MaxInt64
	}
	w := where{}
	w.below("v.file_path", prefix)
	w.and("l.id < ?", before)
	statement := "SELECT " + versionColumns + ", l.id" + fromVersions + w.String() + " ORDER BY l.id DESC LIMIT ?"
	return page(ctx, s, statement, w.args, limit, func(rows *sql.Rows) (m query.Marked, err error) {
		m.Version, err = scanVersion(rows, &m.ID)
		return m, err
	})
}
