package store

import "os"

// disk is how what was written is made safe: a test counts it, and has it fail.
type disk struct {
	syncFile  func(*os.File) error // what a file holds
	syncNames func(*os.File) error // the names in a directory
}

var systemDisk = disk{syncFile: datasync, syncNames: (*os.File).Sync}
