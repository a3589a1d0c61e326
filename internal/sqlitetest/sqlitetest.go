// Package sqlitetest gives tests a database: a fresh one, or one as the existing
// Python backend leaves it. Its helpers fail the test themselves.
package sqlitetest

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/obby/go-services/internal/sqlite"
)

// New returns the path of a fresh, adopted database and its writer, which the
// end of the test closes.
func New(t testing.TB) (path string, db *sql.DB) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "obby.db")
	return path, Adopted(t, path)
}

// Adopted opens the database at path for writing, adopts it and returns the
// writer, which the end of the test closes.
func Adopted(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sqlite.Create(t.Context(), path)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	t.Cleanup(func() { db.Close() })
	if err := sqlite.Adopt(t.Context(), db); err != nil {
		t.Fatalf("adopt: %v", err)
	}
	return db
}

// Dump returns the schema of the given tables, with their indexes and triggers,
// and all their rows, as text to compare. Without names it dumps user_version
// and every table that is not ours.
func Dump(t testing.TB, db *sql.DB, tables ...string) string {
	t.Helper()
	var dump strings.Builder
	if len(tables) == 0 {
		fmt.Fprintf(&dump, "user_version %s\n", query(t, db, "PRAGMA user_version")[0])
		tables = query(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table'
			AND name NOT GLOB 'obby_*' AND name NOT GLOB 'sqlite_*' ORDER BY name`)
	}
	for _, table := range tables {
		fmt.Fprintf(&dump, "\n%s\n", table)
		for _, text := range query(t, db, `SELECT type || ' ' || name || ': ' || coalesce(sql, '')
			FROM sqlite_schema WHERE tbl_name = ? ORDER BY type, name`, table) {
			dump.WriteString(text + "\n")
		}
		columns := query(t, db, "SELECT 'quote(\"' || name || '\")' FROM pragma_table_info(?)", table)
		if len(columns) == 0 {
			t.Fatalf("dump: no table %s", table)
		}
		rows := query(t, db, "SELECT "+strings.Join(columns, " || ' | ' || ")+` FROM "`+table+`"`)
		slices.Sort(rows) // a table need not have a rowid to order by
		for _, row := range rows {
			dump.WriteString(row + "\n")
		}
	}
	return dump.String()
}

// query returns the only column of a result.
func query(t testing.TB, db *sql.DB, text string, args ...any) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text, args...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return values
}
