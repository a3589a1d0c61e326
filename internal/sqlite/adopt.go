package sqlite

import (
	"context"
	"database/sql"
	_ "embed" // the two schemas
	"fmt"
	"strings"
)

//go:embed schema.sql
var productSchema string

// ownSchemas makes our own tables, each from the version that is its index to the
// next one.
var ownSchemas = []string{obbySchema, stepsSchema}

var (
	//go:embed obby.sql
	obbySchema string
	//go:embed steps.sql
	stepsSchema string
)

// indispensable lists, table by table, the columns without which the services
// cannot work. Files of different age lack others, and have more.
var indispensable = []struct {
	table   string
	columns []string
}{
	{"file_versions", []string{"id", "file_path", "content_hash", "content", "line_count", "timestamp", "change_description"}},
	{"content_diffs", []string{"id", "file_path", "old_version_id", "new_version_id", "change_type", "diff_content", "lines_added", "lines_removed", "timestamp"}},
	{"file_changes", []string{"id", "file_path", "change_type", "old_content_hash", "new_content_hash", "timestamp", "content_hash"}},
	{"events", []string{"id", "type", "path", "timestamp", "size"}},
	{"file_states", []string{"id", "file_path", "content_hash", "last_modified", "line_count", "file_size"}},
}

// otherTables are the existing product's tables that the services can do without.
var otherTables = []string{
	"semantic_entries", "semantic_topics", "semantic_keywords", "semantic_analysis", "semantic_search",
	"config_values", "watch_patterns", "migration_log",
}

// Querier is what reading the schema needs: a pool, a connection or a
// transaction.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Adopt makes the file ready for the services, in one transaction of the writer.
// Into a file that has none of the existing product's tables it puts them all;
// in any other it changes nothing that is there and fails, naming table and
// column, where something indispensable is missing. Then it adds those of our own
// tables that are not there. It may be called on every start.
func Adopt(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("adopt the database: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after Commit
	if err := adopt(ctx, tx); err != nil {
		return fmt.Errorf("adopt the database: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("adopt the database: %w", err)
	}
	return nil
}

func adopt(ctx context.Context, tx *sql.Tx) error {
	fresh, err := isFresh(ctx, tx)
	if err != nil {
		return err
	}
	if fresh {
		if _, err := tx.ExecContext(ctx, productSchema); err != nil {
			return fmt.Errorf("create the tables: %w", err)
		}
	}
	if err := Verify(ctx, tx); err != nil {
		return err
	}
	version, err := ownVersion(ctx, tx)
	if err != nil {
		return err
	}
	for ; version < len(ownSchemas); version++ {
		if _, err := tx.ExecContext(ctx, ownSchemas[version]); err != nil {
			return fmt.Errorf("create the obby tables of version %d: %w", version+1, err)
		}
		if _, err := tx.ExecContext(ctx, "UPDATE obby_schema SET version = ? WHERE component = 'store'", version+1); err != nil {
			return fmt.Errorf("write obby_schema: %w", err)
		}
	}
	return nil
}

// ownVersion returns the version of our own tables, 0 where there are none.
func ownVersion(ctx context.Context, q Querier) (version int, err error) {
	own, err := Columns(ctx, q, "obby_schema")
	if err != nil || len(own) == 0 {
		return 0, err
	}
	err = q.QueryRowContext(ctx, "SELECT coalesce(max(version), 0) FROM obby_schema WHERE component = 'store'").Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read obby_schema: %w", err)
	}
	return version, nil
}

// isFresh reports whether none of the existing product's tables is there.
func isFresh(ctx context.Context, tx *sql.Tx) (bool, error) {
	names := make([]any, 0, len(indispensable)+len(otherTables))
	for _, need := range indispensable {
		names = append(names, need.table)
	}
	for _, table := range otherTables {
		names = append(names, table)
	}
	query := `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND (name GLOB 'living_note_*' OR name IN (?` +
		strings.Repeat(", ?", len(names)-1) + `))`
	var found int
	err := tx.QueryRowContext(ctx, query, names...).Scan(&found)
	return found == 0, err
}

// Verify reports, naming table and column, whether the file lacks something
// indispensable or was written by a newer release. It changes nothing. Our own
// tables may be absent: the writer adds them.
func Verify(ctx context.Context, q Querier) error {
	for _, need := range indispensable {
		if err := verifyTable(ctx, q, need.table, need.columns); err != nil {
			return err
		}
	}
	version, err := ownVersion(ctx, q)
	if err == nil && version > len(ownSchemas) {
		err = fmt.Errorf("the database was written by a newer release (obby tables of version %d, this program knows %d): run that release or a later one", version, len(ownSchemas))
	}
	return err
}

// verifyTable checks one table. A column that must have a value, though it has
// no default and the services do not know it, would refuse every row of theirs.
func verifyTable(ctx context.Context, q Querier, table string, need []string) error {
	columns, err := Columns(ctx, q, table)
	if err != nil {
		return err
	}
	if len(columns) == 0 {
		return fmt.Errorf("the table %s is missing: let the Python backend create its tables, or start with a file that has none of them", table)
	}
	for _, name := range need {
		if _, ok := columns[name]; !ok {
			return fmt.Errorf("the table %s lacks the column %s: let the Python backend bring the file up to date", table, name)
		}
		delete(columns, name)
	}
	for name, required := range columns {
		if required {
			return fmt.Errorf("the table %s has the unknown column %s that must have a value: give it a default", table, name)
		}
	}
	return nil
}

// Columns returns the columns of a table, none when there is no such table, and
// for each of them whether a row cannot be inserted without naming it: NOT NULL,
// no default, no key.
func Columns(ctx context.Context, q Querier, table string) (map[string]bool, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, "notnull" AND dflt_value IS NULL AND NOT pk FROM pragma_table_info(?)`, table)
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", table, err)
	}
	defer rows.Close()
	columns := map[string]bool{}
	for rows.Next() {
		var name string
		var required bool
		if err := rows.Scan(&name, &required); err != nil {
			return nil, fmt.Errorf("read the columns of %s: %w", table, err)
		}
		columns[name] = required
	}
	return columns, rows.Err()
}
