package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/obby/go-services/query-service/internal/query"
)

// AUTOINCREMENT keeps the largest id there ever was, also of a deleted row. The time
// comes with it: asked for by itself it could be of a file that has replaced this one.
const selectLast = `SELECT last.id, ifnull((SELECT value FROM obby_meta WHERE key = 'database_id'), ''),
	ifnull(obby_time((SELECT timestamp FROM content_diffs d WHERE d.id = last.id)), 0)
	FROM (SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'content_diffs'), 0), ifnull((SELECT max(id) FROM content_diffs), 0)) AS id) last`

// Last implements query.DiffStore.
func (s *Store) Last(ctx context.Context) (query.Position, error) {
	var last query.Position
	err := s.each(ctx, selectLast, nil, func(rows *sql.Rows) error {
		return rows.Scan(&last.ID, &last.Database, &last.Time)
	})
	return last, err
}

var selectTime = "SELECT " + packed(stamp("timestamp")) + " FROM content_diffs WHERE id = ?"

// ObservedAt implements query.DiffStore.
func (s *Store) ObservedAt(ctx context.Context, id int64) (time.Time, error) {
	u, err := s.packed(ctx, selectTime, id)
	if err != nil || !u.more() {
		return time.Time{}, err
	}
	return u.time(), nil
}
