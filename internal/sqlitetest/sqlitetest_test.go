package sqlitetest_test

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/obby/go-services/internal/sqlitetest"
)

func TestDump(t *testing.T) {
	db, err := sql.Open("sqlite3", "file:"+sqlitetest.Legacy(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	before := sqlitetest.Dump(t, db)
	for _, part := range []string{
		"user_version 7", "reviewed_by TEXT", "trigger validate_content_hash", "index idx_diffs_versions", "Pläne 2024.md'", "| 1709633472 |",
		"'" + sqlitetest.TimeT + "'", "'002_reviewed_by'", "buy bread\n\n", "semantic_search_data",
	} {
		if !strings.Contains(before, part) {
			t.Errorf("the dump lacks %q", part)
		}
	}
	for _, change := range []string{
		"PRAGMA user_version = 8",
		"UPDATE file_versions SET content = CAST(content AS BLOB) WHERE id = 8", // the type alone
		"DROP TRIGGER validate_event_timestamp",
		"DROP INDEX idx_events_path",
		"CREATE TABLE more (x)",
	} {
		if _, err := db.ExecContext(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		after := sqlitetest.Dump(t, db)
		if after == before {
			t.Errorf("the dump does not show %s", change)
		}
		before = after
	}
}
