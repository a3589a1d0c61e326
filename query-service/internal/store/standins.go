package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/obby/go-services/internal/sqlite"
)

// optional lists the tables, and of these the columns, that statements name and a
// file may lack.
var optional = []struct {
	table   string
	columns []string
}{
	{"obby_meta", []string{"key", "value"}},
	{"obby_versions", []string{"version_id", "kind", "size_bytes", "mtime_ns"}},
	{"obby_blobs", []string{"content_hash", "data"}},
	{"obby_diffs", []string{"diff_id", "old_path", "truncated"}},
	{"obby_paths", []string{"path_id", "file_path"}},
	{"obby_steps", []string{"first_id", "last_id", "steps", "min_time", "max_time", "data"}},
	{"obby_labels", []string{"id", "version_id", "label", "pinned"}},
	{"semantic_entries", []string{"id", "version_id", "timestamp", "summary", "file_path"}},
	{"semantic_topics", []string{"entry_id", "topic"}},
	{"semantic_keywords", []string{"entry_id", "keyword"}},
	{"semantic_analysis", []string{"id", "file_path", "summary", "topics", "keywords", "timestamp"}},
}

// standIns returns the WITH clause that lets every statement name every optional
// table: an empty one stands in for a table that the file lacks, NULL for a
// column, for an id the rowid. It is empty for a file that has them all.
func standIns(ctx context.Context, q sqlite.Querier) (string, error) {
	var tables []string
	for _, o := range optional {
		have, err := sqlite.Columns(ctx, q, o.table)
		if err != nil {
			return "", err
		}
		values := make([]string, len(o.columns))
		missing := 0
		for i, column := range o.columns {
			values[i] = column
			if _, ok := have[column]; !ok {
				values[i] = "NULL"
				missing++
				if column == "id" && len(have) > 0 {
					values[i] = "rowid" // entries are told apart by it
				}
			}
		}
		from := "FROM main." + o.table
		if len(have) == 0 {
			from = "WHERE false"
		}
		if missing > 0 {
			tables = append(tables, fmt.Sprintf("%s (%s) AS (SELECT %s %s)",
				o.table, strings.Join(o.columns, ", "), strings.Join(values, ", "), from))
		}
	}
	if len(tables) == 0 {
		return "", nil
	}
	return "WITH " + strings.Join(tables, ", ") + " ", nil
}
