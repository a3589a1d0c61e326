package track

import (
	"errors"
	"slices"
	"syscall"
)

// What can be wrong with a request or its file. Callers compare with errors.Is.
var (
	ErrInvalidPath   = errors.New("not a path of a file")
	ErrOutsideRoots  = errors.New("outside the configured roots")
	ErrNotRegular    = errors.New("not a regular file")
	ErrNotFound      = errors.New("does not exist and was never recorded")
	ErrRootWaiting   = errors.New("the root is missing or was replaced")
	ErrKeepsChanging = errors.New("keeps changing while it is read; try again when it rests")
	ErrUnreadable    = errors.New("cannot be read")
	ErrReadFailed    = errors.New("could not be read this time")
	ErrNoRoot        = errors.New("not a configured root")
	ErrNoVersion     = errors.New("no such version")
	ErrNoPolicy      = errors.New("no retention policy: give rules or max_bytes, or start the service with --retain")
	ErrBadRule       = errors.New("not a retention rule")
	ErrNothingThen   = errors.New("nothing was there")
	ErrInTheWay      = errors.New("what is there would be lost: move it away first")
	ErrNoContent     = errors.New("the content is not stored")
	ErrDiffTooLarge  = errors.New("the diff is too large for one answer: compare smaller contents")
	ErrBusy          = errors.New("the database is locked by another program")
	ErrFull          = errors.New("the disk or the database is full")
	ErrReplaced      = errors.New("the file was replaced or removed while it was in use: the content-tracker ends; " +
		"started again, it goes on with the file that lies there then, or makes one")
)

// exhausted are the system's errors that say nothing of a file: it is the machine,
// or this process, that has too much in hand.
var exhausted = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM}

// passingOfFile are those of one file: of a disk, of a server's, and that another
// program has leased it (open(2), EAGAIN).
var passingOfFile = []error{syscall.EIO, syscall.ESTALE, syscall.EAGAIN}

// Passes reports whether an error goes away by itself, so that the same call is
// worth waiting for: a locked database, a full disk, no file handle left. A disk
// that cannot be read (EIO) is worth another call, not waiting.
func Passes(err error) bool {
	return errors.Is(err, ErrBusy) || errors.Is(err, ErrFull) || isAny(err, exhausted)
}

func isAny(err error, targets []error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
