package store_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/obby/go-services/content-tracker/internal/track"
)

// Case 60, for the writer: nobody is told that something was recorded when it went
// into a file that is not there any more.
func TestReplacedDatabase(t *testing.T) {
	for name, replace := range map[string]func(w *world) error{
		"removed": func(w *world) error { return os.Remove(w.database) },
		"moved away": func(w *world) error {
			return os.Rename(w.database, w.database+".old")
		},
		"replaced, the log left behind": func(w *world) error {
			w.store.Writer(t, `VACUUM INTO '`+w.database+`.copy'`)
			return os.Rename(w.database+".copy", w.database)
		},
	} {
		t.Run("case 60: "+name, func(t *testing.T) {
			w := newWorld(t, "")
			w.write("a", "x\n")
			w.track("a")
			if err := replace(w); err != nil {
				t.Fatal(err)
			}
			w.write("b", "x\n")
			if err := w.failing("b"); !errors.Is(err, track.ErrReplaced) {
				t.Errorf("error is %v", err)
			}
			if err := w.store.Stay(t.Context()); !errors.Is(err, track.ErrReplaced) {
				t.Errorf("who waits for it is told %v", err)
			}
			if err := w.store.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(w.database + "-wal"); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the log of the file that was replaced is left to the next one: %v", err)
			}
			again, tracker := w.open()
			if result, err := tracker.Track(t.Context(), track.Request{Path: w.path("b")}); err != nil || !result.Recorded {
				t.Errorf("the file that lies there now: %v, %v", result, err)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Found by itself while nobody writes; and the log of the file that lies there now
// is its own.
func TestReplacedWhileIdle(t *testing.T) {
	w := newWorld(t, "")
	w.write("a", "x\n")
	w.track("a")
	ended := make(chan error, 1)
	go func() { ended <- w.store.Stay(t.Context()) }()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(w.database + suffix); err != nil {
			t.Fatal(err)
		}
	}
	w.open() // as another program would
	if err := <-ended; !errors.Is(err, track.ErrReplaced) {
		t.Errorf("it ended with %v", err)
	}
	if err := w.store.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(w.database + "-wal"); err != nil {
		t.Errorf("the log of the new file: %v", err)
	}
}

func TestStayEnds(t *testing.T) {
	w := newWorld(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.store.Stay(ctx); err != nil {
		t.Errorf("without a reason it ended with %v", err)
	}
}
