package query

import "errors"

// What a question can meet.
var (
	ErrUnavailable     = errors.New("no usable database")
	ErrBusy            = errors.New("the database is locked by another process: try again")
	ErrDamaged         = errors.New("the database is damaged: restore it from a backup")
	ErrPathNotFound    = errors.New("the path was never recorded")
	ErrVersionNotFound = errors.New("no such version")
	ErrContentNotKept  = errors.New("the content was not kept: the file was too large, or the row has none")
	ErrContentTooLarge = errors.New("the content is larger than a message may be")
	ErrBinary          = errors.New("the content is binary: it has no lines to compare")
	ErrDiffTooLarge    = errors.New("the diff is larger than a message may be: ask with fewer context_lines, or for the contents")
	ErrReplaced        = errors.New("the database was replaced: start again with since_time")
	ErrNoIndex         = errors.New("the database has no search index yet: run the content-tracker on it once")
	ErrUnknownToken    = errors.New("not a token of this database: start again with since_time")
)

// What is wrong with a question.
var (
	ErrReversed          = errors.New("the start is after the end")
	ErrTooManyBuckets    = errors.New("more than 10,000 buckets: use wider ones, or a shorter range")
	ErrUnknownZone       = errors.New("not the name of a time zone, such as Europe/Berlin")
	ErrNotAbsolute       = errors.New("not an absolute path")
	ErrTooLong           = errors.New("more than 1,000 characters")
	ErrTooManyExtensions = errors.New("more than 50 extensions")
)
