package store_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/textdiff"
)

func (w *world) retain(dry bool, maxBytes int64, rules ...string) (total track.Thinned, paths string) {
	w.t.Helper()
	if err := w.store.Done(w.t.Context(), math.MaxInt64); err != nil { // the hub has all of it
		w.t.Fatal(err)
	}
	p := track.Policy{MaxBytes: maxBytes}
	for _, text := range rules {
		r, err := track.ParseRule(text)
		if err != nil {
			w.t.Fatal(err)
		}
		p.Rules = append(p.Rules, r)
	}
	total, err := w.tracker.Retain(w.t.Context(), p, dry, func(lost track.Thinned) {
		paths += fmt.Sprintf("%s -%d steps -%d versions, ", strings.TrimPrefix(lost.Path, w.root+"/"), lost.Steps, lost.Versions)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return total, strings.TrimSuffix(paths, ", ")
}

// edit gives a file some contents, one after the other.
func (w *world) edit(name string, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		w.write(name, text)
		w.track(name)
	}
}

// line proves that a path's history is one line: every step begins where the
// one before it ended, and its diff says what changed.
func (w *world) line(name string) {
	w.t.Helper()
	rows, err := w.read.QueryContext(w.t.Context(), `SELECT d.id, ifnull(a.content, ''), ifnull(b.content, ''), d.diff_content,
		lag(d.new_version_id) OVER (ORDER BY d.id) IS NOT d.old_version_id AND d.change_type <> 'moved', d.change_type
		FROM content_diffs d LEFT JOIN file_versions a ON a.id = d.old_version_id LEFT JOIN file_versions b ON b.id = d.new_version_id
		WHERE d.file_path = ? AND d.diff_content NOT LIKE 'Binary files %'`, w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var from, to, diff, change string
		var broken bool
		if err := rows.Scan(&id, &from, &to, &diff, &broken, &change); err != nil {
			w.t.Fatal(err)
		}
		if broken {
			w.t.Errorf("step %d of %s does not begin where the one before it ended", id, name)
		}
		names := textdiff.Names{Old: name, New: name}
		if change == "created" {
			names.Old = ""
		}
		if change == "deleted" {
			names.New = ""
		}
		if want := textdiff.Unified(names, []byte(from), []byte(to), textdiff.ContextLines, track.MaxDiffText).Text; change != "moved" && diff != want {
			w.t.Errorf("step %d of %s has the diff\n%s\nwant\n%s", id, name, diff, want)
		}
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
}

func TestRetention(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a.log", "1\n", "2\n", "3\n", "4\n", "5\n")
	w.edit("b.md", "1\n", "2\n", "3\n")
	w.edit("c.log", "one\n", "two\n", "one\n", "two\n")
	w.edit("d.log", "x\n", "y\n")
	w.rename("d.log", "e.log")
	w.trackMove("d.log", "e.log")
	w.edit("e.log", "z\n", "zz\n")
	w.edit("f.log", "\x00blob", "\x00another", "\x00blob")
	pinned := one[int64](w, `SELECT id FROM file_versions WHERE file_path = ? AND content = '2'||char(10)`, w.path("a.log"))
	if err := w.tracker.SetLabel(t.Context(), pinned, "release", true); err != nil {
		t.Fatal(err)
	}
	const want = "a.log -3 steps -3 versions, c.log -3 steps -1 versions, d.log -1 steps -1 versions, e.log -1 steps -1 versions, f.log -2 steps -1 versions"
	rows := one[int](w, `SELECT (SELECT count(*) FROM file_versions) + (SELECT count(*) FROM content_diffs)`)
	dry, paths := w.retain(true, 0, "*.log last=1")
	expect(t, "dry run", paths, want)
	expect(t, "rows after the dry run", one[int](w, `SELECT (SELECT count(*) FROM file_versions) + (SELECT count(*) FROM content_diffs)`), rows)
	total, paths := w.retain(false, 0, "*.log last=1")
	expect(t, "retention", paths, want)
	expect(t, "totals", total, dry)
	for name, steps := range map[string]string{
		"a.log": "created ->2, modified 2>5", "b.md": "created ->6, modified 6>7, modified 7>8", "c.log": "created ->10",
		"d.log": "created ->12", "e.log": "moved 12>13, modified 13>15", "f.log": "created ->16",
	} {
		expect(t, "steps of "+name, w.steps(name), steps)
		w.line(name)
	}
	expect(t, "blobs", one[int](w, `SELECT count(*) FROM obby_blobs`), 1)
	expect(t, "rows of versions that are gone", one[int](w, `SELECT count(*) FROM obby_versions WHERE version_id NOT IN (SELECT id FROM file_versions)`), 0)
	if again, paths := w.retain(false, 0, "*.log last=1"); again.Steps != 0 {
		t.Errorf("the second time %s", paths)
	}
	w.sound()
	w.edit("a.log", "6\n")
	w.line("a.log")
	for _, text := range []string{"1\n", "4\n"} { // contents that are gone may come again
		w.edit("a.log", text)
	}
	w.line("a.log")
	w.sound()
}

func TestRetentionSize(t *testing.T) {
	w := newWorld(t, "")
	for i := range 20 {
		w.edit("a", fmt.Sprintf("%d %s", i, strings.Repeat("a", 1000)))
		w.edit("b", fmt.Sprintf("%d %s", i, strings.Repeat("b", 1000)))
	}
	before, err := w.store.Bytes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.retain(true, before/2)
	if after, err := w.store.Bytes(t.Context()); err != nil || after != before {
		t.Errorf("a dry run changed %d bytes to %d, %v", before, after, err)
	}
	w.retain(false, before/2)
	after, err := w.store.Bytes(t.Context())
	if err != nil || after > before/2+3000 || after < before/4 {
		t.Errorf("%d bytes became %d, %v", before, after, err)
	}
	w.line("a")
	w.line("b")
	expect(t, "the newest", one[string](w, `SELECT content FROM file_versions WHERE file_path = ? ORDER BY id DESC LIMIT 1`, w.path("a"))[:3], "19 ")
	expect(t, "the oldest", one[int](w, `SELECT count(*) FROM file_versions WHERE content LIKE '0 %'`), 0)
	w.retain(false, 1)
	expect(t, "steps when nearly nothing may stay", one[int](w, `SELECT count(*) FROM content_diffs`), 2)
	w.sound()
}

// What the Python side's summaries refer to stays, and so do rows of its own that
// do not say which versions they are between.
func TestRetentionBesidePython(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "1\n", "2\n", "3\n")
	w.edit("b", "1\n", "2\n", "3\n")
	python(t, w.database, `
db.execute("INSERT INTO semantic_entries (version_id, timestamp, file_path) SELECT id, timestamp, file_path FROM file_versions WHERE file_path = ? AND content = '2'||char(10)", (sys.argv[2],))
db.execute("UPDATE content_diffs SET old_version_id = NULL WHERE file_path = ? AND change_type = 'modified'", (sys.argv[3],))
db.commit()`, w.path("a"), w.path("b"))
	_, paths := w.retain(false, 0, "* last=1")
	expect(t, "retention", paths, "a -1 steps -1 versions")
	expect(t, "summaries", one[int](w, `SELECT count(*) FROM semantic_entries`), 1)
	w.retain(false, 1)
	expect(t, "steps of b", one[int](w, `SELECT count(*) FROM content_diffs WHERE file_path = ?`, w.path("b")), 3)
	w.sound()
}

func TestLabels(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "1\n", "2\n", "3\n")
	set := func(version int64, label string, pinned bool) error {
		return w.tracker.SetLabel(context.Background(), version, label, pinned)
	}
	if err := set(99, "x", true); err == nil {
		t.Error("a version that is not there was labelled")
	}
	for _, x := range []struct {
		label  string
		pinned bool
		want   string
	}{{"draft", false, "draft 0"}, {"final", true, "final 1"}, {"", true, " 1"}, {"", false, ""}} {
		if err := set(1, x.label, x.pinned); err != nil {
			t.Fatal(err)
		}
		expect(t, "label", one[string](w, `SELECT ifnull(max(label || ' ' || pinned), '') FROM obby_labels WHERE version_id = 1`), x.want)
	}
}
