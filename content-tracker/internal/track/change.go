package track

import (
	"io/fs"
	"syscall"
	"time"

	"github.com/obby/go-services/internal/textdiff"
)

// ChangeType says what a step did to a path.
type ChangeType string

// The values are those of the database's change_type columns.
const (
	Created  ChangeType = "created"
	Modified ChangeType = "modified"
	Deleted  ChangeType = "deleted"
	Moved    ChangeType = "moved"
)

// Kind says how a content is kept.
type Kind string

// The values are those of obby_versions.kind.
const (
	Text    Kind = "text"    // valid UTF-8, kept with LF line ends
	Lossy   Kind = "lossy"   // text that is not UTF-8: the exact bytes
	Binary  Kind = "binary"  // the exact bytes
	Omitted Kind = "omitted" // over the size cap: only the hash
)

// LineEnding says which line ends a file had on disk.
type LineEnding string

// The values are those of obby_versions.eol.
const (
	LF    LineEnding = "lf"
	CRLF  LineEnding = "crlf"
	CR    LineEnding = "cr"
	Mixed LineEnding = "mixed"
	NoEOL LineEnding = "none"
)

// Hash is a content hash: 64 lower-case hexadecimal digits, or empty where there
// is no content.
type Hash string

// Stat identifies a state of a file without reading it.
type Stat struct {
	Device, Inode uint64
	Size          int64
	Mtime, Ctime  int64 // nanoseconds since the Unix epoch
}

// statOf reads the Stat of a file that was looked at on Linux.
func statOf(info fs.FileInfo) Stat {
	s := Stat{Size: info.Size(), Mtime: info.ModTime().UnixNano()}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Device, s.Inode, s.Ctime = sys.Dev, sys.Ino, sys.Ctim.Nano()
	}
	return s
}

// sameFile reports whether both are of one file, whatever it is called.
func (s Stat) sameFile(o Stat) bool { return s.Device == o.Device && s.Inode == o.Inode }

// sameState reports whether a file that was read with s need not be read again.
// A rename changes the ctime, so that does not count.
func (s Stat) sameState(o Stat) bool {
	return s.sameFile(o) && s.Size == o.Size && s.Mtime == o.Mtime
}

// Content is a file's content as it was read, in one pass.
type Content struct {
	Hash      Hash
	Kind      Kind
	EOL       LineEnding
	LineCount int64  // 0 for Binary
	Size      int64  // bytes on disk
	Body      []byte // LF-normalised text, or the exact bytes of Lossy and Binary; nil when Omitted
	Stat      Stat
}

// Version is one distinct content of a path, as it is stored.
type Version struct {
	ID        int64
	Hash      Hash
	LineCount int64
	Size      int64
	Kind      Kind // empty where the Python side wrote the row
	EOL       LineEnding
	Observed  time.Time
	Mtime     time.Time // zero where the Python side wrote the row
}

// lacks reports whether a version is kept without a content that is to be had, or
// may be: the Python side does not say.
func (v Version) lacks(c Content) bool {
	return c.Kind != Omitted && (v.Kind == Omitted || v.Kind == "")
}

// with returns the version as its file, which still has that content, is now.
func (v Version) with(c Content) Version {
	if v.lacks(c) {
		v.Kind = c.Kind
	}
	v.EOL, v.Size, v.Mtime = c.EOL, c.Size, time.Unix(0, c.Stat.Mtime)
	return v
}

// Head is where a path stands: its newest version, or none.
type Head struct {
	Known    bool // the path was recorded before
	Version  Version
	Stat     Stat      // as last tracked; zero where it is not known
	Observed time.Time // of the newest step
	Others   int64     // the Store's own: what it knew of other programs when it read this
}

// Live reports whether the path is recorded as existing.
func (h Head) Live() bool { return h.Version.ID != 0 }

// Step is one change to record. All its rows are one transaction.
type Step struct {
	Root, Path string
	OldPath    string // Moved: the former path
	Type       ChangeType
	From       Head     // of Path, or of OldPath when Moved: what Diff starts from
	Over       Head     // Moved: of Path, which the file has taken
	To         *Content // nil when Deleted, and when Moved without reading
	Stat       Stat     // of the file on disk; zero when Deleted
	Diff       textdiff.Diff
	Observed   time.Time
	RequestID  string // idempotency key; may be empty
}

// tells reports whether a step to the content that is recorded tells more of it:
// another stat, other line ends (tracker case 3), a body that was not kept.
func (s *Step) tells() bool {
	return s.To != nil && (s.Stat != s.From.Stat || s.To.EOL != s.From.Version.EOL || s.From.Version.lacks(*s.To))
}

// size is what a step holds in memory, about.
func (s *Step) size() int {
	n := len(s.Diff.Text)
	if s.To != nil {
		n += len(s.To.Body)
	}
	return n
}

// Result says what a Track did.
type Result struct {
	Recorded   bool // false: the state was recorded already
	ChangeID   int64
	Type       ChangeType
	Version    *Version // nil: the path is deleted
	OldVersion int64    // 0: there was none
	Diff       textdiff.Diff
}
