package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/sqlitetest"
	"github.com/obby/go-services/query-service/internal/query"
)

func names(t *testing.T, s *Store, dir string, at time.Time, after string, limit int) (names []string, more bool) {
	t.Helper()
	page, err := s.FilesAt(t.Context(), dir, at, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range page.Items {
		names = append(names, v.Path)
	}
	return names, page.More
}

func TestFilesAt(t *testing.T) {
	s, db := fresh(t)
	clock := time.Date(2024, 3, 6, 12, 0, 0, 0, time.Local)
	hour := func(n int) time.Time { return clock.Add(time.Duration(n) * time.Hour) }
	at := func(n int, kind, path string, version int64) int64 {
		var v any
		if version != 0 {
			v = version
		}
		return exec(t, db, `INSERT INTO content_diffs (file_path, change_type, new_version_id, timestamp) VALUES (?, ?, ?, ?)`,
			rawpath.Encode(path), kind, v, sqlite.FormatTime(hour(n)))
	}
	odd := "/d/odd\xff"
	at(1, "created", "/d/a", record(t, db, "/d/a", "1"))
	at(2, "modified", "/d/a", record(t, db, "/d/a", "2"))
	at(1, "created", "/d/b", record(t, db, "/d/b", "b"))
	at(3, "deleted", "/d/b", 0)
	at(1, "created", "/d/c", record(t, db, "/d/c", "c"))
	moved := at(3, "moved", "/d/sub/c", record(t, db, "/d/sub/c", "c"))
	exec(t, db, `INSERT INTO obby_diffs (diff_id, old_path) VALUES (?, '/d/c')`, moved)
	at(5, "created", "/d/c", record(t, db, "/d/c", "again"))
	at(2, "created", odd, record(t, db, odd, "odd"))
	at(2, "created", "/d-beside", record(t, db, "/d-beside", "x"))
	legacy := record(t, db, "/d/without-steps", "y")
	exec(t, db, `UPDATE file_versions SET timestamp = ? WHERE id = ?`, sqlite.FormatTime(hour(2)), legacy)
	for _, tc := range []struct {
		dir  string
		at   time.Time
		want []string
	}{
		{"/d", hour(0), nil},
		{"/d", hour(1), []string{"/d/a", "/d/b", "/d/c"}},
		{"/d", hour(2), []string{"/d/a", "/d/b", "/d/c", odd, "/d/without-steps"}},
		{"/d", hour(3).Add(-time.Microsecond), []string{"/d/a", "/d/b", "/d/c", odd, "/d/without-steps"}},
		{"/d", hour(3), []string{"/d/a", odd, "/d/sub/c", "/d/without-steps"}},
		{"/d", hour(6), []string{"/d/a", "/d/c", odd, "/d/sub/c", "/d/without-steps"}},
		{"/d/a", hour(6), []string{"/d/a"}},
		{"/d/sub", hour(6), []string{"/d/sub/c"}},
		{"/", hour(1), []string{"/d/a", "/d/b", "/d/c"}},
		{"/", hour(2), []string{"/d-beside", "/d/a", "/d/b", "/d/c", odd, "/d/without-steps"}},
	} {
		t.Run(fmt.Sprint(tc.dir, " at ", tc.at.Format(time.TimeOnly)), func(t *testing.T) {
			got, _ := names(t, s, tc.dir, tc.at, "", 100)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			var paged []string
			for after, more := "", true; more; {
				var page []string
				page, more = names(t, s, tc.dir, tc.at, after, 2)
				if paged = append(paged, page...); more {
					after = page[1]
				}
			}
			if diff := cmp.Diff(tc.want, paged); diff != "" {
				t.Errorf("files in pages of two (-want +got):\n%s", diff)
			}
		})
	}
	page, err := s.FilesAt(t.Context(), "/d/a", hour(1), "", 1)
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != 1 {
		t.Errorf("the version of then is %+v, %v", page.Items, err)
	}
}

func TestMarked(t *testing.T) {
	s, db := fresh(t)
	first, second := record(t, db, "/a/x", "1"), record(t, db, "/b", "2")
	exec(t, db, `INSERT INTO obby_labels (version_id, label, pinned) VALUES (?, 'draft', 0), (?, '', 1)`, first, second)
	for _, tc := range []struct {
		prefix string
		before int64
		want   []string
	}{
		{"", 0, []string{"/b \"\" true", "/a/x \"draft\" false"}}, {"", 2, []string{"/a/x \"draft\" false"}}, {"/a", 0, []string{"/a/x \"draft\" false"}}, {"/c", 0, nil},
	} {
		page, err := s.Labels(t.Context(), tc.prefix, tc.before, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range page.Items {
			got = append(got, fmt.Sprintf("%s %q %t", m.Path, m.Label, m.Pinned))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("below %q before %d (-want +got):\n%s", tc.prefix, tc.before, diff)
		}
	}
	versions, err := s.Versions(t.Context(), query.VersionQuery{Path: "/a/x", Limit: 10})
	if err != nil || versions.Items[0].Label != "draft" {
		t.Errorf("versions are %+v, %v", versions, err)
	}
}

// Blocks that are later than the time are passed over; the files are the same.
func TestFilesAtOfBlocks(t *testing.T) {
	for seed := range uint64(6) {
		s, db := fresh(t)
		rng := rand.New(rand.NewPCG(seed, 3))
		scatter(t, db, rng, 300)
		exec(t, db, "INSERT INTO file_versions (id, file_path, content_hash, timestamp) SELECT id, file_path, printf('%064d', id), timestamp FROM content_diffs")
		exec(t, db, "UPDATE content_diffs SET new_version_id = id WHERE change_type <> 'deleted'")
		noon := time.Date(2024, 3, 5, 12, 0, 0, 0, time.Local)
		at := func() (found []string) {
			for minute := -10; minute < 400; minute += 7 {
				page, err := s.FilesAt(t.Context(), "/", noon.Add(time.Duration(minute)*time.Minute), "", 100)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range page.Items {
					found = append(found, fmt.Sprint(minute, v.Path, v.ID))
				}
			}
			return found
		}
		packed := at()
		exec(t, db, "DELETE FROM obby_steps")
		if diff := cmp.Diff(at(), packed); diff != "" {
			t.Errorf("(-without +with blocks):\n%s", diff)
		}
	}
}

// The statement has a WITH clause, and stand-ins for what a file lacks are one, too.
func TestVersionAtOfAFileThatLacksATable(t *testing.T) {
	path := sqlitetest.Legacy(t)
	db := sqlitetest.Adopted(t, path)
	exec(t, db, "DROP TABLE semantic_keywords")
	version := exec(t, db, `INSERT INTO file_versions (file_path, content_hash, timestamp) VALUES ('/v.md', ?, '2024-03-05 10:00:00')`, strings.Repeat("a", 64))
	s := serve(t, path)
	if got, err := s.VersionAt(t.Context(), "/v.md", time.Date(2024, 3, 6, 0, 0, 0, 0, time.Local)); got != version || err != nil {
		t.Errorf("it was version %d, %v, want %d", got, err, version)
	}
}
