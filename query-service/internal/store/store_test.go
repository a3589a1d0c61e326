package store

import (
	"database/sql"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

// serve returns the store of the database at path, opened as Run would.
func serve(t testing.TB, path string) *Store {
	t.Helper()
	s := New(path, slog.New(slog.DiscardHandler), func(error) {})
	s.check(t.Context())
	if s.why != nil {
		t.Fatalf("open %s: %v", path, s.why)
	}
	t.Cleanup(func() { s.swap(nil, query.ErrUnavailable) })
	return s
}

// fresh returns the store of an empty adopted database, and the writer.
func fresh(t testing.TB) (*Store, *sql.DB) {
	t.Helper()
	path, db := sqlitetest.New(t)
	return serve(t, path), db
}

func exec(t testing.TB, db *sql.DB, statement string, args ...any) int64 {
	t.Helper()
	result, err := db.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	id, err := result.LastInsertId()
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return id
}

// step records a step at a time in any stored form.
func step(t testing.TB, db *sql.DB, path, kind string, at any) int64 {
	t.Helper()
	return exec(t, db, `INSERT INTO content_diffs (file_path, change_type, diff_content, lines_added, lines_removed, timestamp)
		VALUES (?, ?, 'diff', 1, 2, ?)`, rawpath.Encode(path), kind, at)
}

// record makes text the newest version and head of a path, indexed, and returns
// the version's id.
func record(t testing.TB, db *sql.DB, path, text string) int64 {
	t.Helper()
	exec(t, db, `INSERT INTO obby_search (obby_search, rowid, file_path, content) SELECT 'delete', v.id, v.file_path, v.content
		FROM file_versions v JOIN obby_indexed i ON i.version_id = v.id WHERE i.file_path = ?`, rawpath.Encode(path))
	id := exec(t, db, `INSERT INTO file_versions (file_path, content_hash, content, line_count, timestamp) VALUES (?, ?, ?, 1, ?)`,
		rawpath.Encode(path), sqlitetest.Hash(text), text, sqlitetest.TimeMicros)
	exec(t, db, `INSERT INTO file_states (file_path, content_hash, last_modified) VALUES (?, ?, ?)
		ON CONFLICT (file_path) DO UPDATE SET content_hash = excluded.content_hash`, rawpath.Encode(path), sqlitetest.Hash(text), sqlitetest.TimeMicros)
	exec(t, db, `INSERT INTO obby_search (rowid, file_path, content) SELECT id, file_path, content FROM file_versions WHERE id = ?`, id)
	exec(t, db, `INSERT OR REPLACE INTO obby_indexed (file_path, version_id) VALUES (?, ?)`, rawpath.Encode(path), id)
	return id
}

// at returns the instant that a stored time means.
func at(t testing.TB, stored any) time.Time {
	t.Helper()
	if i, ok := stored.(int); ok {
		stored = int64(i)
	}
	instant, ok := sqlite.ParseTime(stored)
	if !ok {
		t.Fatalf("%v is not a time", stored)
	}
	return instant.UTC()
}

func diffs(t testing.TB, s *Store, q query.DiffQuery) query.Page[query.Diff] {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	page, err := s.Diffs(t.Context(), q)
	if err != nil {
		t.Fatalf("diffs: %v", err)
	}
	return page
}

func ids(page query.Page[query.Diff]) []int64 {
	var ids []int64
	for _, d := range page.Items {
		ids = append(ids, d.ID)
	}
	return ids
}

var wholeRange = query.Range{From: time.UnixMicro(math.MinInt64 / 2), To: time.UnixMicro(math.MaxInt64 / 2)}

func counts(t testing.TB, s *Store, r query.Range, prefix string) string {
	t.Helper()
	stats, err := query.Summarize(t.Context(), s, r, prefix, 10, time.UTC)
	if err != nil {
		t.Fatalf("stats: %v", err)
	}
	return fmt.Sprintf("%d changes of %d files, +%d -%d", stats.Total.Changes, stats.Total.Files, stats.Total.Added, stats.Total.Removed)
}
