package e2e

import (
	"cmp"
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// history is what a database holds, read as any other program would.
type history struct{ db *sql.DB }

// inspect opens a copy of a database as a dead process left it: to open the file
// itself would already mend it.
func inspect(t *testing.T, database string, look func(*history)) {
	t.Helper()
	dir := t.TempDir()
	defer os.RemoveAll(dir) // not at the test's end: there may be hundreds
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(database + suffix)
		if os.IsNotExist(err) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "obby.db"+suffix), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "obby.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	look(&history{db})
}

func (h *history) number(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := h.db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// sound checks that SQLite finds no fault, and that the rows of each step came
// together.
func (h *history) sound(t *testing.T) {
	t.Helper()
	var verdict string
	if err := h.db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("integrity_check says %q, %v", verdict, err)
	}
	steps := h.number(t, `SELECT count(*) FROM content_diffs`)
	for _, table := range []string{"file_changes", "events"} {
		if n := h.number(t, `SELECT count(*) FROM `+table); n != steps {
			t.Errorf("%d rows in %s, %d steps", n, table, steps)
		}
	}
	for what, query := range map[string]string{
		"steps without their version": `SELECT count(*) FROM content_diffs d WHERE new_version_id IS NULL <> (change_type = 'deleted')
			OR new_version_id NOT IN (SELECT id FROM file_versions) OR old_version_id NOT IN (SELECT id FROM file_versions)`,
		"versions without a step":  `SELECT count(*) FROM file_versions WHERE id NOT IN (SELECT new_version_id FROM content_diffs WHERE new_version_id IS NOT NULL)`,
		"versions without details": `SELECT count(*) FROM file_versions WHERE id NOT IN (SELECT version_id FROM obby_versions)`,
		"states without a version": `SELECT count(*) FROM file_states s WHERE content_hash IS NOT NULL AND NOT EXISTS
			(SELECT 1 FROM file_versions v WHERE v.file_path = s.file_path AND v.content_hash = s.content_hash)`,
	} {
		if n := h.number(t, query); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}

// holds checks that what was acknowledged is there.
func (h *history) holds(t *testing.T, acked []*trackerv1.TrackChangeResponse) {
	t.Helper()
	for _, a := range acked {
		if id := a.GetVersion().GetVersionId(); id != 0 && h.number(t, `SELECT count(*) FROM file_versions
			WHERE id = ? AND content_hash = ?`, id, a.GetVersion().GetContentHash()) != 1 {
			t.Errorf("version %d was acknowledged and is not there", id)
		}
		if id := a.GetChangeId(); id != 0 && h.number(t, `SELECT count(*) FROM content_diffs
			WHERE id = ? AND ifnull(new_version_id, 0) = ?`, id, a.GetVersion().GetVersionId()) != 1 {
			t.Errorf("step %d was acknowledged and is not there", id)
		}
	}
}

// line checks that every path's steps are one line, each from where the one before
// it led, that every diff turns its old content into its new one, and that the
// states are where the lines end. It returns the number of steps.
func (h *history) line(t *testing.T) (steps int) {
	t.Helper()
	rows, err := h.db.QueryContext(t.Context(), `SELECT d.id, d.file_path, ifnull(o.old_path, ''), ifnull(d.old_version_id, 0),
			ifnull(d.new_version_id, 0), d.diff_content, ifnull(a.content, ''), ifnull(b.content, '')
		FROM content_diffs d LEFT JOIN obby_diffs o ON o.diff_id = d.id
		LEFT JOIN file_versions a ON a.id = d.old_version_id LEFT JOIN file_versions b ON b.id = d.new_version_id
		ORDER BY d.id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	heads := map[string]int64{}
	for rows.Next() {
		var id, from, to int64
		var path, oldPath, diff, a, b string
		if err := rows.Scan(&id, &path, &oldPath, &from, &to, &diff, &a, &b); err != nil {
			t.Fatal(err)
		}
		if head := heads[cmp.Or(oldPath, path)]; head != from {
			t.Errorf("step %d of %s leads from version %d, its head is %d", id, path, from, head)
		}
		delete(heads, oldPath)
		heads[path] = to
		if got, err := patched(a, diff); err != nil || got != b {
			t.Errorf("step %d: its diff makes of the old content %q, %v; the new one is %q", id, got, err, b)
		}
		steps++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(heads, func(_ string, version int64) bool { return version == 0 })
	if diff := gocmp.Diff(heads, h.heads(t)); diff != "" {
		t.Errorf("ends of the lines and states (-ends +states):\n%s", diff)
	}
	return steps
}

// heads returns the version that each live path's state names.
func (h *history) heads(t *testing.T) map[string]int64 {
	t.Helper()
	rows, err := h.db.QueryContext(t.Context(), `SELECT v.file_path, v.id FROM file_states s
		JOIN file_versions v ON v.file_path = s.file_path AND v.content_hash = s.content_hash`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	heads := map[string]int64{}
	for rows.Next() {
		var path string
		var version int64
		if err := rows.Scan(&path, &version); err != nil {
			t.Fatal(err)
		}
		heads[path] = version
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return heads
}
