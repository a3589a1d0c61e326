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
	id      ident
	kind    kind
	size    int64
	modTime time.Time
}

// same reports whether nothing tells a and b apart.
func (a info) same(b info) bool {
	return a.id == b.id && a.kind == b.kind && a.size == b.size && a.modTime.Equal(b.modTime)
}
