package pathrule_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/pathrule"
	"github.com/obby/go-services/internal/usertest"
)

// walked is what Walk visits, directories with a final slash, and its problems.
func walked(t *testing.T, s *pathrule.Set, root string) (found, problems []string) {
	t.Helper()
	err := s.Walk(t.Context(), root, func(rel string, d fs.DirEntry) error {
		if d.IsDir() {
			rel += "/"
		}
		found = append(found, rel)
		return nil
	}, func(rel string, err error) {
		problems = append(problems, rel)
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, problems
}

// tree makes a directory of these files.
func tree(t *testing.T, rels ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, rel := range rels {
		write(t, root, rel, rel)
	}
	return root
}

func TestWalk(t *testing.T) {
	root := tree(t, "b.md", "a.md", "a.txt", "a/z.md", "a/draft.md", "a/b/c.md", "tmp/keep.md", "x/.git/a.md", "A/\xff\n.md", ".obbywatch")
	s := set(t, "*.md tmp/keep.md", "tmp/ .git draft*")
	found, problems := walked(t, s, root)
	want := []string{"./", "A/", "A/\xff\n.md", "a/", "a/b/", "a/b/c.md", "a/z.md", "a.md", "b.md", "x/"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("case 67 (-want +got):\n%s", diff)
	}
	if problems != nil {
		t.Errorf("problems: %q", problems)
	}
}

// Whatever the walk visits Match accepts, and nothing else.
func TestWalkAgreesWithMatch(t *testing.T) {
	var rels []string
	for _, dir := range []string{"", "a/", "a/tmp/", "tmp/", "a/b/c/", "build/x/"} {
		for _, file := range []string{"a.md", "tmp.md", "x", "build"} {
			if dir+file != "build" {
				rels = append(rels, dir+file)
			}
		}
	}
	root := tree(t, rels...)
	for _, c := range [][2]string{{"*", ""}, {"*", "*/"}, {"*.md", "tmp"}, {"a/", "tmp*"}, {"x build/", "*/tmp/"}, {"", ""}, {"*", "build ?/b"}} {
		s := set(t, c[0], c[1])
		var want, got []string
		for _, rel := range rels {
			if s.Match(rel) {
				want = append(want, rel)
			}
		}
		found, _ := walked(t, s, root)
		for _, rel := range found {
			if !strings.HasSuffix(rel, "/") {
				got = append(got, rel)
			} else if dir := strings.TrimSuffix(rel, "/"); !s.Descend(dir) {
				t.Errorf("%q: walks %s", c, dir)
			}
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))); diff != "" {
			t.Errorf("%q (-match +walk):\n%s", c, diff)
		}
	}
}

func TestWalkRegularFilesOnly(t *testing.T) {
	root := tree(t, "a.md", "d/b.md")
	outside := tree(t, "secret.md")
	for link, target := range map[string]string{
		"file": "a.md", "dir": "d", "dangling": "gone", "self": "self", "up": ".", "out": outside, "secret": filepath.Join(outside, "secret.md"),
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(root, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	found, problems := walked(t, set(t, "*", ""), root)
	if diff := cmp.Diff([]string{"./", "a.md", "d/", "d/b.md"}, found); diff != "" {
		t.Errorf("cases 34 and 37 (-want +got):\n%s", diff)
	}
	if problems != nil {
		t.Errorf("problems: %q", problems)
	}
}

// What takes a directory's place between its listing and its reading is neither
// followed nor waited for.
func TestWalkReplaced(t *testing.T) {
	outside := tree(t, "secret.md")
	for _, c := range []struct {
		name    string
		replace func(path string) error
		problem bool
	}{
		{"vanished", func(string) error { return nil }, false},
		{"a symlink out of the root", func(path string) error { return os.Symlink(outside, path) }, true},
		{"a symlink within the root", func(path string) error { return os.Symlink("a", path) }, true},
		{"a FIFO", func(path string) error { return syscall.Mkfifo(path, 0o644) }, true},
		{"a file", func(path string) error { return os.WriteFile(path, nil, 0o644) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, "a/b.md", "d/c.md", "e.md")
			var found, problems []string
			err := set(t, "*.md", "").Walk(t.Context(), root, func(rel string, d fs.DirEntry) error {
				found = append(found, rel)
				if rel != "d" {
					return nil
				}
				path := filepath.Join(root, rel)
				return errors.Join(os.RemoveAll(path), c.replace(path))
			}, func(rel string, err error) { problems = append(problems, rel) })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{".", "a", "a/b.md", "d", "e.md"}, found); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := len(problems) == 1 && problems[0] == "d"; got != c.problem {
				t.Errorf("problems: %q", problems)
			}
		})
	}
}

