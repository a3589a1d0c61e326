package watch

import "time"

// Type says what happened to a path.
type Type uint8

// The types of an [Event].
const (
	Created Type = iota + 1
	Modified
	Deleted
	Renamed
)

// Types lists every type in order.
var Types = [...]Type{Created, Modified, Deleted, Renamed}

// String returns the type's name, as in metrics.
func (t Type) String() string {
	return [...]string{"none", "created", "modified", "deleted", "renamed"}[t]
}

// Event is one settled change. It never changes once made.
type Event struct {
	Watch     string // ID of the watch that saw it
	Type      Type
	Directory bool   // only with Renamed: every file below has moved along
	Path      string // absolute
	OldPath   string // only with Renamed
	Size      int64  // zero for Deleted and directories
	ModTime   time.Time
	Time      time.Time // when the event was made
	Initial   bool      // Created: the file was there before, a pattern now matches it

	// oldWatch is the watch of OldPath where that is another one (case 31).
	oldWatch string
}

// ItemKind says what an [Item] is.
type ItemKind uint8

// The kinds of an [Item].
const (
	Ready       ItemKind = iota + 1 // the subscription stands
	Change                          // Event is set
	Heartbeat                       // nothing happened for a while
	Lost                            // Resync is set
	Snapshot                        // File is set: it was there when the subscription began
	SnapshotEnd                     // every such file has been delivered
)

// Item is what a [Subscription] delivers.
type Item struct {
	Token  string // continues after this item; empty within a snapshot
	Kind   ItemKind
	Event  *Event
	Resync Resync
	File   File
	Files  int // with SnapshotEnd: how many there were
}

// File is a file of a snapshot.
type File struct {
	Watch   string // ID of the watch that knows it
	Path    string // absolute
	Size    int64
	ModTime time.Time
}

// Reason says why events were lost to a subscriber.
type Reason uint8

// The reasons of a [Resync].
const (
	TokenExpired Reason = iota + 1
	Restarted
	SlowConsumer
)

// Reasons lists every reason in order.
var Reasons = [...]Reason{TokenExpired, Restarted, SlowConsumer}

// String returns the reason's name, as in metrics.
func (r Reason) String() string {
	return [...]string{"none", "token_expired", "restarted", "slow_consumer"}[r]
}

// Resync asks a subscriber to compare a tree with what it knows. Watch and Path
// are empty where no watch is active.
type Resync struct {
	Reason Reason
	Watch  string
	Path   string
}
