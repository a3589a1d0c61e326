package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// Busy reports whether another connection held the lock for longer than the busy
// timeout. Nothing was written; the call may be repeated.
func Busy(err error) bool {
	// PROTOCOL is the lock of the WAL's index, met too often in a row.
	return hasCode(err, sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrProtocol)
}

// Full reports whether the disk, the user's quota or the file's page limit is
// used up. The transaction must be rolled back; the database stays usable and
// recovers when there is room again (tracker case 38).
func Full(err error) bool {
	var e sqlite3.Error
	return hasCode(err, sqlite3.ErrFull) || errors.As(err, &e) &&
		(e.SystemErrno == syscall.ENOSPC || e.SystemErrno == syscall.EDQUOT)
}

// SystemError returns the operating system's error behind one of SQLite's, such as
// EMFILE; nil where there is none.
func SystemError(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) && e.SystemErrno != 0 {
		return e.SystemErrno
	}
	return nil
}

// Constraint reports whether a row was refused: by a UNIQUE, CHECK, NOT NULL or
// foreign key constraint, or by a trigger.
func Constraint(err error) bool { return hasCode(err, sqlite3.ErrConstraint) }

// Interrupted reports whether a statement ended early because its context did.
func Interrupted(err error) bool {
	return hasCode(err, sqlite3.ErrInterrupt) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Corrupt reports whether the file is damaged, or no database at all. Restore it
// from a backup.
func Corrupt(err error) bool { return hasCode(err, sqlite3.ErrCorrupt, sqlite3.ErrNotADB) }

// Unusable reports whether the file cannot be used until somebody acts: it is
// gone, forbidden, read-only, damaged, or its disk gives errors.
func Unusable(err error) bool {
	return Corrupt(err) || !Full(err) &&
		hasCode(err, sqlite3.ErrCantOpen, sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrAuth, sqlite3.ErrIoErr)
}

func hasCode(err error, codes ...sqlite3.ErrNo) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && slices.Contains(codes, e.Code)
}

// explain turns an error met while opening the file into one sentence that says
// what to do.
func explain(file string, err error) error {
	advice := ""
	switch {
	case hasCode(err, sqlite3.ErrNotADB):
		advice = "the file is not an SQLite database: name another file, or move this one away"
	case Corrupt(err):
		advice = "the file is damaged: restore it from a backup"
	case Full(err):
		advice = "the disk is full: make room on it"
	case Busy(err):
		advice = "another process keeps it locked: stop that process, or try again"
	case hasCode(err, sqlite3.ErrCantOpen, sqlite3.ErrReadonly, sqlite3.ErrPerm):
		// Readers too: they write the -shm file, and after a crash rebuild it
		// (tracker case 61).
		advice = "this user may not write there: grant write permission on the file, on its -wal and -shm files and on its directory"
		if readOnly(filepath.Dir(file)) {
			advice = "it lies on a read-only file system, and to read it too needs its -shm file written: mount it writable, or copy the database elsewhere"
		}
	default:
		return fmt.Errorf("database %s: %w", file, err)
	}
	return fmt.Errorf("database %s: %s (%w)", file, advice, err)
}
