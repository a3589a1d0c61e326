package watch

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// tool runs a program, and skips the test where there is none.
func (w *world) tool(name string, args ...string) {
	w.t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		w.t.Skipf("there is no %s here", name)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = w.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// manyFiles makes n files below a directory, some levels deep.
func (w *world) manyFiles(dir string, n int) {
	w.t.Helper()
	for i := range n {
		path := filepath.Join(w.dir, dir, strconv.Itoa(i%7), strconv.Itoa(i%31), strconv.Itoa(i)+".md")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(path), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	const files = 2000
	check := func(t *testing.T, w *world, events int) {
		w.flush()
		if err := w.compareState(); err != nil {
			t.Error(err)
		}
		stats := w.w.Stats()
		if len(w.unread) != events || stats.Overflows > 0 {
			t.Errorf("%d events, %d overflows", len(w.unread), stats.Overflows)
		}
		w.unread = nil
	}
	t.Run("case 3: tar", func(t *testing.T) {
		w := newNotes(t, Options{})
		w.manyFiles("outside", files)
		w.tool("tar", "-cf", "all.tar", "outside")
		w.tool("tar", "-xf", "all.tar", "-C", "r")
		check(t, w, files)
	})
	t.Run("case 3: git clone and checkout", func(t *testing.T) {
		w := newNotes(t, Options{})
		w.disk("write", []string{"r/.obbyignore", ".git/"})
		w.tool("git", "init", "-q", "-b", "one", "origin")
		w.manyFiles("origin", files)
		as := []string{"-C", "origin", "-c", "user.name=x", "-c", "user.email=x@example.org"}
		w.tool("git", append(as, "add", ".")...)
		w.tool("git", append(as, "commit", "-q", "-m", "one")...)
		w.tool("git", append(as, "rm", "-q", "-r", "0", "1")...)
		w.manyFiles("origin/new", 100)
		w.tool("git", append(as, "add", ".")...)
		w.tool("git", append(as, "commit", "-q", "-m", "two")...)
		w.tool("git", "clone", "-q", "origin", "r/clone")
		w.flush()
		w.unread = nil
		before := len(w.state[w.ids["r"]])
		w.tool("git", "-C", "r/clone", "checkout", "-q", "HEAD~1")
		w.flush()
		if after := len(w.state[w.ids["r"]]); after <= before {
			t.Errorf("%d files before the checkout, %d after it", before, after)
		}
		check(t, w, len(w.unread))
	})
}

func TestMount(t *testing.T) {
	t.Run("case 14: what a mounted file system covers is found when it is unmounted", func(t *testing.T) {
		w := newNotes(t, Options{})
		w.disk("mkdir", []string{"r/d"})
		w.disk("write", []string{"r/d/under.md", "under"})
		w.flush()
		path := filepath.Join(w.dir, "r/d")
		if err := unix.Mount("none", path, "tmpfs", 0, "size=1m"); err != nil {
			t.Skipf("nothing can be mounted here: %v", err)
		}
		defer func() { _ = unix.Unmount(path, unix.MNT_DETACH) }() // mostly it is done below
		w.disk("write", []string{"r/d/over.md", "over"})
		w.do(func() { w.w.rescan(time.Now()) }) // nothing notifies of a mount
		w.flush()
		w.disk("append", []string{"r/d/over.md", "more"})
		w.flush()
		if err := w.compareState(); err != nil {
			t.Error(err)
		}
		if err := unix.Unmount(path, 0); err != nil {
			t.Fatal(err)
		}
		w.flush()
		w.disk("append", []string{"r/d/under.md", "more"})
		w.flush()
		if err := w.compareState(); err != nil {
			t.Error(err)
		}
	})
}

func TestMemoryMap(t *testing.T) {
	t.Run("case 24: a write through a memory map is found when the file is closed", func(t *testing.T) {
		w := newNotes(t, Options{})
		w.disk("write", []string{"r/a.md", "before"})
		w.flush()
		w.unread = nil
		file, err := os.OpenFile(filepath.Join(w.dir, "r/a.md"), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		data, err := unix.Mmap(int(file.Fd()), 0, 6, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			t.Fatal(err)
		}
		copy(data, "after!")
		if err := firstError(unix.Munmap(data), file.Close()); err != nil {
			t.Fatal(err)
		}
		w.flush()
		if len(w.unread) != 1 || w.unread[0] != "modified r/a.md" {
			t.Errorf("events are %q", w.unread)
		}
	})
}

// starve runs f in Run's goroutine while this process may open no more files.
func (w *world) starve(f func()) {
	w.do(func() {
		var limit unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			w.t.Fatal(err)
		}
		none := unix.Rlimit{Cur: 0, Max: limit.Max}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
			w.t.Fatal(err)
		}
		defer func() {
			if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
				w.t.Error(err)
			}
		}()
		f()
	})
}

