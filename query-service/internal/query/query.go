// Package query is what can be asked about the recorded history, and the rules
// for asking: limits, ranges, time buckets, search text, snippets and counts. It
// knows neither SQL nor gRPC.
//
// # Model
//
// A step (Diff) is one change of one path; a Version is one distinct content of a
// path. Both bear ids that grow in the order in which they were recorded, and
// that order, never the clock's, is the order of every list: clocks step back
// (tracker case 34). A path's head is what it has now; it need not be its
// newest version, for a path that returns to an earlier content reuses its row.
//
// # Invariants
//
//   - Paths are the operating system's strings of bytes.
//   - A zero time is a time that nobody can read; no such row is in any range.
//   - A page fits into a message, whatever its rows hold (case 51).
//   - Nothing is held open between two pages (case 50).
package query

import (
	"context"
	"time"

	"github.com/obby/go-services/internal/pathrule"
	"github.com/obby/go-services/internal/stepindex"
)

// ChangeType says what a step did to its path.
type ChangeType string

// The types of change, as they are stored.
const (
	Created  ChangeType = "created"
	Modified ChangeType = "modified"
	Deleted  ChangeType = "deleted"
	Moved    ChangeType = "moved"
)

// Kind says how the content of a version is kept; empty: not known.
type Kind string

// The kinds of content, as they are stored.
const (
	Text    Kind = "text"
	Lossy   Kind = "lossy"
	Binary  Kind = "binary"
	Omitted Kind = "omitted"
)

// Diff is one recorded step of a path.
type Diff struct {
	ID         int64
	Path       string
	OldPath    string // moved: the former path, where it is known
	Type       ChangeType
	OldVersion int64 // 0: none, or not known
	NewVersion int64 // 0: none, or not known
	Added      int64 // lines
	Removed    int64 // lines
	Observed   time.Time
	Text       string // unified diff, as stored
	Truncated  bool   // Text is cut, here or when it was stored
}

// Size bounds the bytes of the step in a message.
func (d Diff) Size() int { return 128 + pathSize(d.Path) + pathSize(d.OldPath) + len(d.Text) }

// Version is one distinct content of a path.
type Version struct {
	ID          int64
	Path        string
	Hash        string
	Lines       int64
	Bytes       *int64 // size of the file on disk; nil: not known
	Kind        Kind
	Observed    time.Time
	ModTime     time.Time
	Description string
	Current     bool // the path has this content now
	Label       string
	Pinned      bool // kept by every retention policy
}

// Size bounds the bytes of the version in a message.
func (v Version) Size() int { return 200 + pathSize(v.Path) + len(v.Description) + len(v.Label) }

// Marked is a version with a label or a pin.
type Marked struct {
	Version
	ID int64 // of the mark: larger is later
}

// TopicFile is a file that bears a topic.
type TopicFile struct {
	Path    string
	Entries int64     // 0: found by its content
	Latest  time.Time // of its entries, or of its newest version
	Summary string    // of the latest entry
}

// Size bounds the bytes of the file in a message.
func (f TopicFile) Size() int { return 64 + pathSize(f.Path) + len(f.Summary) }

// TermCount is how many entries bear a topic or keyword.
type TermCount struct {
	Term  string
	Count int64
}

// pathSize bounds the bytes of a path in a message: itself, and where it is not
// UTF-8 a second form with three bytes for each that does not decode.
func pathSize(path string) int { return 4 * len(path) }

// Filter leaves steps out; its zero value leaves out nothing.
type Filter struct {
	Prefix string           // only this path and those below; empty: all
	Glob   *pathrule.Filter // only these of them; nil: all
	Types  []ChangeType     // only these
	Range  Range
}

// Filtered reports whether the filter leaves out anything.
func (f Filter) Filtered() bool { return f.OfPaths() || len(f.Types) > 0 || f.Range != Range{} }

// OfPaths reports whether the filter leaves out paths.
func (f Filter) OfPaths() bool { return f.Prefix != "" && f.Prefix != "/" || f.Glob != nil }

// Path reports whether the filter lets a path pass.
func (f Filter) Path(path string) bool {
	return Below(path, f.Prefix) && (f.Glob == nil || f.Glob.Match(path))
}

// DiffQuery asks for steps. After and Before exclude themselves; 0 is open.
type DiffQuery struct {
	Filter
	After, Before int64
	Oldest        bool // oldest first instead of newest first
	WithText      bool
	Limit         int
}

// VersionQuery asks for versions, newest first: those of a path that are in the range
// and were made by steps of the types, or, without a path, those that steps which pass
// the filter have made, in the order of the steps. A version that several of them made
// stands where the newest does.
type VersionQuery struct {
	Path string
	Filter
	Before int64 // key, exclusive; 0 is open
	Limit  int
}

// Made is a version in a list.
type Made struct {
	Version
	Key int64 // its place in the list
}

