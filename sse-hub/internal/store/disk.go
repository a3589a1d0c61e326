package store

import "os"

// disk is how room is made and what was written is made safe: a test counts it, and
// has it fail.
type disk struct {
	makeSpare func(dir string, size int64) (*os.File, error)
	syncFile  func(*os.File) error // what a file holds
	syncNames func(*os.File) error // the names in a directory
}

var systemDisk = disk{makeSpare: makeSpare, syncFile: datasync, syncNames: (*os.File).Sync}
