package store_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/sqlite"
)

// large is over the tests' cap, and within that of capped.
var large = strings.Repeat("findme 0123456789\n", 100_000)

// raise has a tracker with a larger cap go on, as after a restart.
func (w *world) raise() {
	w.tracker = track.New(w.store, track.Config{Roots: []string{w.root}, MaxContent: 10 << 20, Workers: 1}, slog.New(slog.DiscardHandler))
}

// kept says whether a version's content is stored, and is that.
func (w *world) kept(version int64, text string) bool {
	c, err := w.store.Content(w.t.Context(), version)
	return err == nil && string(c.Body) == text
}

// versionOf returns the version of a file that has a text.
func (w *world) versionOf(name, text string) int64 {
	w.t.Helper()
	return one[int64](w, `SELECT id FROM file_versions WHERE file_path = ? AND content = ?`, w.path(name), text)
}

func TestContentIsKeptOnceTheCapAllows(t *testing.T) {
	t.Run("it comes again", func(t *testing.T) {
		w := newWorld(t, "")
		w.edit("a", large, "small\n")
		w.raise()
		w.write("a", large)
		expect(t, "step", w.track("a"), "modified +100000 -1")
		expect(t, "kept", w.kept(1, large), true)
		expect(t, "found", w.found("findme"), true)
		w.sound()
	})
	t.Run("it is there still", func(t *testing.T) {
		w := newWorld(t, "")
		w.edit("a", large)
		w.raise()
		expect(t, "step", w.track("a"), "unchanged")
		expect(t, "kept", w.kept(1, large), true)
		expect(t, "found", w.found("findme"), true)
		w.edit("a", "small\n")
		expect(t, "found when it is gone", w.found("findme"), false)
		w.sound()
	})
	t.Run("it is binary", func(t *testing.T) {
		w := newWorld(t, "")
		w.edit("a", "\x00"+large, "small\n")
		w.raise()
		w.edit("a", "\x00"+large)
		expect(t, "kept", w.kept(1, "\x00"+large), true)
	})
	t.Run("the Python side kept none", func(t *testing.T) {
		w := newWorld(t, "")
		w.edit("a", "1\n", "2\n")
		w.store.Writer(t, `UPDATE file_versions SET content = NULL WHERE id = 1`)
		w.store.Writer(t, `DELETE FROM obby_versions`)
		w.edit("a", "1\n")
		expect(t, "kept", w.kept(1, "1\n"), true)
	})
	t.Run("the Python side kept it under no cap", func(t *testing.T) {
		w := newWorld(t, "")
		w.edit("a", large)
		python(t, w.database, `
db.execute("UPDATE file_versions SET content = 'its own'")
db.execute("DELETE FROM obby_versions")
db.commit()`)
		expect(t, "step", w.track("a"), "unchanged")
		expect(t, "kept as it was", w.kept(1, "its own"), true)
		w.store.Writer(t, `UPDATE obby_versions SET kind = 'omitted'`)
		w.raise()
		expect(t, "step under a larger cap", w.track("a"), "unchanged")
		expect(t, "not replaced", w.kept(1, "its own"), true)
	})
}

// TestRestoreOverWhatIsNotKept: nothing is replaced or removed whose content is not
// stored, though its hash is on record.
func TestRestoreOverWhatIsNotKept(t *testing.T) {
	w := newWorld(t, "")
	w.edit("d/a", "small\n")
	then := time.Now()
	w.edit("d/a", "later\n")
	w.edit("d/new", "new\n")
	w.store.Writer(t, `UPDATE file_versions SET content = NULL WHERE content IN ('later' || char(10), 'new' || char(10))`)
	got := w.restore(track.Restoration{Path: w.path("d"), At: then, RemoveOthers: true})
	if strings.Count(got, track.ErrInTheWay.Error()+": it is on record without its content") != 2 {
		t.Errorf("restored: %s", got)
	}
	expect(t, "d/a", w.disk("d/a"), "later\n")
	expect(t, "d/new", w.disk("d/new"), "new\n")
}

// A file that was recorded under a smaller cap is kept before it is replaced.
func TestRestoreOverWhatWasTooLarge(t *testing.T) {
	w := newWorld(t, "")
	w.edit("d/a", "small\n")
	then := time.Now()
	w.edit("d/a", large)
	w.edit("d/new", large)
	w.raise()
	expect(t, "restored", w.restore(track.Restoration{Path: w.path("d"), At: then, RemoveOthers: true}),
		"d/a: written as a step\nd/new: removed as a step")
	expect(t, "contents that are kept", one[int](w, `SELECT count(*) FROM file_versions WHERE content IS NOT NULL AND length(content) > 1000000`), 2)
	w.sound()
}

