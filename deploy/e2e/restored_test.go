package e2e

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/deploy/run/stack"
)

// backUp copies a database to a file beside it, as SQLite's backup does, and
// returns its path.
func backUp(t *testing.T, database string) string {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	backup := database + ".backup"
	if _, err := db.ExecContext(t.Context(), `VACUUM INTO ?`, backup); err != nil {
		t.Fatal(err)
	}
	return backup
}

// putBack puts a copy in the place of the database, as docs/operations.md says.
func putBack(t *testing.T, backup, database string) {
	t.Helper()
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(database + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.Rename(backup, database); err != nil {
		t.Fatal(err)
	}
}

// restoreOlder records something, then goes back to a copy from before that, and has
// the tracker record new files under the ids that the copy lacks.
func (w *world) restoreOlder(t *testing.T, events *listener) {
	t.Helper()
	record := func(names ...string) {
		for _, name := range names {
			write(t, w.path(name), "old\n")
			events.until(t, w.path(name), "created")
		}
	}
	record("1.md", "2.md")
	backup := backUp(t, w.database)
	record("3.md", "4.md", "5.md")

	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	if err := w.Get(stack.Tracker).Stop(ctx); err != nil {
		t.Fatal(err)
	}
	putBack(t, backup, w.database)
	for _, name := range []string{"3.md", "4.md", "5.md"} {
		remove(t, w.path(name))
	}
	for _, name := range newNames {
		write(t, w.path(name), "new\n")
	}
	if err := w.Get(stack.Tracker).Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
}

var newNames = []string{"a.md", "b.md", "c.md", "d.md"}

// After a restore of an older copy the ids of the steps that it lacks are given
// again; the browsers get what was recorded under them all the same.
func TestRestoredIDsReachBrowsers(t *testing.T) { // tracker case 60
	w := startWorld(t, "")
	events := w.listen(t)
	w.restoreOlder(t, events)
	want, got := map[string]string{}, map[string]string{}
	again := false // an id of before came again: or this shows nothing
	for _, name := range newNames {
		want[w.path(name)] = "created"
		c := events.next(t)
		got[c.Path] = c.Type
		again = again || c.ID == "3"
	}
	if diff := cmp.Diff(want, got); diff != "" || !again {
		t.Errorf("after the restore (-want +got), ids given again: %v\n%s", again, diff)
	}
}

func TestPageShowsRestoredIDs(t *testing.T) {
	w := startWorld(t, "")
	page := browse(t, "http://"+w.Get(stack.Hub).Addr["http"]+"/")
	page.await(t, "live")
	w.restoreOlder(t, w.listen(t))
	eventually(t, "the page shows the steps of before and of after the restore", func() bool {
		return len(page.shown(t)) == 5+len(newNames)
	})
}

// A database that is replaced or removed under a tracker at work takes no answer with
// it: callers are told, the tracker ends, and a start goes on with the file that lies
// there then, and with what the disk holds.
func TestReplacedUnderLoad(t *testing.T) { // tracker case 60
	for name, replace := range map[string]func(t *testing.T, database string){
		"by a copy": func(t *testing.T, database string) { putBack(t, backUp(t, database), database) },
		"by a copy, the log left behind": func(t *testing.T, database string) {
			if err := os.Rename(backUp(t, database), database); err != nil {
				t.Fatal(err)
			}
		},
		"by nothing": func(t *testing.T, database string) { remove(t, database) },
	} {
		t.Run(name, func(t *testing.T) {
			l := startLoaded(t, t.TempDir())
			l.until(t, 0, func() { replace(t, l.database) })
			<-l.process.Done()
			if said := l.process.LastLine(); !strings.Contains(said, "was replaced or removed while it was in use") {
				t.Errorf("the tracker ended with %q", said)
			}
			l.restart(t)
			inspect(t, l.database, func(h *history) { h.sound(t) })
			if diff := cmp.Diff(textsBelow(t, l.root), storedIn(t, l.database)); diff != "" {
				t.Errorf("disk and database (-disk +stored):\n%s", diff)
			}
		})
	}
}
