package watch

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
)

// snapshot takes the files of a subscription's snapshot.
func (w *world) snapshot(s *Subscription) (files []string) {
	w.t.Helper()
	for {
		switch item := w.next(s); item.Kind {
		case Snapshot:
			if item.Token != "" {
				w.t.Errorf("within the snapshot the token is %q", item.Token)
			}
			rel, _ := below(w.dir, item.File.Path)
			files = append(files, fmt.Sprintf("%s %d", rel, item.File.Size))
		case SnapshotEnd:
			if item.Files != len(files) {
				w.t.Errorf("the end counts %d files, there were %d", item.Files, len(files))
			}
			return files
		default:
			w.t.Fatalf("item is %+v", item)
		}
	}
}

func (w *world) subscribeSnapshot(f Filter) *Subscription {
	w.t.Helper()
	s, err := w.w.SubscribeSnapshot(w.t.Context(), f)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.Close)
	if item := w.next(s); item.Kind != Ready || item.Token != "" {
		w.t.Fatalf("the first item is %+v", item)
	}
	return s
}

func TestSnapshot(t *testing.T) {
	w := newWorld(t)
	w.disk("mkdir", []string{"r/d"})
	w.disk("write", []string{"r/.obbywatch", "*.md"})
	w.disk("write", []string{"r/a.md", "a"})
	w.disk("write", []string{"r/d/b.md", "bb"})
	w.disk("write", []string{"r/d/c.txt", "not matched"})
	w.watch("r")
	mine := Filter{Watches: []string{w.ids["r"]}}
	t.Run("the files that are there, then what happens to them", func(t *testing.T) {
		s := w.subscribeSnapshot(mine)
		w.disk("append", []string{"r/a.md", "more"})
		w.flush() // before the snapshot is read
		if got := w.snapshot(s); fmt.Sprint(got) != "[r/a.md 1 r/d/b.md 2]" {
			t.Errorf("it has %q", got)
		}
		w.expect(s, "modified r/a.md")
		w.disk("write", []string{"r/e.md", "e"})
		w.flush()
		w.expect(w.subscribe(s.token, mine), "created r/e.md")
	})
	t.Run("below a prefix", func(t *testing.T) {
		f := mine
		f.Prefix = filepath.Join(w.dir, "r/d")
		if got := w.snapshot(w.subscribeSnapshot(f)); fmt.Sprint(got) != "[r/d/b.md 2]" {
			t.Errorf("it has %q", got)
		}
	})
	t.Run("of a root that is still being scanned it waits for the end", func(t *testing.T) {
		w.disk("mkdir", []string{"s/d"})
		w.disk("write", []string{"s/d/a.md", "a"})
		begun, err := ask(t.Context(), w.w, func() (*root, error) {
			r, _, err := w.w.start(Start{Path: filepath.Join(w.dir, "s"), Patterns: &Patterns{Watch: []string{"*.md"}}})
			if (&Subscription{w: w.w}).capture() == nil {
				t.Error("it does not wait")
			}
			return r, err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.snapshot(w.subscribeSnapshot(Filter{Watches: []string{begun.id}})); fmt.Sprint(got) != "[s/d/a.md 1]" {
			t.Errorf("it has %q", got)
		}
	})
	t.Run("of a watch that there is not", func(t *testing.T) {
		if _, err := w.w.SubscribeSnapshot(t.Context(), Filter{Watches: []string{"x"}}); !errors.Is(err, ErrUnknownWatch) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestRetarget(t *testing.T) {
	t.Run("case 13: a root's symlink that leads elsewhere is followed by the safety scan", func(t *testing.T) {
		w := newWorld(t)
		for _, dir := range []string{"one", "two"} {
			w.disk("mkdir", []string{dir})
			w.disk("write", []string{dir + "/.obbywatch", "*.md"})
			w.disk("write", []string{dir + "/" + dir + ".md", dir})
		}
		w.disk("symlink", []string{"one", "link"})
		status, _, err := w.start(Start{Path: "link"})
		if err != nil || status.Path != filepath.Join(w.dir, "one") {
			t.Fatalf("it is %+v, %v", status, err)
		}
		w.ids["r"], w.roots[status.ID] = status.ID, "r"
		s := w.subscribe("", Filter{Watches: []string{status.ID}})
		w.disk("rm", []string{"link"})
		w.disk("symlink", []string{"two", "link"})
		w.disk("write", []string{"one/late.md", "reported: the link has not been looked at"})
		w.sync()
		w.do(func() { w.w.flush() })
		w.expect(s, "created one/late.md")
		w.do(func() { w.w.rescan(w.w.roots[1].started); w.w.flush() })
		w.expect(s, "created two/two.md initial")
		w.disk("write", []string{"one/gone.md", "of no interest any more"})
		w.disk("write", []string{"two/new.md", "new"})
		w.sync()
		w.do(func() { w.w.flush() })
		w.expect(s, "created two/new.md")
		if got := w.status("r"); got.Path != filepath.Join(w.dir, "two") || got.Directories != 1 {
			t.Errorf("it is %+v", got)
		}
	})
}

func TestSuspended(t *testing.T) {
	t.Run("after suspension every root is scanned again", func(t *testing.T) {
		w := newNotes(t, Options{Debounce: 1})
		s := w.subscribe("", Filter{Watches: []string{w.ids["r"]}})
		w.freeze()
		w.disk("write", []string{"r/a.md", "while nobody could notice"})
		w.loss = "forget"
		w.thaw()
		w.w.resumes.wake <- struct{}{}
		w.expect(s, "created r/a.md")
	})
}
