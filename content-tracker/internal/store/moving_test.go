package store_test

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/sqlite"
)

// during runs change again and again while the file is tracked some times.
func (w *world) during(change func() error, times int, name string) {
	w.t.Helper()
	stop := make(chan struct{})
	var changing sync.WaitGroup
	changing.Go(func() { // ended below
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := change(); err != nil {
				w.t.Error(err)
				return
			}
		}
	})
	for range times {
		_, err := w.tracker.Track(w.t.Context(), track.Request{Path: w.path(name)})
		if err != nil && !errors.Is(err, track.ErrKeepsChanging) {
			w.t.Error(err)
		}
	}
	close(stop)
	changing.Wait()
}

func TestReplacedWhileRead(t *testing.T) { // case 18
	w := newWorld(t, "")
	texts := []string{strings.Repeat("first\n", 20_000), strings.Repeat("the second\n", 30_000)}
	w.write("a", texts[0])
	n := 0
	w.during(func() error {
		n++
		return errors.Join(os.WriteFile(w.path("new"), []byte(texts[n%2]), 0o644), os.Rename(w.path("new"), w.path("a")))
	}, 100, "a")
	w.track("a")
	expect(t, "case 18: contents that were neither the one nor the other",
		one[int](w, `SELECT count(*) FROM file_versions WHERE file_path = ? AND content NOT IN (?, ?)`, w.path("a"), texts[0], texts[1]), 0)
	expect(t, "case 18: the newest", w.track("a"), "unchanged")
	w.line("a")
	w.sound()
}

func TestGrowsWhileRead(t *testing.T) { // case 19
	w := newWorld(t, "")
	w.write("log", "begin\n")
	file, err := os.OpenFile(w.path("log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w.during(func() error {
		_, err := file.WriteString("another line\n")
		return err
	}, 20, "log")
	w.track("log")
	body, err := os.ReadFile(w.path("log"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "case 19: lines", one[int](w, `SELECT line_count FROM file_states`), strings.Count(string(body), "\n"))
}

func TestSparse(t *testing.T) { // case 32
	w := newWorld(t, "")
	w.write("sparse", "")
	if err := os.Truncate(w.path("sparse"), 256<<20); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	expect(t, "case 32", w.track("sparse"), "created +0 -0")
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("case 32: %d bytes were allocated for a file that is not kept", used)
	}
	expect(t, "case 32: kind", one[string](w, `SELECT kind FROM obby_versions`), string(track.Omitted))
}

// The clock was an hour ahead and has been set right: the next step still comes
// after the one before it, by its id and by its time.
func TestClockStepsBack(t *testing.T) { // case 34
	w := newWorld(t, "")
	w.write("a", "x\n")
	w.track("a")
	ahead := sqlite.FormatTime(time.Now().Add(time.Hour))
	w.store.Writer(t, `UPDATE content_diffs SET timestamp = '`+ahead+`'`)
	w.store.Writer(t, `UPDATE file_versions SET timestamp = '`+ahead+`'`)
	w.write("a", "y\n")
	expect(t, "case 34", w.track("a"), "modified +1 -1")
	expect(t, "case 34: steps whose time is not above that of the one before",
		one[int](w, `SELECT count(*) FROM content_diffs a JOIN content_diffs b ON b.id > a.id WHERE b.timestamp <= a.timestamp`), 0)
	expect(t, "case 34: the newest version by time",
		one[string](w, `SELECT content FROM file_versions ORDER BY timestamp DESC LIMIT 1`), "y\n")
}