// TopicQuery asks for the files of a topic. After is the last file of the page
// before; Before is TopicResults.Before of that page.
type TopicQuery struct {
	Topic  string
	After  *TopicFile
	Before int64
	Limit  int
}

// MadePage is a page of versions. It may be short, or empty, and have a next one: see
// VersionStore.
type MadePage struct {
	Items []Made
	More  bool  // the list goes on
	Next  int64 // with the key before this one
}

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	More  bool // the list goes on
}

// Store answers from a database. A method holds nothing open once it returned.
// Beside its own errors each returns ErrUnavailable, ErrBusy or ErrDamaged where
// the database does not answer, and ctx's error when that ended first.
type Store interface {
	DiffStore
	VersionStore
	Finder
	Historian
	ActivityStore
}

// DiffStore holds steps.
type DiffStore interface {
	// Diffs returns a page of steps: at most q.Limit, fewer where they would
	// outgrow a message.
	Diffs(ctx context.Context, q DiffQuery) (Page[Diff], error)
	// Last returns the position of the last step that was ever recorded, also
	// where that row was deleted since: then without its time.
	Last(ctx context.Context) (Position, error)
	// ObservedAt returns when a step was observed: the zero time where that cannot be
	// read, or its row was deleted.
	ObservedAt(ctx context.Context, id int64) (time.Time, error)
	// Watch returns what gives a channel that will be closed when the record goes on,
	// or the database becomes another, or unusable. stop ends the watch.
	Watch() (changed func() <-chan struct{}, stop func())
}

// VersionStore holds versions.
type VersionStore interface {
	// Versions returns a page of versions. Without a path it looks at a bounded number of
	// steps, of which perhaps few have made a version. It returns ErrPathNotFound for a
	// path that was never recorded.
	Versions(ctx context.Context, q VersionQuery) (MadePage, error)
	// VersionAt returns the version that a path had at a time, 0 where it did not
	// exist, and ErrPathNotFound for a path that was never recorded.
	VersionAt(ctx context.Context, path string, at time.Time) (int64, error)
	// FilesAt returns a page of the files that were at or below a path at a time,
	// by path, after the path after unless that is empty.
	FilesAt(ctx context.Context, path string, at time.Time, after string, limit int) (Page[Version], error)
	// Labels returns a page of the marked versions at or below prefix, those marked
	// last first, with marks below before unless that is 0.
	Labels(ctx context.Context, prefix string, before int64, limit int) (Page[Marked], error)
	// Content returns a version and its content: text with LF line ends, or the
	// exact bytes. It returns ErrVersionNotFound, ErrContentNotKept or
	// ErrContentTooLarge.
	Content(ctx context.Context, id int64) (Version, []byte, error)
}

// Finder finds files. Its visits end when they return false; they must not call
// the store.
type Finder interface {
	// Ranked visits the files that satisfy q.Match, best first. It returns ErrNoIndex
	// where the database has no search index yet.
	Ranked(ctx context.Context, q FilesQuery, visit func(Found) bool) error
	// Newest visits the indexed files, those recorded last first, of which q.Match
	// is true unless it is empty. It returns ErrNoIndex too.
	Newest(ctx context.Context, q FilesQuery, visit func(Found) bool) error
	// Summarized reports whether the database has summaries, of any topic.
	Summarized(ctx context.Context) (bool, error)
	// TopicFiles returns the files whose summaries bear a topic, latest first.
	TopicFiles(ctx context.Context, q TopicQuery) (Page[TopicFile], error)
}

// Historian reads what paths were.
type Historian interface {
	// Texts visits every version that has a text, by path and by id, of q.Path or of
	// the paths after q.After that q.Files picks. The visit ends when it returns
	// false and must not call the store.
	Texts(ctx context.Context, q TextsQuery, visit func(VersionText) bool) error
	// StepsOf visits the steps of a path in their order, also those that moved its
	// file to another one.
	StepsOf(ctx context.Context, path string, visit func(PathStep) bool) error
	// VersionsByID returns those of some versions that there still are, by id.
	VersionsByID(ctx context.Context, ids ...int64) ([]Version, error)
}

// ActivityStore counts.
type ActivityStore interface {
	// Steps calls count for every step at or below prefix in the range, in any order
	// and perhaps with steps that are outside of it in time; unreadable times are
	// outside of every range. Paths have numbers that are small enough for an array.
	// Then it calls name, unless that is nil, for the number of every path that was
	// among them, and perhaps of others. All of it is one state of the database.
	Steps(ctx context.Context, r Range, prefix string, count func(*stepindex.Block), name func(number int64, path string)) error
	// Terms returns the most frequent topics and keywords of the entries in the
	// range at or below prefix.
	Terms(ctx context.Context, r Range, prefix string, limit int) (topics, keywords []TermCount, err error)
}
