package store_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/obby/go-services/content-tracker/internal/track"
)

// A comparison finds what is gone, however it went.
func TestFoundGone(t *testing.T) {
	t.Run("its directory was renamed and a symlink has the old name", func(t *testing.T) {
		w := newWorld(t, "")
		w.write("d/f", "old\n")
		w.mustReconcile()
		w.rename("d", "e")
		if err := os.Symlink("e", w.path("d")); err != nil {
			t.Fatal(err)
		}
		w.mustReconcile()
		w.write("e/f", "new\n")
		w.mustReconcile()
		expect(t, "steps of the old name", one[string](w, `SELECT group_concat(change_type) FROM
			(SELECT change_type FROM content_diffs WHERE file_path = ? ORDER BY id)`, w.path("d/f")), "created,deleted")
		expect(t, "live files", one[int](w, `SELECT count(*) FROM file_states WHERE content_hash IS NOT NULL`), 2) // .obbywatch
	})
	t.Run("the Python side left no state of it", func(t *testing.T) {
		w := newWorld(t, "")
		for _, name := range []string{"x", "a"} {
			w.write(name, "1\n")
			w.track(name)
		}
		w.store.Writer(t, `DELETE FROM file_states WHERE file_path = '`+w.path("a")+`'`)
		w.remove("a")
		w.mustReconcile()
		head, err := w.store.Head(t.Context(), w.path("a"))
		if err != nil || head.Live() {
			t.Errorf("head is %+v, %v", head, err)
		}
	})
}

// So many moves at once are left to CatchUp: the old names leave the index, too.
func TestMovesLeaveTheIndex(t *testing.T) {
	w := newWorld(t, "")
	const files = 100
	for i := range files {
		w.write(fmt.Sprintf("d/f%03d", i), fmt.Sprintf("word%d\n", i))
	}
	for range 2 {
		w.mustReconcile()
		if err := w.store.CatchUpNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(w.path("d")); err == nil {
			w.rename("d", "e")
		}
	}
	expect(t, "moves", one[int](w, `SELECT count(*) FROM content_diffs WHERE change_type = 'moved'`), files)
	expect(t, "indexed paths that are not live", one[int](w, `SELECT count(*) FROM obby_indexed
		WHERE file_path NOT IN (SELECT file_path FROM file_states WHERE content_hash IS NOT NULL)`), 0)
	expect(t, "entries of a word", one[int](w, `SELECT count(*) FROM obby_search WHERE obby_search MATCH 'word7'`), 1)
}

// The database wants file handles as well: what finds none passes, too.
func TestNoFileHandlesForTheDatabase(t *testing.T) { // case 16
	w := newWorld(t, "")
	const callers = 8
	for i := range callers {
		w.write(fmt.Sprint(i), "x\n")
		w.track(fmt.Sprint(i))
	}
	release := exhaust(t)
	errs := make([]error, callers)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() { _, errs[i] = w.tracker.Track(t.Context(), track.Request{Path: w.path(fmt.Sprint(i))}) })
	}
	group.Wait()
	release()
	for _, err := range errs {
		if err != nil && !track.Passes(err) {
			t.Errorf("case 16: %v", err)
		}
	}
}

// The Python side may remove what it likes: recording goes on.
func TestAfterPythonRemoved(t *testing.T) {
	w := newWorld(t, "")
	w.write("a", "x\n")
	r := track.Request{Path: w.path("a"), RequestID: "11111111-1111-1111-1111-111111111111"}
	if _, err := w.tracker.Track(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"file_versions", "content_diffs", "sqlite_sequence"} {
		w.store.Writer(t, `DELETE FROM `+table)
	}
	if _, err := w.tracker.Track(t.Context(), r); err != nil {
		t.Errorf("a request whose answer is gone: %v", err)
	}
	w.write("a", "y\n")
	expect(t, "a step with an id that was used before", w.track("a"), "modified +1 -1")
}
