package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestScripts runs testdata/script: one case a file, on a real disk. The quiet
// delay of its roots never ends; `settle` waits for the kernel and then ends it,
// so that what merges does not depend on how fast the machine is.
//
// Paths are relative to a directory of the test's. The commands:
//
//	watch ROOT                 start a watch; what is there is not reported
//	unwatch ROOT               stop it
//	patterns ROOT [P...]       replace its patterns; none: back to its files
//	write, append FILE [TEXT]  make or replace, or extend, a file
//	mkdir DIR, rmdir DIR, rm PATH, mv OLD NEW
//	link OLD NEW, symlink TEXT NEW, mkfifo PATH, chmod MODE PATH
//	touch PATH                 set the modification time to one in the past
//	grow FILE SIZE             set a file's size without writing it
//	freeze                     nothing is noticed until the next settle, which then
//	                           finds everything at once
//	overflow, lose             after freeze: the kernel drops what happens, and says
//	                           so, or it goes unnoticed until the next safety scan
//	rest PATH...               these paths alone come to rest; no settle follows yet
//	settle                     and then the events, one a line after `> `, in any order
//	state                      the events so far, applied in order, give the disk
//	watches N                  so many directories are watched by the kernel
//	directories ROOT N         so many directories of the root are watched
//	status ROOT STATE [TEXT]   the watch is in this state; its message holds TEXT
//
// Text is as in a Go string literal without its quotes; so are paths with an
// escape in them.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		title, _, _ := strings.Cut(string(text), "\n")
		title = strings.TrimPrefix(title, "# ")
		run := func(o Options) func(t *testing.T) {
			return func(t *testing.T) {
				t.Parallel()
				s := &script{world: newWorldWith(t, o), path: path, lines: strings.Split(string(text), "\n")}
				s.run()
			}
		}
		t.Run(title, run(Options{RescanEvery: never}))
		if why := notPolled[filepath.Base(path)]; why == "" {
			t.Run("case 45: polled, "+title, run(Options{RescanEvery: never, Method: Poll}))
		}
	}
}

// notPolled are the scripts whose events differ where the root is polled, and why.
// The state is right all the same, which TestStorm shows.
var notPolled = map[string]string{
	"dir-for-dir.txt":        "of two renames into each other's place only one is told as such",
	"dir-swap.txt":           "of a swap any half, or each file, may be told as renamed",
	"file-attributes.txt":    "a change of mode shows in nothing but the time that a write changes too",
	"hard-link.txt":          "the write shows in the file's size and times at once",
	"root-replaced.txt":      "the loss of the root is told before the round finds another in its place",
	"root-replaced-bare.txt": "as before",
	"rename-chain.txt":       "a file that was away and came back has another time of change",
}

type script struct {
	*world
	path  string
	lines []string
	at    int // index of the line after the one being run
}

func (s *script) run() {
	for s.at < len(s.lines) {
		line := s.lines[s.at]
		s.at++
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "#" {
			if err := s.command(fields[0], fields[1:]); err != nil {
				s.t.Fatalf("%s:%d: %s: %v", s.path, s.at, line, err)
			}
		}
	}
	s.flush()
	if len(s.unread) > 0 {
		s.t.Errorf("%s: events at the end that no settle expects: %q", s.path, s.unread)
	}
}

func (s *script) command(name string, args []string) error {
	if s.disk(name, args) {
		return nil
	}
	switch name {
	case "watch":
		s.watch(args[0])
	case "unwatch":
		return s.w.Stop(s.t.Context(), s.ids[args[0]])
	case "patterns":
		return s.setPatterns(args[0], args[1:])
	case "freeze":
		s.freeze()
	case "overflow", "lose":
		s.loss = name
	case "rest":
		s.thaw()
		s.sync()
		for _, path := range args {
			s.rest(path)
		}
	case "settle":
		return s.settle()
	case "state":
		return s.compareState()
	case "watches":
		return s.compareWatches(args[0])
	case "directories":
		return s.compareDirectories(args[0], args[1])
	case "status":
		return s.compareStatus(args[0], args[1], strings.Join(args[2:], " "))
	default:
		return fmt.Errorf("no such command")
	}
	return nil
}

func (s *script) settle() error {
	var want []string
	for ; s.at < len(s.lines) && strings.HasPrefix(s.lines[s.at], "> "); s.at++ {
		want = append(want, strings.TrimPrefix(s.lines[s.at], "> "))
	}
	s.thaw()
	s.flush()
	got := s.unread
	slices.Sort(want)
	slices.Sort(got)
	s.unread = nil
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("events (-want +got):\n%s", diff)
	}
	return nil
}

func (s *script) setPatterns(root string, patterns []string) error {
	var p *Patterns
	if len(patterns) > 0 {
		p = &Patterns{Watch: patterns}
	}
	_, err := s.w.SetPatterns(s.t.Context(), s.ids[root], p)
	return err
}

func (s *script) compareStatus(root, state, text string) error {
	got := s.status(root)
	if got.State.String() != state || !strings.Contains(got.Message, text) {
		return fmt.Errorf("it is %v: %s", got.State, got.Message)
	}
	return nil
}

func (s *script) compareDirectories(root, want string) error {
	if got := strconv.Itoa(s.status(root).Directories); got != want {
		return fmt.Errorf("it has %s", got)
	}
	return nil
}

func (s *script) compareWatches(want string) error {
	if _, err := s.w.List(s.t.Context()); err != nil { // after it the sizes are measured
		return err
	}
	if s.w.opts.Method == Poll {
		return nil
	}
	n := s.w.Stats().Directories - 1 // the barrier's
	if got := strconv.FormatInt(n, 10); got != want {
		return fmt.Errorf("%s directories are watched", got)
	}
	return nil
}

// disk runs the commands that change the disk, and reports whether name is one.
func (w *world) disk(name string, args []string) bool {
	w.t.Helper()
	text := ""
	if len(args) > 1 {
		text = unescape(w.t, strings.Join(args[1:], " "))
	}
	var err error
	switch path := w.file(args, 0); name {
	case "write":
		err = os.WriteFile(path, []byte(text), 0o644)
	case "append":
		err = appendTo(path, text)
	case "mkdir":
		err = os.MkdirAll(path, 0o755)
	case "rmdir":
		err = os.Remove(path)
	case "rm":
		err = os.RemoveAll(path)
	case "mv":
		err = os.Rename(path, w.file(args, 1))
	case "link":
		err = os.Link(path, w.file(args, 1))
	case "symlink":
		err = os.Symlink(args[0], w.file(args, 1))
	case "mkfifo":
		err = syscall.Mkfifo(path, 0o644)
	case "chmod":
		err = chmod(args[0], w.file(args, 1))
	case "touch":
		err = os.Chtimes(path, time.Time{}, time.Unix(1e9, 0))
	case "grow":
		err = grow(path, args[1])
	default:
		return false
	}
	if err != nil {
		w.t.Fatalf("%s %q: %v", name, args, err)
	}
	return true
}

func (w *world) file(args []string, i int) string {
	if i >= len(args) {
		return w.dir
	}
	return filepath.Join(w.dir, unescape(w.t, args[i]))
}

func unescape(t testing.TB, text string) string {
	out, err := strconv.Unquote(`"` + text + `"`)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return out
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return firstError(err, f.Close())
}

func chmod(octal, path string) error {
	mode, err := strconv.ParseUint(octal, 8, 32)
	return firstError(err, os.Chmod(path, os.FileMode(mode)))
}

func grow(path, bytes string) error {
	size, err := strconv.ParseInt(bytes, 10, 64)
	return firstError(err, os.Truncate(path, size))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
