package store_test

import (
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
)

func TestHistory(t *testing.T) {
	t.Run("case 3: only the line ends change", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("a", "x\r\ny\r\n")
		expect(t, "first", w.track("a"), "created +2 -0")
		w.write("a", "x\ny\n")
		expect(t, "second", w.track("a"), "unchanged")
		expect(t, "steps", w.steps("a"), "created ->1")
	})
	t.Run("case 7: binary", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("a", "x\x00y")
		expect(t, "first", w.track("a"), "created +0 -0")
		w.write("a", "x\x00z")
		expect(t, "second", w.track("a"), "modified +0 -0")
		expect(t, "diff", one[string](w, `SELECT diff_content FROM content_diffs ORDER BY id DESC`), "Binary files a/a and b/a differ\n")
		expect(t, "text", one[bool](w, `SELECT content IS NULL FROM file_versions WHERE id = 2`), true)
		expect(t, "bytes", one[string](w, `SELECT CAST(data AS TEXT) FROM obby_blobs b JOIN file_versions v USING (content_hash) WHERE v.id = 1`), "x\x00y")
	})
	t.Run("case 6: Latin-1", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("a", "caf\xe9\n")
		expect(t, "first", w.track("a"), "created +1 -0")
		expect(t, "text", one[string](w, `SELECT content FROM file_versions`), "caf\uFFFD\n")
		expect(t, "bytes", one[string](w, `SELECT CAST(data AS TEXT) FROM obby_blobs`), "caf\xe9\n")
		w.write("a", "caf\xe8\n")
		expect(t, "second", w.track("a"), "modified +1 -1")
	})
	t.Run("case 9: emptied and filled", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("a", "x\n")
		w.track("a")
		w.write("a", "")
		expect(t, "emptied", w.track("a"), "modified +0 -1")
		w.write("a", "x\ny\n")
		expect(t, "filled", w.track("a"), "modified +2 -0")
	})
	t.Run("case 11: A, B, A, B", func(t *testing.T) {
		w := newWorld(t, "")
		for _, text := range []string{"A\n", "B\n", "A\n", "B\n"} {
			w.write("a", text)
			w.track("a")
		}
		expect(t, "steps", w.steps("a"), "created ->1, modified 1>2, modified 2>1, modified 1>2")
		expect(t, "rows of the change log", one[int](w, `SELECT count(*) FROM file_changes`), 4)
		w.sound()
	})
	t.Run("case 12: one content at two paths", func(t *testing.T) {
		w := newWorld(t, "")
		for _, name := range []string{"a", "b"} {
			w.write(name, "x\x00")
			w.track(name)
		}
		expect(t, "versions", one[int](w, `SELECT count(*) FROM file_versions`), 2)
		expect(t, "blobs", one[int](w, `SELECT count(*) FROM obby_blobs`), 1)
	})
	t.Run("cases 13 and 14: deleted twice, created again", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("a", "findme\nx\n")
		w.track("a")
		w.remove("a")
		expect(t, "deleted", w.track("a"), "deleted +0 -2")
		expect(t, "deleted again", w.track("a"), "unchanged")
		expect(t, "state", one[bool](w, `SELECT content_hash IS NULL FROM file_states`), true)
		expect(t, "found while deleted", w.found("findme"), false)
		diff := one[string](w, `SELECT diff_content FROM content_diffs ORDER BY id DESC`)
		expect(t, "diff ends at /dev/null", strings.HasPrefix(diff, "--- a/a\n+++ /dev/null\n@@ -1,2 +0,0 @@\n"), true)
		w.write("a", "findme\nx\n")
		expect(t, "created again", w.track("a"), "created +2 -0")
		expect(t, "steps", w.steps("a"), "created ->1, deleted 1>-, created ->1")
		expect(t, "found again", w.found("findme"), true)
		w.sound()
	})
	t.Run("case 17: renamed", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("a", "findme\n")
		w.track("a")
		w.rename("a", "b")
		expect(t, "without an edit", w.trackMove("a", "b"), "moved +0 -0")
		w.rename("b", "c")
		w.write("c", "findme\nmore\n")
		expect(t, "with an edit", w.trackMove("b", "c"), "moved +1 -0")
		expect(t, "steps of the new path", w.steps("c"), "moved 2>3")
		expect(t, "old path", one[string](w, `SELECT old_path FROM obby_diffs ORDER BY diff_id DESC`), w.path("b"))
		expect(t, "live paths", one[int](w, `SELECT count(*) FROM file_states WHERE content_hash IS NOT NULL`), 1)
		expect(t, "index entries", one[int](w, `SELECT count(*) FROM obby_search WHERE obby_search MATCH 'findme'`), 1)
		expect(t, "the hint repeated", w.trackMove("b", "c"), "unchanged")
		w.sound()
	})
	t.Run("case 17: renamed and gone", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("a", "x\n")
		w.track("a")
		w.remove("a")
		expect(t, "what is certain", w.trackMove("a", "b"), "deleted +0 -1")
	})
	t.Run("a directory is renamed", func(t *testing.T) {
		w := newWorld(t, "")
		for _, name := range []string{"d/a", "d/sub/b", "dx"} {
			w.write(name, name)
			w.track(name)
		}
		w.rename("d", "e")
		if n, err := w.tracker.MoveDirectory(t.Context(), w.path("d"), w.path("e")); n != 2 || err != nil {
			t.Errorf("MoveDirectory recorded %d steps, %v", n, err)
		}
		expect(t, "steps", one[int](w, `SELECT count(*) FROM content_diffs WHERE file_path = ? AND change_type = 'moved' AND old_version_id = 2`, w.path("e/sub/b")), 1)
		expect(t, "the neighbour", w.steps("dx"), "created ->3")
		// A file of the old name whose event came too late: it had moved already.
		w.write("e/late", "late\n")
		w.write("e/a", "edited\n")
		w.rename("e", "f")
		if err := w.failing("e/late"); !errors.Is(err, track.ErrNotFound) {
			t.Errorf("error is %v", err)
		}
		expect(t, "the edited file under its old name", w.track("e/a"), "deleted +0 -1")
		if n, err := w.tracker.MoveDirectory(t.Context(), w.path("e"), w.path("f")); n != 1 || err != nil {
			t.Errorf("MoveDirectory recorded %d moves, %v", n, err)
		}
		for _, name := range []string{"f/late", "f/a", "f/sub/b"} {
			expect(t, name, w.track(name), "unchanged")
		}
	})
	t.Run("case 20: over the cap", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("a", lines(maxContent/4))
		expect(t, "first", w.track("a"), "created +0 -0")
		expect(t, "text", one[bool](w, `SELECT content IS NULL FROM file_versions`), true)
		expect(t, "kind", one[string](w, `SELECT kind FROM obby_versions`), "omitted")
	})
	t.Run("case 31: odd names", func(t *testing.T) {
		w := newWorld(t, "")
		for _, name := range []string{"with blank", "tab\there", "new\nline", "caf\xe9", "-dash", strings.Repeat("n", 255)} {
			w.write(name, "x\n")
			expect(t, name, w.track(name), "created +1 -0")
			expect(t, name, w.track(name), "unchanged")
		}
		expect(t, "paths that are not UTF-8 text", one[int](w, `SELECT count(*) FROM file_versions WHERE file_path LIKE '%'||char(65533)||'%'`), 0)
	})
	t.Run("case 33: times of files", func(t *testing.T) {
		w := newWorld(t, "")
		for name, at := range map[string]time.Time{"future": time.Now().AddDate(80, 0, 0), "past": time.Unix(-1e9, 5)} {
			w.write(name, "x\n")
			if err := os.Chtimes(w.path(name), at, at); err != nil {
				t.Fatal(err)
			}
			expect(t, name, w.track(name), "created +1 -0")
			expect(t, name, one[int64](w, `SELECT mtime_ns FROM obby_files WHERE file_path = ?`, w.path(name)), at.UnixNano())
		}
	})
}

