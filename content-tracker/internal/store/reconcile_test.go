package store_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/obby/go-services/content-tracker/internal/track"
)

func TestReconcile(t *testing.T) {
	t.Run("what happened while nobody looked", func(t *testing.T) {
		w := newWorld(t, "")
		for _, name := range []string{"same", "edited", "gone", "old", "d/deep"} {
			w.write(name, name+"\n")
		}
		expect(t, "changes of the first time", w.mustReconcile().Changes, 6) // and .obbywatch
		w.write("edited", "edited\nmore\n")
		w.remove("gone")
		w.rename("old", "renamed")
		w.write("new", "new\n")
		p := w.mustReconcile()
		expect(t, "changes", p.Changes, 4)
		expect(t, "errors", p.Errors, 0)
		for name, steps := range map[string]string{"same": "created ->", "gone": "deleted", "renamed": "moved", "new": "created", "edited": "modified"} {
			if got := w.steps(name); !strings.Contains(got, steps) {
				t.Errorf("steps of %s are %q, want one %q", name, got, steps)
			}
		}
		expect(t, "changes of the third time", w.mustReconcile().Changes, 0)
		w.sound()
	})
	t.Run("files that match no pattern any more stay as they are", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("a", "x\n")
		w.mustReconcile()
		w.write(".obbyignore", "a\n.*\n")
		expect(t, "changes", w.mustReconcile().Changes, 0)
		w.write(".obbywatch", "")
		expect(t, "changes without patterns", w.mustReconcile().Changes, 0)
	})
	t.Run("an edit that keeps size and time", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("a", "xxxx\n")
		w.mustReconcile()
		before, err := os.Stat(w.path("a"))
		if err != nil {
			t.Fatal(err)
		}
		w.write("a", "yyyy\n") // the same size, and the same time:
		if err := os.Chtimes(w.path("a"), before.ModTime(), before.ModTime()); err != nil {
			t.Fatal(err)
		}
		expect(t, "changes", w.mustReconcile().Changes, 1)
	})
	t.Run("a directory and a symlink take the names of files", func(t *testing.T) {
		w := newWorld(t, "")
		for _, name := range []string{"a", "b"} {
			w.write(name, "x\n")
		}
		w.mustReconcile()
		w.remove("a")
		w.remove("b")
		w.write("a/inside", "y\n")
		if err := os.Symlink("a/inside", w.path("b")); err != nil {
			t.Fatal(err)
		}
		expect(t, "changes", w.mustReconcile().Changes, 3)
		expect(t, "live paths", one[int](w, `SELECT count(*) FROM file_states WHERE content_hash IS NOT NULL`), 2)
	})
	t.Run("not a root", func(t *testing.T) {
		w := newWorld(t, "")
		if err := w.tracker.Reconcile(t.Context(), "/elsewhere", false, func(track.Progress) {}); !errors.Is(err, track.ErrNoRoot) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		w := newWorld(t, "")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := w.tracker.Reconcile(ctx, w.root, false, func(track.Progress) {}); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestRootWaits(t *testing.T) {
	replace := func(w *world, files ...string) {
		if err := os.Rename(w.root, w.root+".away"); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(w.root, 0o755); err != nil {
			t.Fatal(err)
		}
		w.write(".obbywatch", "*.md\n")
		for _, name := range files {
			w.write(name, name+"\n")
		}
	}
	start := func(t *testing.T) *world {
		w := newWorld(t, "")
		w.write(".obbywatch", "*.md\n")
		w.write("a.md", "x\n")
		w.write("b.md", "y\n")
		w.mustReconcile()
		return w
	}
	t.Run("missing", func(t *testing.T) {
		w := start(t)
		w.remove("")
		if err := w.failing("a.md"); !errors.Is(err, track.ErrRootWaiting) {
			t.Errorf("error is %v", err)
		}
		if _, err := w.reconcile(false); !errors.Is(err, track.ErrRootWaiting) {
			t.Errorf("reconcile: error is %v", err)
		}
		expect(t, "steps", strings.Count(w.steps("a.md"), ">"), 1)
	})
	t.Run("replaced by an empty directory", func(t *testing.T) {
		w := start(t)
		replace(w, "new.md")
		if err := w.failing("a.md"); !errors.Is(err, track.ErrRootWaiting) {
			t.Errorf("error is %v", err)
		}
		expect(t, "what exists is recorded", w.track("new.md"), "created +1 -0")
		if _, err := w.reconcile(false); err != nil && !errors.Is(err, track.ErrRootWaiting) {
			t.Errorf("reconcile: error is %v", err)
		}
	})
	t.Run("replaced, and a person accepts it", func(t *testing.T) {
		w := start(t)
		replace(w)
		if _, err := w.reconcile(false); !errors.Is(err, track.ErrRootWaiting) {
			t.Errorf("reconcile: error is %v", err)
		}
		if p, err := w.reconcile(true); err != nil || p.Changes != 2 {
			t.Errorf("accepted: %+v, %v", p, err)
		}
	})
	t.Run("never seen before, as an adopted database beside an unmounted disk", func(t *testing.T) {
		w := start(t)
		w.store.Writer(t, `DELETE FROM obby_roots`)
		replace(w)
		_, second := w.open()
		if err := second.Reconcile(t.Context(), w.root, false, func(track.Progress) {}); !errors.Is(err, track.ErrRootWaiting) {
			t.Errorf("reconcile: error is %v", err)
		}
		if _, err := second.Track(t.Context(), track.Request{Path: w.path("a.md")}); !errors.Is(err, track.ErrRootWaiting) {
			t.Errorf("track: error is %v", err)
		}
	})
	t.Run("replaced by a copy that has a known file", func(t *testing.T) {
		w := start(t)
		replace(w, "b.md")
		w.mustReconcile()
		expect(t, "a", one[string](w, `SELECT group_concat(change_type) FROM content_diffs WHERE file_path = ?`, w.path("a.md")), "created,deleted")
	})
}
