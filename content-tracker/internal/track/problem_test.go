package track

import (
	"errors"
	"io/fs"
	"log/slog"
	"syscall"
	"testing"
)

// A directory that could not be listed for want of a file handle is not compared:
// the comparison is to be repeated.
func TestProblemPasses(t *testing.T) { // case 16
	r := &reconciliation{tracker: New(nil, Config{Workers: 1}, slog.New(slog.DiscardHandler)), root: "/r", dir: "/r"}
	r.problem("denied", &fs.PathError{Op: "open", Path: "denied", Err: syscall.EACCES})
	if err := r.track(t.Context()); err != nil {
		t.Errorf("case 16: a directory that may not be read: %v", err)
	}
	r.problem("sub", &fs.PathError{Op: "open", Path: "sub", Err: syscall.EMFILE})
	if err := r.track(t.Context()); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("case 16: error is %v", err)
	}
}
