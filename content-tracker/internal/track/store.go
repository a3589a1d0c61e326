package track

import (
	"context"
	"time"
)

// Store keeps the history. Its methods return ErrBusy and ErrFull where the
// database is locked or full, and have then changed nothing.
type Store interface {
	// Head returns where a path stands; a path without record is not Known.
	Head(ctx context.Context, path string) (Head, error)
	// Live returns the live paths below a directory, each with the Stat that it was
	// last tracked with: little, for there may be a million.
	Live(ctx context.Context, dir string) (map[string]Stat, error)
	// Content returns a version's content: ErrNoVersion, ErrNoContent.
	Content(ctx context.Context, version int64) (Content, error)
	// PathOf returns the path of a version: ErrNoVersion.
	PathOf(ctx context.Context, version int64) (string, error)
	// FilesAt returns the files that were at or below a path at a time, by path.
	FilesAt(ctx context.Context, path string, at time.Time) ([]FileAt, error)
	// SetLabel labels and pins a version, or takes both back: ErrNoVersion.
	SetLabel(ctx context.Context, version int64, label string, pinned bool) error
	// Paths returns the paths with more than one step.
	Paths(ctx context.Context) ([]string, error)
	// Past returns a path's steps, oldest first.
	Past(ctx context.Context, path string) ([]PastStep, error)
	// Bytes returns what contents and diffs take.
	Bytes(ctx context.Context) (int64, error)
	// Thin removes steps of a path, and the versions that are needed no more, and
	// joins those that stay. It returns ErrStale, and removes nothing, where the
	// path's steps are no longer Thinning.Past.
	Thin(ctx context.Context, t Thinning) (Thinned, error)
	// LoggedAt reports whether the bare change log says that a path was there at a
	// time. Retention leaves that log as it is.
	LoggedAt(ctx context.Context, path string, at time.Time) (bool, error)
	// MovedOut returns the steps that carried files out of a scope, MovedIn those
	// that carried files into it.
	MovedOut(ctx context.Context, s Scope) ([]Passage, error)
	MovedIn(ctx context.Context, s Scope) ([]Passage, error)
	// Forget removes every row of a scope, once it has joined the given steps. It
	// returns ErrStale, and removes nothing, where a move into the scope or out of
	// it is not among them. With dry it changes nothing and returns the same.
	Forget(ctx context.Context, s Scope, joins []Join, dry bool) (Forgotten, error)
	// Vacuum rewrites the database's files without what is not in use.
	Vacuum(ctx context.Context) error
	// Record records a step in one transaction and returns it as stored. It
	// returns ErrStale, and records nothing, where the head is not Step.From.
	Record(ctx context.Context, s Step) (Result, error)
	// Touch notes what else is told by a file that still has a version's content:
	// its stat, its line ends, and the content itself where none is stored.
	Touch(ctx context.Context, path string, version int64, c Content) error
	// Answer returns the result that was given to a request before.
	Answer(ctx context.Context, requestID string) (Result, bool, error)
	// Unchanged remembers that a request recorded nothing.
	Unchanged(ctx context.Context, requestID string, version int64) error
	// Root returns the identity of a root; SetRoot records it.
	Root(ctx context.Context, root string) (Stat, bool, error)
	SetRoot(ctx context.Context, root string, s Stat) error
}
