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
	args := []any{text, from, to, at.UnixMicro(), rawpath.Encode(after)}
	return page(ctx, s, selectFilesAt, args, limit, func(rows *sql.Rows) (query.Version, error) { return scanVersion(rows) })
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
