package sqlite_test

import (
	"database/sql"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/sqlitetest"
)

// plain opens the file as a program that knows nothing of ours.
func plain(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func names(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	return strings.Fields(scalar[string](t, db, "SELECT coalesce(group_concat(name, ' '), '') FROM (SELECT name FROM sqlite_schema WHERE "+query+" ORDER BY name)"))
}

func TestAdoptFresh(t *testing.T) {
	_, db := sqlitetest.New(t)
	want := []string{
		"config_values", "content_diffs", "events", "file_changes", "file_states", "file_versions", "semantic_analysis",
		"semantic_entries", "semantic_keywords", "semantic_topics", "watch_patterns",
	}
	if diff := cmp.Diff(want, names(t, db, "type = 'table' AND name NOT GLOB 'obby_*' AND name NOT GLOB 'sqlite_*'")); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	own := []string{
		"obby_blobs", "obby_diffs", "obby_files", "obby_indexed", "obby_labels", "obby_meta", "obby_outbox", "obby_paths", "obby_requests", "obby_roots",
		"obby_schema", "obby_search", "obby_steps", "obby_versions",
	}
	if diff := cmp.Diff(own, names(t, db, "type = 'table' AND name GLOB 'obby_*' AND name NOT GLOB 'obby_search_*'")); diff != "" {
		t.Errorf("our tables (-want +got):\n%s", diff)
	}
	if got := names(t, db, "type = 'trigger' AND tbl_name NOT IN ('file_versions', 'events')"); len(got) > 0 {
		t.Errorf("unexpected triggers %v", got)
	}
	id := scalar[string](t, db, "SELECT value FROM obby_meta WHERE key = 'database_id'")
	if len(id) != 32 {
		t.Errorf("database_id is %q", id)
	}
	before := sqlitetest.Dump(t, db)
	if err := sqlite.Adopt(t.Context(), db); err != nil {
		t.Fatalf("second start: %v", err)
	}
	if diff := cmp.Diff(before, sqlitetest.Dump(t, db)); diff != "" {
		t.Errorf("the second start changed (-before +after):\n%s", diff)
	}
	if got := scalar[string](t, db, "SELECT value FROM obby_meta WHERE key = 'database_id'"); got != id {
		t.Errorf("database_id became %s, was %s", got, id)
	}
}

func TestAdoptLegacy(t *testing.T) {
	path := sqlitetest.Legacy(t)
	before := sqlitetest.Dump(t, plain(t, path))
	db := sqlitetest.Adopted(t, path)
	if diff := cmp.Diff(before, sqlitetest.Dump(t, plain(t, path))); diff != "" {
		t.Errorf("adoption changed (-before +after):\n%s", diff)
	}
	if got := scalar[int](t, db, "SELECT version FROM obby_schema WHERE component = 'store'"); got != 2 {
		t.Errorf("obby_schema has version %d", got)
	}
	if got := scalar[string](t, db, "PRAGMA integrity_check"); got != "ok" {
		t.Errorf("integrity_check: %s", got)
	}
}

// A file of the release before gets what it lacks and keeps its rows.
func TestAdoptOlderRelease(t *testing.T) {
	path, db := sqlitetest.New(t)
	mustExec(t, db, "DROP TABLE obby_steps")
	mustExec(t, db, "DROP TABLE obby_paths")
	mustExec(t, db, "UPDATE obby_schema SET version = 1")
	mustExec(t, db, "INSERT INTO obby_labels (version_id, label, pinned) VALUES (1, 'kept', 1)")
	id := scalar[string](t, db, "SELECT value FROM obby_meta WHERE key = 'database_id'")
	if err := sqlite.Verify(t.Context(), reader(t, path)); err != nil {
		t.Errorf("before the content-tracker has seen it: %v", err)
	}
	if err := sqlite.Adopt(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if got := names(t, db, "type = 'table' AND name IN ('obby_paths', 'obby_steps')"); len(got) != 2 {
		t.Errorf("case 41: the new tables are %v", got)
	}
	if got := scalar[string](t, db, "SELECT (SELECT version FROM obby_schema) || (SELECT label FROM obby_labels) || (SELECT value FROM obby_meta)"); got != "2kept"+id {
		t.Errorf("case 41: version, label and id are %s", got)
	}
}

// TestAdoptSameShape: a fresh file has every column of an old one, with the same
// type and constraints, except what legacy.sql says it has otherwise.
func TestAdoptSameShape(t *testing.T) {
	_, fresh := sqlitetest.New(t)
	legacy := sqlitetest.Adopted(t, sqlitetest.Legacy(t))
	for _, table := range []string{"file_versions", "content_diffs", "file_changes", "file_states", "semantic_topics", "semantic_keywords"} {
		shape := `SELECT group_concat(name || ' ' || type || ' ' || "notnull" || ' ' || pk, ', ') FROM pragma_table_info(?)
			WHERE name <> 'reviewed_by'`
		if diff := cmp.Diff(scalar[string](t, legacy, shape, table), scalar[string](t, fresh, shape, table)); diff != "" {
			t.Errorf("%s (-legacy +fresh):\n%s", table, diff)
		}
	}
}

func TestAdoptRefuses(t *testing.T) {
	for _, tc := range []struct {
		name, change string
		want         []string
	}{
		{"case 41: missing column", "ALTER TABLE content_diffs DROP COLUMN lines_removed", []string{"content_diffs", "lines_removed"}},
		{"case 41: missing table", "DROP TABLE file_states", []string{"file_states"}},
		{"case 41: required column", "CREATE TABLE e AS SELECT * FROM events; DROP TABLE events; CREATE TABLE events (id INTEGER PRIMARY KEY, type, path, timestamp, size, host TEXT NOT NULL)", []string{"events", "host"}},
		{"newer release", "CREATE TABLE obby_schema (component TEXT PRIMARY KEY, version INTEGER NOT NULL); INSERT INTO obby_schema VALUES ('store', 3)", []string{"newer release", "version 3"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := sqlitetest.Legacy(t)
			mustExec(t, plain(t, path), tc.change)
			before := sqlitetest.Dump(t, plain(t, path))
			db, err := sqlite.Create(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			err = sqlite.Adopt(t.Context(), db)
			for _, want := range tc.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error is %v, want it to name %s", err, want)
				}
			}
			if diff := cmp.Diff(before, sqlitetest.Dump(t, plain(t, path))); diff != "" {
				t.Errorf("the refusal changed (-before +after):\n%s", diff)
			}
			if err := sqlite.Verify(t.Context(), reader(t, path)); err == nil {
				t.Error("Verify accepts the file")
			}
		})
	}
}

func TestVerifyBeforeAdoption(t *testing.T) {
	if err := sqlite.Verify(t.Context(), reader(t, sqlitetest.Legacy(t))); err != nil {
		t.Errorf("a file that was not adopted yet: %v", err)
	}
}

func TestColumns(t *testing.T) {
	_, db := sqlitetest.New(t)
	columns, err := sqlite.Columns(t.Context(), db, "semantic_topics")
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(columns)); !slices.Equal(got, []string{"entry_id", "id", "topic"}) || columns["id"] || !columns["topic"] {
		t.Errorf("columns are %v", columns)
	}
	if columns, err := sqlite.Columns(t.Context(), db, "no_such_table"); err != nil || len(columns) > 0 {
		t.Errorf("columns of no table are %v, %v", columns, err)
	}
}

