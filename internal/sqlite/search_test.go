package sqlite_test

import (
	"testing"

	"github.com/obby/go-services/internal/sqlitetest"
)

// TestSearchIndex does what a store does with the index: one row for the newest
// version of a path, removed with the values that it was inserted with.
func TestSearchIndex(t *testing.T) {
	path := sqlitetest.Legacy(t)
	db := sqlitetest.Adopted(t, path)
	found := func(words string) int {
		t.Helper()
		return scalar[int](t, db, "SELECT count(*) FROM obby_search WHERE obby_search MATCH ?", words)
	}
	const insert = "INSERT INTO obby_search (rowid, file_path, content) SELECT id, file_path, content FROM file_versions WHERE id = ?"
	const remove = "INSERT INTO obby_search (obby_search, rowid, file_path, content) SELECT 'delete', id, file_path, content FROM file_versions WHERE id = ?"

	if got := found("milk"); got != 0 {
		t.Errorf("%d rows before anything was indexed", got)
	}
	mustExec(t, db, insert, sqlitetest.NoteFirst)
	mustExec(t, db, insert, sqlitetest.PlanVersion)
	mustExec(t, db, "INSERT INTO file_versions (id, file_path, content_hash, content, timestamp) VALUES (99, '/viet', ?, 'tiếng Việt', '2024-03-05 10:11:12')", sqlitetest.Hash("tiếng Việt"))
	mustExec(t, db, insert, 99)
	for words, want := range map[string]int{"milk": 1, "bread": 0, "todo": 1, `"cafe"`: 1, "plane": 1, "viet AND tieng": 1, "nothing": 0} {
		if got := found(words); got != want {
			t.Errorf("case 56: %s found %d times, want %d", words, got, want)
		}
	}
	mustExec(t, db, remove, sqlitetest.NoteFirst)
	mustExec(t, db, insert, sqlitetest.NoteSecond)
	if milk, bread := found("milk"), found("bread"); milk != 1 || bread != 1 {
		t.Errorf("case 59: after the second version milk is found %d times and bread %d times, want once each", milk, bread)
	}
	got := scalar[string](t, reader(t, path),
		"SELECT snippet(obby_search, 1, '[', ']', '', 8) FROM obby_search WHERE obby_search MATCH 'bread' AND rowid = ?", sqlitetest.NoteSecond)
	if want := "buy milk\nbuy [bread]\n"; got != want {
		t.Errorf("snippet is %q, want %q", got, want)
	}
	mustExec(t, db, "INSERT INTO obby_search (obby_search) VALUES ('integrity-check')")
	if got := scalar[string](t, db, "PRAGMA integrity_check"); got != "ok" {
		t.Errorf("integrity_check: %s", got)
	}
}
