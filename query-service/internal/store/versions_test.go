package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

func currents(t *testing.T, s *Store, path string) map[int64]bool {
	t.Helper()
	page, err := s.Versions(t.Context(), query.VersionQuery{Path: path, Limit: 1000})
	if err != nil {
		t.Fatalf("versions of %s: %v", path, err)
	}
	current := map[int64]bool{}
	for _, v := range page.Items {
		current[v.ID] = v.Current
	}
	return current
}

func TestVersionsHead(t *testing.T) {
	s, db := fresh(t)
	first, second := record(t, db, "/a", "A"), record(t, db, "/a", "B")
	if diff := cmp.Diff(map[int64]bool{first: false, second: true}, currents(t, s, "/a")); diff != "" {
		t.Errorf("two versions (-want +got):\n%s", diff)
	}
	exec(t, db, "UPDATE file_states SET content_hash = ?", sqlitetest.Hash("A"))
	if diff := cmp.Diff(map[int64]bool{first: true, second: false}, currents(t, s, "/a")); diff != "" {
		t.Errorf("case 11: back to the first content (-want +got):\n%s", diff)
	}
	exec(t, db, "UPDATE file_states SET content_hash = NULL")
	if diff := cmp.Diff(map[int64]bool{first: false, second: false}, currents(t, s, "/a")); diff != "" {
		t.Errorf("case 13: deleted (-want +got):\n%s", diff)
	}
	exec(t, db, "DELETE FROM file_states")
	if diff := cmp.Diff(map[int64]bool{first: false, second: true}, currents(t, s, "/a")); diff != "" {
		t.Errorf("a path without a state (-want +got):\n%s", diff)
	}
}

func TestVersionsPages(t *testing.T) {
	s, db := fresh(t)
	path := "/" + strings.Repeat("long/", 800)
	for i := range 300 {
		record(t, db, path, strings.Repeat("x", i))
	}
	var got int
	for before := int64(0); ; {
		page, err := s.Versions(t.Context(), query.VersionQuery{Path: path, Before: before, Limit: 1000})
		if err != nil || len(page.Items) == 0 {
			t.Fatalf("page before %d: %d items, %v", before, len(page.Items), err)
		}
		got += len(page.Items)
		before = page.Items[len(page.Items)-1].ID
		if !page.More {
			break
		}
		if len(page.Items) > query.PageBytes/len(path) {
			t.Errorf("case 51: a page has %d versions with paths of %d bytes", len(page.Items), len(path))
		}
	}
	if got != 300 {
		t.Errorf("%d versions came, want 300", got)
	}
}

// A description that somebody made long is cut, so that it does not fill memory and pages.
func TestVersionsLongDescription(t *testing.T) {
	s, db := fresh(t)
	id := record(t, db, "/a", "x")
	exec(t, db, "UPDATE file_versions SET change_description = ?", strings.Repeat("é", 100_000))
	exec(t, db, "INSERT INTO content_diffs (file_path, new_version_id, change_type, timestamp) VALUES ('/a', ?, 'created', 1)", id)
	want := strings.Repeat("é", 1000)
	for _, q := range []query.VersionQuery{{Path: "/a", Limit: 1}, {Filter: query.Filter{Prefix: "/"}, Limit: 1}} {
		if page, err := s.Versions(t.Context(), q); err != nil || len(page.Items) != 1 || page.Items[0].Description != want {
			t.Errorf("%+v: %d versions, %v, want one with a description of 1,000 characters", q, len(page.Items), err)
		}
	}
	if files, err := s.FilesAt(t.Context(), "/", time.Now(), "", 1); err != nil || len(files.Items) != 1 || files.Items[0].Description != want {
		t.Errorf("of a folder came %d files, %v, want one with a description of 1,000 characters", len(files.Items), err)
	}
}

func TestVersionsNotFound(t *testing.T) {
	s, db := fresh(t)
	step(t, db, "/stepped", "deleted", 1)
	if _, err := s.Versions(t.Context(), query.VersionQuery{Path: "/never", Limit: 10}); !errors.Is(err, query.ErrPathNotFound) {
		t.Errorf("a path that was never recorded gave %v", err)
	}
	if page, err := s.Versions(t.Context(), query.VersionQuery{Path: "/stepped", Limit: 10}); err != nil || len(page.Items) != 0 {
		t.Errorf("a path without versions gave %v, %v", page, err)
	}
}

func TestContent(t *testing.T) {
	s, db := fresh(t)
	mtime := time.Date(2024, 3, 5, 1, 2, 3, 456789012, time.UTC)
	add := func(name, kind string, content any, size int) int64 {
		hash := sqlitetest.Hash(name)
		id := exec(t, db, `INSERT INTO file_versions (file_path, content_hash, content, line_count, timestamp, change_description)
			VALUES (?, ?, ?, 1, 'unreadable', 'File created')`, "/"+name, hash, content)
		if kind != "" {
			exec(t, db, "INSERT INTO obby_versions (version_id, kind, eol, size_bytes, mtime_ns) VALUES (?, ?, 'lf', ?, ?)", id, kind, size, mtime.UnixNano())
		}
		return id
	}
	exec(t, db, "INSERT INTO obby_blobs (content_hash, data) VALUES (?, x'e9'), (?, x'00ff')", sqlitetest.Hash("lossy"), sqlitetest.Hash("binary"))
	for _, tc := range []struct {
		name, kind string
		stored     any
		want       string
		err        error
	}{
		{"text", "text", "a\n", "a\n", nil},
		{"empty", "text", "", "", nil},
		{"lossy", "lossy", "\uFFFD", "\xe9", nil},
		{"binary", "binary", nil, "\x00\xff", nil},
		{"python", "", "b\n", "b\n", nil},
		{"nothing", "", nil, "", query.ErrContentNotKept},
		{"omitted", "omitted", nil, "", query.ErrContentNotKept},
		{"large", "text", strings.Repeat("x", query.MaxContent+1), "", query.ErrContentTooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id := add(tc.name, tc.kind, tc.stored, 7)
			version, content, err := s.Content(t.Context(), id)
			if string(content) != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("content is %q, %v, want %q, %v", content, err, tc.want, tc.err)
			}
			want := query.Version{
				ID: id, Path: "/" + tc.name, Hash: sqlitetest.Hash(tc.name), Lines: 1,
				Kind: query.Kind(tc.kind), Description: "File created", Current: true,
			}
			if tc.kind != "" {
				want.Bytes, want.ModTime = new(int64), mtime
				*want.Bytes = 7
			}
			if diff := cmp.Diff(want, version); diff != "" {
				t.Errorf("version (-want +got):\n%s", diff)
			}
		})
	}
	if _, _, err := s.Content(t.Context(), 1000); !errors.Is(err, query.ErrVersionNotFound) {
		t.Errorf("no version gave %v", err)
	}
}
