package e2e

import (
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/deploy/run/stack"
)

// After a storm in which watcher and tracker are killed, the stored files equal
// the disk, and an SSE client has got every recorded step once.
func TestStorm(t *testing.T) {
	w := startWorld(t, "")
	events := w.listen(t)
	rng := rand.New(rand.NewPCG(4, 2))
	storm := func() {
		for range 60 {
			w.disturb(t, rng)
		}
	}
	for round := range 12 {
		switch round % 4 {
		case 1:
			w.kill(t, stack.Tracker, storm)
		case 3:
			w.kill(t, stack.Watcher, storm)
		}
		storm()
		w.settle(t)
	}

	write(t, w.path("last.md"), "end\n")
	got := map[string]int{}
	for _, c := range events.until(t, w.path("last.md"), "created") {
		got[c.ID]++
	}
	want := map[string]int{}
	for _, id := range w.steps(t) {
		want[id] = 1
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps recorded and received (-want +got):\n%s", diff)
	}
	t.Logf("%d steps recorded, %d files live", len(want), len(w.stored(t)))
}

// settle waits until the stored files equal the disk.
func (w *world) settle(t *testing.T) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("disk and database (-disk +stored):\n%s", cmp.Diff(w.onDisk(t), w.stored(t)))
		}
	}()
	eventually(t, "the stored files equal the disk", func() bool { return cmp.Equal(w.onDisk(t), w.stored(t)) })
}

// disturb changes something in the watched folder, as people and editors do.
func (w *world) disturb(t *testing.T, rng *rand.Rand) {
	t.Helper()
	name := func() string { return w.path(fmt.Sprintf("d%d/f%d.md", rng.IntN(4), rng.IntN(8))) }
	path := name()
	switch rng.IntN(8) {
	case 0, 1, 2:
		write(t, path, fmt.Sprintln("text", rng.IntN(1000)))
	case 3: // as an editor saves
		write(t, path+".tmp", fmt.Sprintln("saved", rng.IntN(1000)))
		_ = os.Rename(path+".tmp", path)
	case 4, 5: // what is not there cannot be moved or removed: nothing happens then
		_ = os.Rename(path, name())
	case 6:
		_ = os.Remove(path)
	case 7:
		_ = os.Rename(w.path(fmt.Sprintf("d%d", rng.IntN(4))), w.path(fmt.Sprintf("d%d", rng.IntN(4))))
	}
}

// steps lists the ids of the recorded steps.
func (w *world) steps(t *testing.T) (ids []string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+w.database+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT id FROM content_diffs ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return ids
}

// A watcher that is stopped while more happens than the kernel's queue holds finds
// out by itself, and nobody has to tell it.
func TestWatcherStopped(t *testing.T) {
	t.Run("watcher cases 38 and 42: stopped under load and continued", func(t *testing.T) {
		w := startWorld(t, "")
		for i := range 4 { // so that the directories are watched
			write(t, w.path(fmt.Sprintf("d%d/f%d.md", i, i)), "before\n")
		}
		w.settle(t)
		watcher := w.Get(stack.Watcher)
		if err := watcher.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		for i := range 10_000 { // with two notifications each, more than 16,384
			write(t, w.path(fmt.Sprintf("d%d/f%d.md", i%4, i%25)), fmt.Sprintln("text", i))
		}
		for i := range 5 {
			_ = os.Remove(w.path(fmt.Sprintf("d%d/f%d.md", i%4, i)))
		}
		if err := watcher.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		w.settle(t)
		resp, err := http.Get("http://" + watcher.Addr["admin"] + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		metrics, err := io.ReadAll(resp.Body)
		if err != nil || strings.Contains(string(metrics), "obby_watcher_overflows_total 0\n") {
			t.Errorf("the kernel's queue did not overflow, %v", err)
		}
	})
}