// untilError waits, in Run's goroutine, until the notifier has met an error.
func (w *world) untilError() {
	n := w.w.notify.touched()
	for late := time.After(time.Minute); ; {
		select {
		case <-n.wake:
		case <-late:
			w.t.Error("the notifier met no error")
			return
		}
		n.mu.Lock()
		met := len(n.errs) > 0
		n.mu.Unlock()
		if met {
			return
		}
	}
}

func TestOpenFilesExhausted(t *testing.T) {
	w := newNotes(t, Options{})
	w.disk("mkdir", []string{"r/d"})
	w.disk("write", []string{"r/d/a.md", "a"})
	w.flush()
	w.unread = nil
	t.Run("case 41: a scan without open files records nothing as deleted", func(t *testing.T) {
		w.starve(func() {
			w.w.rescan(time.Now())
			w.w.flush()
		})
		if got := w.status("r").Message; !strings.Contains(got, "too many open files") {
			t.Errorf("the status says %q", got)
		}
		w.disk("write", []string{"r/d/b.md", "b"})
		w.flush() // looks once more
		if len(w.unread) != 1 || w.unread[0] != "created r/d/b.md" || w.status("r").Message != "" {
			t.Errorf("events are %q, the status is %+v", w.unread, w.status("r"))
		}
	})
	t.Run("case 41: notifications are waited for again when the system refuses", func(t *testing.T) {
		if *notifierName != "native" {
			t.Skip("fsnotify waits in Go's poller")
		}
		w.unread = nil
		w.starve(func() {
			if err := os.Chmod(filepath.Join(w.dir, "r/d/a.md"), 0o600); err != nil { // opens nothing
				t.Error(err)
			}
			w.untilError()
		})
		w.disk("write", []string{"r/d/c.md", "c"})
		w.flush()
		if !slices.Contains(w.unread, "created r/d/c.md") {
			t.Errorf("events are %q", w.unread)
		}
	})
	t.Run("case 40: without a free inotify instance the error names the limit", func(t *testing.T) {
		w.starve(func() {
			if _, err := newInotify(); err == nil || !strings.Contains(err.Error(), "fs.inotify.max_user_instances") {
				t.Errorf("error is %v", err)
			}
		})
	})
}

// jump returns t after the wall clock was set, at the same moment: the seconds of
// the wall clock stand above the 30 bits of the nanoseconds (time.Time).
func jump(t time.Time, by time.Duration) time.Time {
	*(*int64)(unsafe.Pointer(&t)) += int64(by/time.Second) << 30
	return t
}

func TestClockJumps(t *testing.T) {
	start := time.Now()
	if later := jump(start, time.Hour); later.Unix()-start.Unix() != 3600 || later.Sub(start) != 0 {
		t.Fatalf("the test's clock is wrong: %v, %v", start, later)
	}
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		t.Run(fmt.Sprintf("case 43: by %v", by), func(t *testing.T) {
			s := newSettle(10 * time.Millisecond)
			s.add(named("a"), mark{}, start)
			at := func(ms int) time.Time { return jump(start.Add(time.Duration(ms)*time.Millisecond), by) }
			expectNames(t, s.due(at(9)))
			s.add(named("b"), mark{}, at(9))
			expectNames(t, s.due(at(10)), "a")
			if next := s.next().Sub(start); next != 19*time.Millisecond {
				t.Errorf("b is due after %v", next)
			}
			expectNames(t, s.due(at(19)), "b")
		})
	}
}

func TestEventsWhileWatchesAreAdded(t *testing.T) {
	t.Run("case 46: adding watches does not hold up the events of others", func(t *testing.T) {
		const directories = 5000
		w := newNotes(t, Options{Debounce: 1})
		for i := range directories {
			w.disk("mkdir", []string{fmt.Sprintf("big/%d/%d", i/100, i%100)})
		}
		w.disk("write", []string{"big/.obbywatch", "*.md"})
		added, before := 0, 0
		w.hook(func(string) error {
			added++
			if added == 10 {
				w.save("r/a.md", "a")
			}
			if before == 0 && w.w.counts.events[Created].Load() > 1 { // the barrier has one
				before = added
			}
			return nil
		})
		w.sync()
		if _, _, err := w.start(Start{Path: "big"}); err != nil {
			t.Fatal(err)
		}
		w.do(func() {
			if before == 0 || before > directories/2 {
				t.Errorf("reported after %d directories of %d", before, directories)
			}
		})
	})
}

func TestSubscribersComeAndGo(t *testing.T) {
	t.Run("case 49: nothing of a subscriber is left when it has gone", func(t *testing.T) {
		w := newNotes(t, Options{})
		events := w.create(1, 5)
		for range 100 {
			s := w.subscribe(w.w.journal.token(0), Filter{Watches: []string{w.ids["r"]}})
			w.expect(s, events[:3]...)
			s.Close()
		}
		// The barrier's is open; those of the loop will be closed once more.
		if got := w.w.Stats().Subscribers; got != 1 {
			t.Errorf("%d subscribers are left", got)
		}
	})
}
