package track

import "errors"

// What can be wrong with a request or its file. Callers compare with errors.Is.
var (
	ErrInvalidPath   = errors.New("not a path of a file")
	ErrOutsideRoots  = errors.New("outside the configured roots")
	ErrNotRegular    = errors.New("not a regular file")
	ErrNotFound      = errors.New("does not exist and was never recorded")
	ErrRootWaiting   = errors.New("the root is missing or was replaced")
	ErrKeepsChanging = errors.New("keeps changing while it is read; try again when it rests")
	ErrUnreadable    = errors.New("cannot be read")
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
)
