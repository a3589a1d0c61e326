package watch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func (w *world) start(s Start) (Status, bool, error) {
	w.t.Helper()
	s.Path = filepath.Join(w.dir, s.Path)
	return w.w.Start(w.t.Context(), s)
}

// do runs f in Run's goroutine.
func (w *world) do(f func()) {
	w.t.Helper()
	if _, err := ask(w.t.Context(), w.w, func() (any, error) { f(); return nil, nil }); err != nil {
		w.t.Fatal(err)
	}
}

// hooked is a notifier that does something before it watches a directory.
type hooked struct {
	notifier
	before func(path string) error
}

func (h *hooked) watch(path string) (handle, error) {
	if err := h.before(path); err != nil {
		return 0, err
	}
	return h.notifier.watch(path)
}

// hook has before called from now on.
func (w *world) hook(before func(path string) error) {
	w.do(func() { w.w.notify = &hooked{w.w.notify, before} })
}

func TestWatchLimit(t *testing.T) {
	w := newNotes(t, Options{})
	w.disk("mkdir", []string{"s"})
	full := true
	w.hook(func(path string) error {
		if full && (strings.HasSuffix(path, "/s") || strings.HasSuffix(path, "/d")) {
			return limitError(syscall.ENOSPC)
		}
		return nil
	})
	t.Run("case 39: a root beyond the limit is refused", func(t *testing.T) {
		_, _, err := w.start(Start{Path: "s"})
		if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "fs.inotify.max_user_watches") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("case 39: a directory beyond the limit is polled", func(t *testing.T) {
		w.disk("mkdir", []string{"r/d"})
		w.disk("write", []string{"r/d/a.md", "a"})
		w.flush()
		if got := w.status("r").Message; !strings.Contains(got, "fs.inotify.max_user_watches is ") || !strings.Contains(got, "r/d") {
			t.Errorf("the status says %q", got)
		}
		if got := w.w.Stats().Polled; got != 1 {
			t.Errorf("%d directories are polled, want 1", got)
		}
		s := w.subscribe("", Filter{Watches: []string{w.ids["r"]}})
		w.disk("append", []string{"r/d/a.md", "more"})
		w.flush() // scans once more
		w.expect(s, "modified r/d/a.md")
		w.do(func() { full = false })
		w.flush()
		if got := w.status("r"); got.Message != "" || got.Directories != 2 {
			t.Errorf("the status is %+v", got)
		}
	})
	if err := w.compareState(); err != nil {
		t.Error(err)
	}
}

func TestReplacedWhileAdded(t *testing.T) {
	t.Run("a directory that is replaced by a symlink before it is watched is not followed", func(t *testing.T) {
		w := newNotes(t, Options{})
		w.disk("mkdir", []string{"outside"})
		w.hook(func(path string) error {
			if filepath.Base(path) == "d" {
				w.disk("rmdir", []string{"r/d"})
				w.disk("symlink", []string{"../outside", "r/d"})
			}
			return nil
		})
		w.disk("mkdir", []string{"r/d"})
		w.flush()
		w.disk("write", []string{"outside/secret.md", "x"})
		w.flush()
		if len(w.unread) > 0 || w.status("r").Directories != 1 {
			t.Errorf("events are %q, status %+v", w.unread, w.status("r"))
		}
	})
}

func TestLongPath(t *testing.T) {
	t.Run("case 36: a path longer than the system takes is named", func(t *testing.T) {
		w := newNotes(t, Options{})
		dir, err := os.OpenRoot(filepath.Join(w.dir, "r"))
		if err != nil {
			t.Fatal(err)
		}
		name := strings.Repeat("long", 50)
		for range 25 {
			if err := dir.Mkdir(name, 0o755); err != nil {
				t.Fatal(err)
			}
			below, err := dir.OpenRoot(name)
			if err != nil {
				t.Fatal(err)
			}
			dir.Close()
			dir = below
		}
		dir.Close()
		w.flush()
		if got := w.status("r"); !strings.Contains(got.Message, "too long") || !strings.Contains(got.Message, name) || got.Directories < 15 {
			t.Errorf("the status is %+v", got)
		}
	})
}

func TestWaitingRoot(t *testing.T) {
	t.Run("case 12: a root that is missing at the start is waited for, also as a symlink", func(t *testing.T) {
		w := newWorld(t)
		status, created, err := w.start(Start{Path: "link", MayBeMissing: true})
		if err != nil || !created || status.State != Waiting || status.Directories != 0 {
			t.Fatalf("it is %+v, created %v, %v", status, created, err)
		}
		w.ids["r"], w.roots[status.ID], w.state[status.ID] = status.ID, "r", map[string]version{}
		s := w.subscribe("", Filter{Watches: []string{status.ID}})
		w.disk("mkdir", []string{"r"})
		w.disk("write", []string{"r/.obbywatch", "*.md"})
		w.disk("write", []string{"r/a.md", "a"})
		w.disk("symlink", []string{"r", "link"})
		w.flush()
		w.expect(s, "created r/a.md")
		if got := w.status("r"); got.State != Active || got.Path != filepath.Join(w.dir, "r") {
			t.Errorf("it is %+v", got)
		}
	})
	t.Run("case 12: a root that is lost before it has been scanned", func(t *testing.T) {
		w := newNotes(t, Options{})
		w.do(func() {
			r, _ := w.w.find(w.ids["r"])
			r.scan(r.tree.top, scan{deep: true})
			w.disk("mv", []string{"r", "away"})
			if r.look(time.Now()) {
				t.Error("it is not there")
			}
		})
		w.disk("mv", []string{"away", "r"})
		w.flush()
		w.disk("write", []string{"r/a.md", "a"})
		w.flush()
		if len(w.unread) != 1 || w.status("r").State != Active {
			t.Errorf("events are %q, status %+v", w.unread, w.status("r"))
		}
	})
}

func TestRootByTimers(t *testing.T) {
	t.Run("case 12: by its own timers", func(t *testing.T) {
		w := newNotes(t, Options{Debounce: time.Millisecond})
		s := w.subscribe("", Filter{Watches: []string{w.ids["r"]}})
		w.save("r/a.md", "a")
		w.expect(s, "created r/a.md")
		// In one step: where the patterns go first, and rest, no file is watched any more.
		w.disk("mv", []string{"r", "elsewhere"})
		w.expect(s, "deleted r/a.md")
		w.disk("mkdir", []string{"r"})
		w.disk("write", []string{"r/.obbywatch", "*.md"})
		w.disk("write", []string{"r/b.md", "b"})
		for item := w.next(s); item.Event.Path != filepath.Join(w.dir, "r/b.md"); {
			item = w.next(s) // its patterns may have been read before they were written
		}
	})
}

func TestDrain(t *testing.T) {
	t.Run("case 53: what is pending is reported before the streams end", func(t *testing.T) {
		w := newNotes(t, Options{})
		s := w.subscribe("", Filter{Watches: []string{w.ids["r"]}})
		w.disk("write", []string{"r/a.md", "a"})
		w.disk("write", []string{"r/b.md", "b"})
		w.sync()
		if err := w.w.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.expect(s, "created r/a.md", "created r/b.md")
		if _, err := s.Next(t.Context()); !errors.Is(err, ErrShuttingDown) {
			t.Errorf("error is %v, want the end", err)
		}
	})
}

func TestStopUnknown(t *testing.T) {
	w := newWorld(t)
	if err := w.w.Stop(t.Context(), "x"); !errors.Is(err, ErrUnknownWatch) {
		t.Errorf("error is %v", err)
	}
	if _, err := w.w.SetPatterns(t.Context(), "x", nil); !errors.Is(err, ErrUnknownWatch) {
		t.Errorf("error is %v", err)
	}
}

func TestManyFiles(t *testing.T) {
	t.Run("case 8: a directory of many files is moved in", func(t *testing.T) {
		w := newNotes(t, Options{})
		for i := range 2000 {
			dir := filepath.Join(w.dir, "outside", "d", string(rune('a'+i%26)), "sub")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, strings.Repeat("x", 1+i/26)+".md"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		w.disk("mv", []string{"outside/d", "r/d"})
		w.flush()
		if err := w.compareState(); err != nil || len(w.unread) != 2000 {
			t.Errorf("%d events, %v", len(w.unread), err)
		}
		if got := w.status("r"); got.Directories != 1+1+26*2 || got.Files != 2000 {
			t.Errorf("it is %+v", got)
		}
	})
}
