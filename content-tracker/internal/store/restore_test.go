package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/content-tracker/internal/track"
)

// restore returns what was done, a line for each file, sorted.
func (w *world) restore(r track.Restoration) string {
	w.t.Helper()
	var all []string
	err := w.tracker.Restore(w.t.Context(), r, func(one track.Restored) {
		name := strings.TrimPrefix(strings.TrimPrefix(one.Path, w.root+"/"), w.elsewhere)
		text := map[track.Outcome]string{track.Written: "written", track.Same: "same", track.Removed: "removed"}[one.Outcome]
		if one.Err != nil {
			text = one.Err.Error()
		}
		if one.Change != 0 {
			text += " as a step"
		}
		all = append(all, name+": "+text)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func (w *world) disk(name string) string {
	w.t.Helper()
	body, err := os.ReadFile(w.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return "(gone)"
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return string(body)
}

// folder records a history and returns a time in the middle of it.
func (w *world) folder() (then time.Time) {
	w.t.Helper()
	for _, name := range []string{"d/kept", "d/edited", "d/deleted", "d/sub/moved"} {
		w.write(name, name+"\n")
		w.track(name)
	}
	w.write("d-beside", "x\n")
	w.track("d-beside")
	then = time.Now()
	w.write("d/edited", "later\n")
	w.track("d/edited")
	w.remove("d/deleted")
	w.track("d/deleted")
	w.rename("d/sub/moved", "d/moved")
	w.trackMove("d/sub/moved", "d/moved")
	w.write("d/new", "new\n")
	w.track("d/new")
	return then
}

func TestFilesAt(t *testing.T) {
	w := newWorld(t, "")
	then := w.folder()
	at := func(dir string, at time.Time) []string {
		files, err := w.store.FilesAt(t.Context(), w.path(dir), at)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range files {
			names = append(names, strings.TrimPrefix(f.Path, w.root+"/"))
		}
		return names
	}
	for name, tc := range map[string]struct {
		dir  string
		at   time.Time
		want []string
	}{
		"then":        {"d", then, []string{"d/deleted", "d/edited", "d/kept", "d/sub/moved"}},
		"now":         {"d", time.Now(), []string{"d/edited", "d/kept", "d/moved", "d/new"}},
		"before":      {"d", then.Add(-time.Hour), nil},
		"a file":      {"d/edited", then, []string{"d/edited"}},
		"the root":    {"", then, []string{"d-beside", "d/deleted", "d/edited", "d/kept", "d/sub/moved"}},
		"half a name": {"d/ed", then, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, at(tc.dir, tc.at)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRestoreFolder(t *testing.T) {
	w := newWorld(t, "")
	then := w.folder()
	w.write("d/edited", "never tracked\n")
	want := "d/deleted: written\nd/edited: written\nd/kept: same\nd/moved: removed\nd/new: removed\nd/sub/moved: written"
	r := track.Restoration{Path: w.path("d"), At: then, RemoveOthers: true, DryRun: true}
	expect(t, "dry run", w.restore(r), want)
	expect(t, "d/edited after the dry run", w.disk("d/edited"), "never tracked\n")

	r.DryRun = false
	expect(t, "restore", w.restore(r), strings.NewReplacer("written", "written as a step", "removed", "removed as a step").Replace(want))
	for name, text := range map[string]string{
		"d/kept": "d/kept\n", "d/edited": "d/edited\n", "d/deleted": "d/deleted\n", "d/sub/moved": "d/sub/moved\n", "d/moved": "(gone)", "d/new": "(gone)",
	} {
		expect(t, name, w.disk(name), text)
		if text != "(gone)" {
			expect(t, "tracking "+name+" again", w.track(name), "unchanged")
		}
	}
	expect(t, "what was never tracked before", one[int](w, `SELECT count(*) FROM file_versions WHERE content = 'never tracked'||char(10)`), 1)
	left, err := filepath.Glob(w.path("d/.obby*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	w.sound()
}

func TestRestoreElsewhere(t *testing.T) {
	w := newWorld(t, "")
	then := w.folder()
	inRoot := track.Restoration{Path: w.path("d"), At: then, Destination: w.path("copy")}
	expect(t, "into another folder of the root", w.restore(inRoot),
		"copy/deleted: written as a step\ncopy/edited: written as a step\ncopy/kept: written as a step\ncopy/sub/moved: written as a step")
	outside := track.Restoration{Path: w.path("d/edited"), At: then, Destination: filepath.Join(w.elsewhere, "a/b")}
	expect(t, "into a folder named for it", w.restore(outside), "/a/b: written")
	expect(t, "again", w.restore(outside), "/a/b: same")
	if err := os.WriteFile(outside.Destination, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := w.restore(outside); !strings.Contains(got, track.ErrInTheWay.Error()) {
		t.Errorf("over a file that is not on record: %s", got)
	}
	for _, to := range []string{"/etc/obby", w.elsewhere + "x/a", filepath.Join(w.root, "..", "a")} {
		err := w.tracker.Restore(t.Context(), track.Restoration{Path: w.path("d/edited"), At: then, Destination: to}, nil)
		if !errors.Is(err, track.ErrOutsideRoots) {
			t.Errorf("to %s: error is %v", to, err)
		}
	}
}

func TestRestoreVersion(t *testing.T) {
	w := newWorld(t, "")
	texts := []string{"a\r\nb\r\n", "caf\xe9\r", "\x00\x01", "lf\n", "\ufeffcr\rx", ""}
	for _, text := range texts {
		w.write("a", text)
		w.track("a")
	}
	if err := os.Chmod(w.path("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		version := one[int64](w, `SELECT new_version_id FROM content_diffs ORDER BY id LIMIT 1 OFFSET ?`, i)
		expect(t, "restored", w.restore(track.Restoration{Version: version}), "a: written as a step")
		expect(t, "content", w.disk("a"), text)
	}
	info, err := os.Stat(w.path("a"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions are %v, %v", info.Mode(), err)
	}
	w.write("a", strings.Repeat("x", maxContent+1))
	if got := w.restore(track.Restoration{Version: 1}); !strings.Contains(got, track.ErrInTheWay.Error()) {
		t.Errorf("over a file too large to be on record: %s", got)
	}
	w.remove("a")
	w.write("a/in", "x")
	if got := w.restore(track.Restoration{Version: 1}); !strings.Contains(got, track.ErrInTheWay.Error()) {
		t.Errorf("where a folder is now: %s", got)
	}
	w.remove("a")
	if err := os.Symlink("elsewhere", w.path("a")); err != nil {
		t.Fatal(err)
	}
	if got := w.restore(track.Restoration{Version: 1}); !strings.Contains(got, track.ErrInTheWay.Error()) {
		t.Errorf("where a symlink is now: %s", got)
	}
	err = w.tracker.Restore(t.Context(), track.Restoration{Version: 999}, nil)
	if !errors.Is(err, track.ErrNoVersion) {
		t.Errorf("no such version: %v", err)
	}
	err = w.tracker.Restore(t.Context(), track.Restoration{Path: w.path("never"), At: time.Now()}, nil)
	if !errors.Is(err, track.ErrNothingThen) {
		t.Errorf("nothing then: %v", err)
	}
}
