package store_test

import (
	"testing"

	"github.com/obby/go-services/content-tracker/internal/track"
)

// last is a policy that keeps each path's newest step.
var last = track.Policy{Rules: []track.Rule{{Pattern: "*", Last: 1}}}

func TestRetentionKeepsTheLastContentOfADeletedFile(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "1\n", "2\n")
	w.remove("a")
	w.track("a")
	_, paths := w.retain(false, 0, "* last=1")
	expect(t, "retention", paths, "a -1 steps -1 versions")
	expect(t, "steps", w.steps("a"), "created ->2, deleted 2>-")
	w.line("a")
	expect(t, "restored", w.restore(track.Restoration{Version: w.versionOf("a", "2\n")}), "a: written as a step")
	w.edit("a", "3\n", "4\n", "5\n")
	_, paths = w.retain(false, 0, "* last=1")
	expect(t, "retention when it is there again", paths, "a -5 steps -3 versions")
	w.line("a")
	w.sound()
}

// Those of an earlier program wiped it out; the path is thinned like any other.
func TestRetentionAfterADeletionOfNothing(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "1\n")
	w.remove("a")
	w.track("a")
	w.store.Writer(t, `DELETE FROM content_diffs WHERE change_type = 'created'`)
	w.store.Writer(t, `UPDATE content_diffs SET old_version_id = NULL`)
	w.edit("a", "3\n", "4\n", "5\n")
	w.retain(false, 0, "* last=2")
	expect(t, "steps", one[int](w, `SELECT count(*) FROM content_diffs`), 2)
	w.line("a")
	w.sound()
}

func TestRetentionOfAFileThatIsNewWhereAnotherWas(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "1\n")
	if err := w.tracker.SetLabel(t.Context(), w.versionOf("a", "1\n"), "", true); err != nil {
		t.Fatal(err)
	}
	w.edit("a", "2\n")
	w.rename("a", "b")
	w.trackMove("a", "b")
	w.edit("a", "3\n", "4\n")
	w.retain(false, 0, "* last=1")
	expect(t, "steps", w.steps("a"), "created ->1, created ->5")
	expect(t, "diff", one[string](w, `SELECT diff_content FROM content_diffs WHERE new_version_id = 5`), "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+4\n")
	w.sound()
}

func TestRetentionKeepsWhatIsPinnedMeanwhile(t *testing.T) {
	w := newWorld(t, "")
	for _, name := range []string{"a", "b"} {
		w.edit(name, "1\n", "2\n", "3\n")
	}
	if err := w.store.Done(t.Context(), 1<<40); err != nil {
		t.Fatal(err)
	}
	pinned := w.versionOf("b", "2\n")
	past, err := w.store.Past(t.Context(), w.path("b"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.tracker.Retain(t.Context(), last, false, func(lost track.Thinned) {
		if lost.Path == w.path("a") { // b has been weighed, and is next
			if err := w.tracker.SetLabel(t.Context(), pinned, "keep", true); err != nil {
				t.Error(err)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	expect(t, "steps to the pinned version", one[int](w, `SELECT count(*) FROM content_diffs WHERE new_version_id = ?`, pinned), 1)
	w.line("b")
	if _, err := w.store.Thin(t.Context(), track.Thinning{Path: w.path("b"), Past: past, Gone: []int64{past[1].ID}}); err == nil {
		t.Error("what was weighed before the version was pinned is thinned out all the same")
	}
	w.sound()
}

func TestRetentionKeepsWhatTheHubHasNotGot(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "1\n", "2\n", "3\n")
	retain := func() int64 {
		total, err := w.tracker.Retain(t.Context(), last, false, func(track.Thinned) {})
		if err != nil {
			t.Fatal(err)
		}
		return total.Steps
	}
	expect(t, "steps that go before they are sent", retain(), 0)
	if err := w.store.Done(t.Context(), one[int64](w, `SELECT min(id) + 1 FROM obby_outbox`)); err != nil {
		t.Fatal(err)
	}
	expect(t, "steps that go when two are sent", retain(), 2)
	next, ok, err := w.store.Next(t.Context(), 0)
	if err != nil || !ok || next.Change.Path != w.path("a") {
		t.Errorf("the hub's next: %+v, %t, %v", next, ok, err)
	}
}

func TestRetentionPassesOverAPathWhoseVersionIsGone(t *testing.T) {
	w := newWorld(t, "")
	for _, name := range []string{"a", "b"} {
		w.edit(name, "1\n", "2\n", "3\n")
	}
	python(t, w.database, `
db.execute("DELETE FROM file_versions WHERE file_path = ? AND content = '3'||char(10)", (sys.argv[2],))
db.commit()`, w.path("a"))
	_, paths := w.retain(false, 0, "* last=1")
	expect(t, "retention", paths, "b -2 steps -2 versions")
}

// While the search index is behind it needs the row that it was made of.
func TestRetentionKeepsWhatIsIndexed(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "first\n", "second\n", "third\n")
	for _, statement := range []string{
		`INSERT INTO obby_search (obby_search, rowid, file_path, content) SELECT 'delete', id, file_path, content FROM file_versions WHERE id = 3`,
		`INSERT INTO obby_search (rowid, file_path, content) SELECT id, file_path, content FROM file_versions WHERE id = 1`,
		`UPDATE obby_indexed SET version_id = 1`,
	} {
		w.store.Writer(t, statement)
	}
	_, paths := w.retain(false, 0, "* last=1")
	expect(t, "retention", paths, "a -2 steps -1 versions")
	if err := w.store.CatchUpNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, "found: first", w.found("first"), false)
	expect(t, "found: third", w.found("third"), true)
	w.sound()
}
