package pathrule_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/pathrule"
	"github.com/obby/go-services/internal/usertest"
)

// write makes the file root/rel and the directories above it.
func write(t *testing.T, root, rel, text string) {
	t.Helper()
	path := filepath.Join(root, rel)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, root string) *pathrule.Set {
	t.Helper()
	s, err := pathrule.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLoad(t *testing.T) {
	root := t.TempDir()
	write(t, root, pathrule.WatchFile, "\ufeff# what to watch\r\n*.md\r\n\r\n \t notes/  \r\n*.md\n  # indented\na # b\n*.\xff\nlast")
	write(t, root, pathrule.IgnoreFile, "/abs\n.git\n")
	s := load(t, root)
	if diff := cmp.Diff([]string{"*.md", "notes/", "a # b", "*.\xff", "last"}, s.Watch()); diff != "" {
		t.Errorf("case 66: watch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{".git"}, s.Ignore()); diff != "" {
		t.Errorf("ignore (-want +got):\n%s", diff)
	}
	problems := s.Problems()
	if len(problems) != 1 || problems[0].File != filepath.Join(root, pathrule.IgnoreFile) || problems[0].Line != 1 {
		t.Errorf("problems: %v", problems)
	}
	if why := s.Why(); why != "" {
		t.Errorf("why: %s", why)
	}
	given, _ := pathrule.New(s.Watch(), s.Ignore())
	if !s.Equal(given) {
		t.Error("the same patterns, given, make another set")
	}
}

func TestStrict(t *testing.T) {
	for name, text := range map[string]*string{"missing": nil, "empty": new(""), "comments": new("# *.md\n\n  \n")} {
		t.Run("case 68: "+name, func(t *testing.T) {
			root := t.TempDir()
			if text != nil {
				write(t, root, pathrule.WatchFile, *text)
			}
			s := load(t, root)
			want := "no watch patterns in " + root + "/.obbywatch: nothing is watched; add lines such as *.md"
			if !s.Empty() || s.Why() != want || s.Match("a.md") {
				t.Errorf("empty: %v, why: %s", s.Empty(), s.Why())
			}
		})
	}
	t.Run("case 68: given", func(t *testing.T) {
		s, _ := pathrule.New(nil, nil)
		if want := "no watch patterns: nothing is watched; add some such as *.md"; s.Why() != want {
			t.Errorf("why: %s", s.Why())
		}
	})
}

func TestLoadErrors(t *testing.T) { usertest.Unprivileged(t, testLoadErrors) }

func testLoadErrors(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "patterns")
	if err := os.WriteFile(outside, []byte("*\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		make       func(path string) error
	}{
		{"case 69: unreadable", "permission denied", func(path string) error { return os.WriteFile(path, []byte("*\n"), 0) }},
		{"case 69: a symlink to itself", "too many", func(path string) error { return os.Symlink(filepath.Base(path), path) }},
		{"a directory", "not a regular file", func(path string) error { return os.Mkdir(path, 0o755) }},
		{"a FIFO", "not a regular file", func(path string) error { return syscall.Mkfifo(path, 0o644) }},
		{"a symlink out of the root", "escapes", func(path string) error { return os.Symlink(outside, path) }},
		{"case 70: too large", "larger than 1048576 bytes", func(path string) error {
			return os.WriteFile(path, bytes.Repeat([]byte("a\n"), pathrule.MaxFileBytes/2+1), 0o644)
		}},
	} {
		for _, file := range []string{pathrule.WatchFile, pathrule.IgnoreFile} {
			t.Run(c.name+": "+file, func(t *testing.T) {
				root := t.TempDir()
				path := filepath.Join(root, file)
				if err := c.make(path); err != nil {
					t.Fatal(err)
				}
				_, err := pathrule.Load(root)
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("got %v, want %q and %s", err, c.want, path)
				}
			})
		}
	}
	if _, err := pathrule.Load(filepath.Join(t.TempDir(), "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing root: %v", err)
	}
}

func TestLoadLinked(t *testing.T) {
	root := t.TempDir()
	write(t, root, "etc/patterns", "*.md\n")
	if err := os.Symlink("etc/patterns", filepath.Join(root, pathrule.WatchFile)); err != nil {
		t.Fatal(err)
	}
	if s := load(t, root); !s.Match("a.md") {
		t.Error("a symlink within the root is not followed")
	}
}

// A file that is no pattern file at all must not fill the memory or the log.
func TestHopelessFile(t *testing.T) {
	root := t.TempDir()
	write(t, root, pathrule.WatchFile, strings.Repeat("*\x00.\x00m\x00\n\x00", 5000))
	s := load(t, root)
	if got := len(s.Problems()); got != 100 || !s.Empty() {
		t.Errorf("case 70: %d problems, empty: %v", got, s.Empty())
	}
}
