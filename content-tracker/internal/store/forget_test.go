package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/obby/go-services/content-tracker/internal/store"
	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/sqlitetest"
)

// traces returns which of the database's files hold the bytes.
func (w *world) traces(secret string) (found []string) {
	w.t.Helper()
	for _, end := range []string{"", "-wal"} {
		body, err := os.ReadFile(w.database + end)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			w.t.Fatal(err)
		}
		if bytes.Contains(bytes.ToLower(body), []byte(secret)) {
			found = append(found, "database"+end)
		}
	}
	return found
}

func TestForget(t *testing.T) {
	w := newWorld(t, "")
	const secret = "hunter2secret"
	var filler []string
	for i := range 40 { // enough for several segments of the index
		filler = append(filler, fmt.Sprintf("%s %d %s\n", secret, i, strings.Repeat("filler ", i)))
	}
	w.edit("secret/a", filler...)
	w.edit("secret/b", "\x00"+secret, "b\n")
	w.edit("beside", "kept\n", "kept too\n")
	w.rename("secret/b", "moved")
	w.trackMove("secret/b", "moved")
	w.remove("secret/a")
	w.track("secret/a")
	w.packer()(true)
	w.read.Close() // a reader would keep the log from being emptied
	if len(w.traces(secret)) == 0 {
		t.Fatal("the test does not find the secret before")
	}
	s, tracker := w.store, w.tracker
	for _, x := range []struct {
		scope           track.Scope
		paths           int
		versions, steps int64
		linked          []string
	}{
		{track.Scope{Path: w.path("secret/a")}, 1, 40, 41, nil},
		{track.Scope{Path: w.path("secret"), Recursive: true}, 1, 2, 2, []string{w.path("moved")}},
	} {
		for _, dry := range []bool{true, false} {
			gone, err := tracker.Forget(t.Context(), x.scope, dry, false)
			if err != nil {
				t.Fatal(err)
			}
			if len(gone.Paths) != x.paths || gone.Versions != x.versions || gone.Steps != x.steps || !slices.Equal(gone.Linked, x.linked) || len(gone.Existing) > 0 {
				t.Errorf("dry %t: forgotten: %+v", dry, gone)
			}
		}
		if _, err := tracker.Forget(t.Context(), x.scope, false, false); !errors.Is(err, track.ErrNotFound) {
			t.Errorf("forgotten again: %v", err)
		}
	}
	if err := s.Vacuum(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := w.traces(secret); len(found) > 0 {
		t.Errorf("the secret is still in %v", found)
	}
	if found := w.traces("secret/"); len(found) > 0 {
		t.Errorf("the path is still in %v", found)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w.store, w.tracker = w.open()
	db, err := sql.Open("sqlite3", w.database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w.read = db
	expect(t, "steps of the moved file", w.steps("moved"), fmt.Sprintf("created ->%d", one[int](w, `SELECT id FROM file_versions WHERE file_path = ?`, w.path("moved"))))
	w.line("moved")
	w.line("beside")
	expect(t, "found: kept", w.found("kept"), true)
	w.sound()
}

// A file that exists is recorded anew; a step that was made from the forgotten
// history is not recorded.
func TestForgetExisting(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "1\n", "2\n")
	gone, err := w.tracker.Forget(t.Context(), track.Scope{Path: w.path("a")}, false, false)
	if err != nil || !slices.Equal(gone.Existing, []string{w.path("a")}) {
		t.Errorf("forgotten: %+v, %v", gone, err)
	}
	expect(t, "tracked again", w.track("a"), "created +1 -0")
	w.write("a", "3\n")
	head, err := w.store.Head(t.Context(), w.path("a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.tracker.Forget(t.Context(), track.Scope{Path: w.path("a")}, false, false); err != nil {
		t.Fatal(err)
	}
	_, err = w.store.Record(t.Context(), track.Step{Path: w.path("a"), Type: track.Deleted, From: head})
	if !errors.Is(err, track.ErrStale) {
		t.Errorf("a step from a forgotten head: %v", err)
	}
	w.sound()
}

// TestForgetDestination: a file that went to a forgotten path is gone from its own.
func TestForgetDestination(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "1\n")
	w.rename("a", "b")
	w.trackMove("a", "b")
	w.rename("b", "c")
	w.trackMove("b", "c")
	now := time.Now()
	dry, err := w.tracker.Forget(t.Context(), track.Scope{Path: w.path("b")}, true, false)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "steps of a after a dry run", w.steps("a"), "created ->1")
	if _, err := w.store.Forget(t.Context(), track.Scope{Path: w.path("b")}, nil, false); !errors.Is(err, track.ErrStale) {
		t.Errorf("without a move that was recorded meanwhile: error is %v", err)
	}
	gone, err := w.tracker.Forget(t.Context(), track.Scope{Path: w.path("b")}, false, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dry, gone); diff != "" {
		t.Errorf("forgotten (-dry +real):\n%s", diff)
	}
	expect(t, "linked", strings.Join(gone.Linked, " "), w.path("a")+" "+w.path("c"))
	expect(t, "steps of a", w.steps("a"), "created ->1, deleted 1>-")
	expect(t, "steps of c", w.steps("c"), "created ->3")
	w.line("a")
	w.line("c")
	files, err := w.store.FilesAt(t.Context(), w.path("a"), now)
	if err != nil || len(files) > 0 {
		t.Errorf("at a there is then %v, %v", files, err)
	}
	if there, err := w.store.LoggedAt(t.Context(), w.path("a"), now); there || err != nil {
		t.Errorf("the change log says that a is there: %t, %v", there, err)
	}
	expect(t, "rows that name b", one[int](w, `SELECT (SELECT count(*) FROM file_changes WHERE file_path = ?1)
		+ (SELECT count(*) FROM content_diffs WHERE file_path = ?1) + (SELECT count(*) FROM obby_diffs WHERE old_path IS NOT NULL)`, w.path("b")), 0)
	w.write("a", "2\n")
	expect(t, "a again", w.track("a"), "created +1 -0")
	w.sound()
}

// Paths share the bytes of equal contents.
func TestForgetKeepsWhatOthersHave(t *testing.T) {
	w := newWorld(t, "")
	for _, name := range []string{"a", "b"} {
		w.edit(name, "\x00bytes", "\x00other")
	}
	version := one[int64](w, `SELECT min(id) FROM file_versions WHERE file_path = ?`, w.path("b"))
	if _, err := w.tracker.Forget(t.Context(), track.Scope{Path: w.path("a")}, false, false); err != nil {
		t.Fatal(err)
	}
	expect(t, "restored", w.restore(track.Restoration{Version: version}), "b: written as a step")
	expect(t, "b", w.disk("b"), "\x00bytes")
}

// The Python side's rows of a path go too.
func TestForgetLegacy(t *testing.T) {
	path := sqlitetest.Legacy(t)
	s, err := store.Open(t.Context(), path, false, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Forget(t.Context(), track.Scope{Path: sqlitetest.NotePath}, nil, false); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"file_versions", "content_diffs", "file_changes", "file_states", "semantic_entries"} {
		var n, others int
		if err := db.QueryRowContext(t.Context(), `SELECT count(*) FILTER (WHERE file_path = ?1), count(*) FILTER (WHERE file_path <> ?1) FROM `+table,
			sqlitetest.NotePath).Scan(&n, &others); err != nil {
			t.Fatal(err)
		}
		if n > 0 || others == 0 {
			t.Errorf("%s has %d rows of the path and %d of others", table, n, others)
		}
	}
}
