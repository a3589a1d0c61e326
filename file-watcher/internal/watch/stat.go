package watch

import "time"

// kind is what a path names, as far as the watcher cares.
type kind uint8

const (
	none    kind = iota // nothing
	file                // a regular file
	dir                 // a directory
	special             // symlinks, FIFOs, sockets, devices: never opened, never reported (cases 20, 34, 37)
)

// ident tells files apart. A device and inode number alone are given to the
// next file as soon as one is deleted; the birth time tells the two apart.
type ident struct {
	dev, ino uint64
	born     int64 // in ns; zero where the file system does not know
}

// info is what the watcher remembers of a file or directory.
type info struct {
	id       ident
	kind     kind
	size     int64
	modified int64 // time of the last change of content, in ns since 1970
	changed  int64 // of content, name or attributes; zero where it is not known
}

// modTime returns the time of the last change of content.
func (a info) modTime() time.Time { return time.Unix(0, a.modified) }

// same reports whether nothing tells the content of a and b apart.
func (a info) same(b info) bool {
	return a.id == b.id && a.kind == b.kind && a.size == b.size && a.modified == b.modified
}
