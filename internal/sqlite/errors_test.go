package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"
)

func TestErrors(t *testing.T) {
	type kinds struct{ busy, full, constraint, interrupted, corrupt, unusable bool }
	for _, tc := range []struct {
		name string
		err  error
		want kinds
	}{
		{"nil", nil, kinds{}},
		{"another error", errors.New("database is locked"), kinds{}},
		{"sql error", sqlite3.Error{Code: sqlite3.ErrError}, kinds{}},
		{"busy", sqlite3.Error{Code: sqlite3.ErrBusy, ExtendedCode: sqlite3.ErrBusySnapshot}, kinds{busy: true}},
		{"locking protocol", sqlite3.Error{Code: sqlite3.ErrProtocol}, kinds{busy: true}},
		{"full", sqlite3.Error{Code: sqlite3.ErrFull}, kinds{full: true}},
		{"no space for -shm", sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.ENOSPC}, kinds{full: true}},
		{"unique", sqlite3.Error{Code: sqlite3.ErrConstraint, ExtendedCode: sqlite3.ErrConstraintUnique}, kinds{constraint: true}},
		{"interrupt", sqlite3.Error{Code: sqlite3.ErrInterrupt}, kinds{interrupted: true}},
		{"deadline", context.DeadlineExceeded, kinds{interrupted: true}},
		{"corrupt", sqlite3.Error{Code: sqlite3.ErrCorrupt}, kinds{corrupt: true, unusable: true}},
		{"not a database", sqlite3.Error{Code: sqlite3.ErrNotADB}, kinds{corrupt: true, unusable: true}},
		{"cannot open", sqlite3.Error{Code: sqlite3.ErrCantOpen}, kinds{unusable: true}},
		{"read-only", sqlite3.Error{Code: sqlite3.ErrReadonly}, kinds{unusable: true}},
		{"disk error", sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EIO}, kinds{unusable: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.err
			if err != nil {
				err = fmt.Errorf("insert version: %w", err)
			}
			got := kinds{Busy(err), Full(err), Constraint(err), Interrupted(err), Corrupt(err), Unusable(err)}
			if got != tc.want {
				t.Errorf("kinds of %v are %+v, want %+v", err, got, tc.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	for code, want := range map[sqlite3.ErrNo]string{
		sqlite3.ErrNotADB:   "name another file",
		sqlite3.ErrCorrupt:  "restore it from a backup",
		sqlite3.ErrFull:     "make room",
		sqlite3.ErrBusy:     "stop that process",
		sqlite3.ErrReadonly: "grant write permission",
		sqlite3.ErrCantOpen: "grant write permission",
		sqlite3.ErrError:    "database /data/obby.db: ",
	} {
		cause := sqlite3.Error{Code: code}
		err := explain("/data/obby.db", cause)
		if !strings.Contains(err.Error(), want) || !errors.Is(err, cause) {
			t.Errorf("explain(%v) = %q, want it to say %q and wrap its cause", cause, err, want)
		}
	}
	if err := versionError(3_040_001); !strings.Contains(err.Error(), "3.40.1") {
		t.Errorf("versionError = %q, want it to name 3.40.1", err)
	}
}
