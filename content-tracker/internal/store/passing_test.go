package store_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/obby/go-services/content-tracker/internal/track"
)

// What says nothing of the file is an error, and never a deletion.
func TestNoFileHandles(t *testing.T) { // case 16
	w := newWorld(t, "")
	w.write("a", "x\n")
	w.track("a") // and the database has its handles
	w.write("a", "y\n")
	release := exhaust(t)
	err := w.failing("a")
	_, reconcileErr := w.reconcile(false)
	release()
	if !errors.Is(err, track.ErrReadFailed) || !track.Passes(err) {
		t.Errorf("case 16: error is %v", err)
	}
	if reconcileErr == nil {
		t.Error("case 16: a comparison without file handles went well")
	}
	expect(t, "case 16: steps", strings.Count(w.steps("a"), ">"), 1)
	expect(t, "case 16: once there are handles again", w.track("a"), "modified +1 -1")
	w.sound()
}

// exhaust takes every file handle that the process may have.
func exhaust(t *testing.T) (release func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	few := before
	few.Cur = 200
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	var taken []*os.File
	for {
		file, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		taken = append(taken, file)
	}
	return func() {
		for _, file := range taken {
			file.Close()
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
			t.Error(err)
		}
	}
}

// Memory that is not mapped is a regular file that cannot be read: a real EIO.
func TestReadError(t *testing.T) { // case 16
	w := newWorld(t, "")
	root := fmt.Sprint("/proc/", os.Getpid())
	tracker := track.New(w.store, track.Config{Roots: []string{root}, MaxContent: maxContent, Workers: 1}, slog.New(slog.DiscardHandler))
	_, err := tracker.Track(t.Context(), track.Request{Path: filepath.Join(root, "mem")})
	if !errors.Is(err, track.ErrReadFailed) || !errors.Is(err, syscall.EIO) || track.Passes(err) {
		t.Errorf("case 16: error is %v", err)
	}
}