func TestWalkUnreadable(t *testing.T) { usertest.Unprivileged(t, testWalkUnreadable) }

func testWalkUnreadable(t *testing.T) {
	root := tree(t, "a/b.md", "c.md")
	if err := os.Chmod(filepath.Join(root, "a"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(root, "a"), 0o755) })
	found, problems := walked(t, set(t, "*.md", ""), root)
	if diff := cmp.Diff([][]string{{"./", "a/", "c.md"}, {"a"}}, [][]string{found, problems}); diff != "" {
		t.Errorf("case 15 (-want +got):\n%s", diff)
	}
}

// Each step of the path is 200 bytes; the whole is far beyond PATH_MAX.
func TestWalkDeep(t *testing.T) {
	root := t.TempDir()
	dir, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	deep := strings.TrimSuffix(strings.Repeat(strings.Repeat("d", 200)+"/", 30), "/")
	if err := dir.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := dir.WriteFile(deep+"/a.md", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	found, problems := walked(t, set(t, "*.md", ""), root)
	if len(found) != 32 || found[31] != deep+"/a.md" || problems != nil {
		t.Errorf("case 36: %d found, problems: %q", len(found), problems)
	}
}

func TestWalkLargeDirectory(t *testing.T) {
	root := t.TempDir()
	var want []string
	for i := range 1100 {
		name := fmt.Sprintf("%04d.md", i)
		write(t, root, name, "")
		want = append(want, name)
	}
	found, _ := walked(t, set(t, "*.md", ""), root)
	if diff := cmp.Diff(append([]string{"./"}, want...), found); diff != "" {
		t.Error(diff)
	}
}

func TestWalkEnds(t *testing.T) {
	root := tree(t, "a/b.md", "a/c.md", "d/e.md", "f.md")
	s, stop := set(t, "*.md", ""), errors.New("enough")
	for _, c := range []struct {
		at   string
		err  error
		last string
		want error
	}{
		{"a/b.md", stop, "a/b.md", stop},
		{"d", stop, "d", stop},
		{".", fs.SkipAll, ".", nil},
		{"a/b.md", fs.SkipAll, "a/b.md", nil},
		{".", fs.SkipDir, ".", nil},
		{"d", fs.SkipDir, "f.md", nil},
	} {
		last := ""
		err := s.Walk(t.Context(), root, func(rel string, _ fs.DirEntry) error {
			last = rel
			if rel == "d/e.md" && c.err == fs.SkipDir {
				t.Error("skipped, but visited")
			}
			if rel == c.at {
				return c.err
			}
			return nil
		}, nil)
		if !errors.Is(err, c.want) || last != c.last {
			t.Errorf("%v at %s: ended at %s with %v", c.err, c.at, last, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Walk(ctx, root, func(rel string, _ fs.DirEntry) error {
		if ctx.Err() != nil {
			t.Errorf("visits %s after the end", rel)
		}
		cancel()
		return nil
	}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := s.Walk(t.Context(), filepath.Join(root, "gone"), nil, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing root: %v", err)
	}
	if err := s.Walk(t.Context(), filepath.Join(root, "f.md"), nil, nil); err == nil {
		t.Error("a root that is a file is walked")
	}
}