func TestDiskDecides(t *testing.T) {
	w := newWorld(t, "")
	w.write("a", "x\n")
	w.track("a")
	t.Run("case 16: cannot be read", func(t *testing.T) {
		// Nothing is unreadable to root but what a loop of symlinks leads to.
		w.write("loop/a", "x\n")
		w.track("loop/a")
		w.remove("loop")
		if err := os.Symlink("loop", w.path("loop")); err != nil {
			t.Fatal(err)
		}
		if err := w.failing("loop/a"); !errors.Is(err, track.ErrUnreadable) {
			t.Errorf("error is %v", err)
		}
		expect(t, "steps", strings.Count(w.steps("loop/a"), ">"), 1)
		w.remove("loop")
	})
	t.Run("case 27: symlinks", func(t *testing.T) {
		for name, target := range map[string]string{"inside": "a", "outside": "/etc/hostname", "dangling": "nowhere", "loop": "loop"} {
			if err := os.Symlink(target, w.path(name)); err != nil {
				t.Fatal(err)
			}
			if err := w.failing(name); !errors.Is(err, track.ErrNotRegular) {
				t.Errorf("%s: error is %v", name, err)
			}
		}
	})
	t.Run("case 27: a directory that leads out", func(t *testing.T) {
		if err := os.Symlink("/etc", w.path("out")); err != nil {
			t.Fatal(err)
		}
		if err := w.failing("out/hostname"); !errors.Is(err, track.ErrOutsideRoots) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("case 28: a FIFO", func(t *testing.T) {
		if err := syscall.Mkfifo(w.path("fifo"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := w.failing("fifo"); !errors.Is(err, track.ErrNotRegular) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("case 29: a directory, nothing, a relative path", func(t *testing.T) {
		w.write("d/x", "")
		if err := w.failing("d"); !errors.Is(err, track.ErrNotRegular) {
			t.Errorf("error is %v", err)
		}
		for _, path := range []string{"", "a", "./a", "a\x00b"} {
			if _, err := w.tracker.Track(t.Context(), track.Request{Path: path}); !errors.Is(err, track.ErrInvalidPath) {
				t.Errorf("%q: error is %v", path, err)
			}
		}
	})
	t.Run("case 30: outside the roots, and one canonical form", func(t *testing.T) {
		for _, path := range []string{"/etc/hostname", w.root + "/../x", w.root + "x"} {
			if _, err := w.tracker.Track(t.Context(), track.Request{Path: path}); !errors.Is(err, track.ErrOutsideRoots) {
				t.Errorf("%q: error is %v", path, err)
			}
		}
		w.write("d/b", "x\n")
		w.track("d/b")
		for _, form := range []string{"//d/b", "/./d//b", "/d/../d/b"} {
			result, err := w.tracker.Track(t.Context(), track.Request{Path: w.root + form})
			if err != nil || result.Recorded {
				t.Errorf("%q: %s, %v", form, short(result), err)
			}
		}
	})
	t.Run("never recorded and gone", func(t *testing.T) {
		if err := w.failing("never"); !errors.Is(err, track.ErrNotFound) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("case 15: below what is no directory any more", func(t *testing.T) {
		w.write("e/x", "x\n")
		w.track("e/x")
		w.remove("e")
		w.write("e", "file")
		expect(t, "step", w.track("e/x"), "deleted +0 -1")
	})
}

func TestConcurrent(t *testing.T) { // case 35
	w := newWorld(t, "")
	_, second := w.open() // a second process
	w.write("a", "start\n")
	var group sync.WaitGroup
	for n := range 20 {
		tracker := []*track.Tracker{w.tracker, second}[n%2]
		group.Go(func() {
			for range 5 {
				if n%10 == 0 {
					w.write("a", lines(n+1))
				}
				_, err := tracker.Track(t.Context(), track.Request{Path: w.path("a")})
				if err != nil && !errors.Is(err, track.ErrKeepsChanging) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	w.write("a", "end\n")
	w.track("a")
	broken := one[int](w, `SELECT count(*) FROM (SELECT old_version_id, lag(new_version_id) OVER (ORDER BY id) AS before FROM content_diffs)
		WHERE old_version_id IS NOT before`)
	expect(t, "case 35: steps that do not begin where the last one ended", broken, 0)
	w.sound()
}

func TestRequestID(t *testing.T) {
	w := newWorld(t, "")
	w.write("a", "x\n")
	r := track.Request{Path: w.path("a"), RequestID: "0e3cb2a5-6f32-4b2f-9a52-2f3b4c1d0e9f"}
	first, err := w.tracker.Track(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	w.write("a", "y\n")
	again, err := w.tracker.Track(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "change", again.ChangeID, first.ChangeID)
	expect(t, "version", again.Version.ID, first.Version.ID)
	expect(t, "diff", again.Diff.Text, first.Diff.Text)
	expect(t, "steps", w.steps("a"), "created ->1")
	r.RequestID = "1e3cb2a5-6f32-4b2f-9a52-2f3b4c1d0e9f"
	w.write("a", "x\n")
	for range 2 {
		unchanged, err := w.tracker.Track(t.Context(), r)
		if err != nil || unchanged.Recorded || unchanged.Version.ID != first.Version.ID {
			t.Errorf("result is %+v, %v", unchanged, err)
		}
		w.write("a", "z\n") // not looked at any more
	}
}