// The change log, which retention leaves alone, tells what the steps do not any more.
func TestRestoreLeavesWhatWasThereAndIsThinnedOut(t *testing.T) {
	w := newWorld(t, "")
	w.edit("d/kept", "1\n")
	w.edit("d/thinned", "1\n")
	w.edit("d/gone", "1\n")
	w.remove("d/gone")
	w.track("d/gone")
	w.edit("d/away", "1\n")
	w.rename("d/away", "away")
	w.trackMove("d/away", "away")
	then, ok := sqlite.ParseTime(one[string](w, `SELECT +max(timestamp) FROM content_diffs`)) // of the last of these steps
	if !ok {
		t.Fatal("the step has no time")
	}
	w.edit("d/thinned", "2\n", "3\n")
	w.edit("d/gone", "2\n", "3\n")
	w.edit("d/away", "2\n", "3\n")
	w.edit("d/new", "1\n")
	w.retain(false, 0, "* last=1")
	for _, dry := range []bool{true, false} {
		got := w.restore(track.Restoration{Path: w.path("d"), At: then, RemoveOthers: true, DryRun: dry})
		for _, line := range strings.Split(strings.ReplaceAll(got, " as a step", ""), "\n") {
			name, outcome, _ := strings.Cut(line, ": ")
			if name == "d/thinned" {
				expect(t, "what is said of d/thinned", strings.Contains(outcome, "was there then, but what it was is thinned out"), true)
			} else {
				expect(t, name, outcome, map[string]string{"d/kept": "same"}[name]+map[bool]string{true: "removed"}[name != "d/kept"])
			}
		}
		expect(t, "files", strings.Count(got, "\n")+1, 5)
	}
	expect(t, "d/thinned", w.disk("d/thinned"), "3\n")
	expect(t, "d/new", w.disk("d/new"), "(gone)")
}

// Line ends alone are no step (tracker case 3). They come back as the file last had
// them, for they are one for each content of a path.
func TestLineEnds(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "x\n", "1\n2\n")
	w.edit("b", "1\n2\n")
	x, a, b := w.versionOf("a", "x\n"), w.versionOf("a", "1\n2\n"), w.versionOf("b", "1\n2\n")
	w.write("a", "1\r\n2\r\n")
	expect(t, "dry run", w.restore(track.Restoration{Version: a, DryRun: true}), "a: same")
	expect(t, "at its own path", w.restore(track.Restoration{Version: a}), "a: same")
	expect(t, "line ends", one[string](w, `SELECT eol FROM obby_versions WHERE version_id = ?`, a), "crlf")
	expect(t, "replaced", w.restore(track.Restoration{Version: x}), "a: written as a step")
	expect(t, "taken back", w.restore(track.Restoration{Version: a}), "a: written as a step")
	expect(t, "content", w.disk("a"), "1\r\n2\r\n")

	elsewhere := track.Restoration{Version: b, Destination: w.path("a")}
	expect(t, "the other file's, over this one", w.restore(elsewhere), "a: written")
	expect(t, "content", w.disk("a"), "1\n2\n")
	expect(t, "again", w.restore(elsewhere), "a: same")
	w.edit("b", "1\n2\r\n")
	expect(t, "mixed ones are LF", w.restore(elsewhere), "a: same")
	w.sound()
}

func TestTrackTellsLineEnds(t *testing.T) {
	w := newWorld(t, "")
	w.edit("a", "1\n2\n")
	w.write("a", "1\r2\r")
	result, err := w.tracker.Track(t.Context(), track.Request{Path: w.path("a")})
	if err != nil || result.Recorded || result.Version.EOL != track.CR || result.Version.Size != 4 {
		t.Errorf("result is %+v, %v", result.Version, err)
	}
	head, err := w.store.Head(t.Context(), w.path("a"))
	if err != nil || head.Version.EOL != track.CR {
		t.Errorf("head is %+v, %v", head.Version, err)
	}
	w.store.Writer(t, `UPDATE obby_versions SET eol = 'lf'`) // as they were noted before
	w.track("a")
	expect(t, "line ends that nothing else tells of", one[string](w, `SELECT eol FROM obby_versions`), "cr")
}