// TestTriggers runs the same rows against the triggers of a fresh file and of a
// legacy one.
func TestTriggers(t *testing.T) {
	now := time.Now()
	hash := sqlitetest.Hash("x")
	version := func(at any, hash string) []any {
		return []any{"INSERT INTO file_versions (file_path, content_hash, timestamp) VALUES ('/f', ?, ?)", hash, at}
	}
	event := func(at any) []any {
		return []any{"INSERT INTO events (type, path, timestamp) VALUES ('created', '/f', ?)", at}
	}
	_, fresh := sqlitetest.New(t)
	for name, db := range map[string]*sql.DB{"fresh": fresh, "legacy": sqlitetest.Adopted(t, sqlitetest.Legacy(t))} {
		for _, tc := range []struct {
			name string
			args []any
			want string // in the error; empty: accepted
		}{
			{"now", version(sqlite.FormatTime(now), hash), ""},
			{"in 23 hours", event(sqlite.FormatTime(now.Add(23 * time.Hour))), ""},
			{"in 2 days", version(sqlite.FormatTime(now.Add(48*time.Hour)), sqlitetest.Hash("y")), "future"},
			{"event in 2099", event("2099-01-01 00:00:00"), "future"},
			{"event in 2099 with T", event("2099-01-01T00:00:00.5"), "future"},
			{"seconds", event(now.Unix()), ""},
			{"short hash", version(sqlite.FormatTime(now), hash[1:]), "hash"},
			{"upper-case hash", version(sqlite.FormatTime(now), strings.ToUpper(hash)), "hash"},
		} {
			t.Run("case 33: "+name+"/"+tc.name, func(t *testing.T) {
				_, err := db.ExecContext(t.Context(), tc.args[0].(string), tc.args[1:]...)
				switch {
				case tc.want == "" && err != nil:
					t.Errorf("refused: %v", err)
				case tc.want != "" && (!sqlite.Constraint(err) || !strings.Contains(err.Error(), tc.want)):
					t.Errorf("error is %v, want a constraint about %s", err, tc.want)
				}
			})
		}
	}
}

func TestTriggersOnUpdate(t *testing.T) {
	_, fresh := sqlitetest.New(t)
	at := sqlite.FormatTime(time.Now())
	mustExec(t, fresh, "INSERT INTO file_versions (file_path, content_hash, timestamp) VALUES ('/f', ?, ?)", sqlitetest.Hash("x"), at)
	mustExec(t, fresh, "INSERT INTO events (type, path, timestamp) VALUES ('created', '/f', ?)", at)
	for _, update := range []string{
		"UPDATE file_versions SET timestamp = '2099-01-01 00:00:00'", "UPDATE file_versions SET content_hash = 'x'",
		"UPDATE events SET timestamp = strftime('%s', 'now') + 2 * 86400",
	} {
		if _, err := fresh.ExecContext(t.Context(), update); !sqlite.Constraint(err) {
			t.Errorf("%s: error is %v, want a constraint", update, err)
		}
	}
}
