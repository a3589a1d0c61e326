package store

import (
	"context"
	"database/sql"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/query-service/internal/query"
)

const selectSteps = `SELECT file_path, change_type, CAST(ifnull(lines_added, 0) AS INTEGER),
	CAST(ifnull(lines_removed, 0) AS INTEGER), obby_time(timestamp)
FROM content_diffs`

// Steps implements query.ActivityStore.
func (s *Store) Steps(ctx context.Context, r query.Range, prefix string, add func(query.Step)) error {
	var w where
	w.during("obby_time(timestamp)", r)
	w.below("file_path", prefix)
	return s.each(ctx, selectSteps+w.String(), w.args, func(rows *sql.Rows) error {
		var step query.Step
		var at micros
		err := rows.Scan(&step.Path, &step.Type, &step.Added, &step.Removed, &at)
		step.Path, step.Observed = rawpath.Decode(step.Path), at.Time()
		if err == nil {
			add(step)
		}
		return err
	})
}
