package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/obby/go-services/content-tracker/internal/store"
	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/sqlite"
)

// world is a tracker of a real folder over a real database.
type world struct {
	t         *testing.T
	root      string
	elsewhere string // where files may be restored to
	database  string
	store     *store.Store
	tracker   *track.Tracker
	read      *sql.DB // as another program would read the file
}

// maxContent is the size cap of the tests.
const maxContent = 1 << 20

func newWorld(t *testing.T, database string) *world {
	t.Helper()
	w := &world{t: t, root: t.TempDir(), elsewhere: t.TempDir(), database: database}
	if database == "" {
		w.database = filepath.Join(t.TempDir(), "obby.db")
	}
	w.write(".obbywatch", "*\n")
	w.store, w.tracker = w.open()
	var err error
	if w.read, err = sqlite.Reader(w.database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.read.Close() })
	return w
}

// open opens the database again, as a second process would.
func (w *world) open() (*store.Store, *track.Tracker) {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), w.database, true, prometheus.NewRegistry())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { s.Close() })
	return s, track.New(s, track.Config{Roots: []string{w.root}, RestoreTo: []string{w.elsewhere}, MaxContent: maxContent, Workers: 4}, slog.New(slog.DiscardHandler))
}

func (w *world) path(name string) string { return filepath.Join(w.root, name) }

func (w *world) write(name, text string) {
	w.t.Helper()
	path := w.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) rename(from, to string) {
	w.t.Helper()
	if err := os.Rename(w.path(from), w.path(to)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(name string) {
	w.t.Helper()
	if err := os.RemoveAll(w.path(name)); err != nil {
		w.t.Fatal(err)
	}
}

// track tracks a file and returns what happened in short: "modified +1 -0".
func (w *world) track(name string) string { return w.trackMove("", name) }

func (w *world) trackMove(from, name string) string {
	w.t.Helper()
	r := track.Request{Path: w.path(name)}
	if from != "" {
		r.OldPath = w.path(from)
	}
	result, err := w.tracker.Track(w.t.Context(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	return short(result)
}

func short(r track.Result) string {
	if !r.Recorded {
		return "unchanged"
	}
	return fmt.Sprintf("%s +%d -%d", r.Type, r.Diff.Added, r.Diff.Removed)
}

func (w *world) failing(name string) error {
	w.t.Helper()
	result, err := w.tracker.Track(w.t.Context(), track.Request{Path: w.path(name)})
	if err == nil {
		w.t.Fatalf("tracking %q went well: %s", name, short(result))
	}
	return err
}

// expect compares two values and says what they are of.
func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// one reads one value from the database.
func one[T any](w *world, query string, args ...any) T {
	w.t.Helper()
	var value T
	if err := w.read.QueryRowContext(w.t.Context(), query, args...).Scan(&value); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return value
}

// steps lists the recorded steps of a file, oldest first, each with its versions.
func (w *world) steps(name string) string {
	w.t.Helper()
	return one[string](w, `SELECT ifnull(group_concat(step, ', '), '') FROM (
		SELECT change_type || ' ' || ifnull(old_version_id, '-') || '>' || ifnull(new_version_id, '-') AS step
		FROM content_diffs WHERE file_path = ? ORDER BY id)`, w.path(name))
}

// found says whether the search index finds a word.
func (w *world) found(word string) bool {
	return one[int](w, `SELECT count(*) FROM obby_search WHERE obby_search MATCH ?`, word) > 0
}

// sound proves that the database is whole and every stored diff has its versions.
func (w *world) sound() {
	w.t.Helper()
	expect(w.t, "integrity_check", integrity(w.t, w.database), "ok")
	expect(w.t, "steps without their version", one[int](w, `SELECT count(*) FROM content_diffs d WHERE
		d.new_version_id NOT IN (SELECT id FROM file_versions) OR d.old_version_id NOT IN (SELECT id FROM file_versions)`), 0)
	expect(w.t, "paths whose state has no version", one[int](w, `SELECT count(*) FROM file_states s WHERE s.content_hash IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM file_versions v WHERE v.file_path = s.file_path AND v.content_hash = s.content_hash)`), 0)
	expect(w.t, "live paths that the index lacks", one[int](w, `SELECT count(*) FROM file_states s WHERE s.content_hash IS NOT NULL
		AND s.file_path NOT IN (SELECT file_path FROM obby_indexed)
		AND EXISTS (SELECT 1 FROM file_versions v WHERE v.file_path = s.file_path AND v.content_hash = s.content_hash AND v.content IS NOT NULL)`), 0)
}

// integrity asks a connection of its own: on one that has read the search index
// before, FTS5 checks what it remembers of it, which a merge has changed since.
func integrity(t *testing.T, database string) (answer string) {
	t.Helper()
	db, err := sqlite.Reader(database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func (w *world) reconcile(accept bool) (track.Progress, error) {
	var last track.Progress
	err := w.tracker.Reconcile(context.Background(), w.root, accept, func(p track.Progress) { last = p })
	return last, err
}

func (w *world) mustReconcile() track.Progress {
	w.t.Helper()
	p, err := w.reconcile(false)
	if err != nil {
		w.t.Fatal(err)
	}
	if !p.Done {
		w.t.Error("the last report is not Done")
	}
	return p
}

func lines(n int) string { return strings.Repeat("line\n", n) }
