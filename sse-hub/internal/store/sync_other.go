//go:build !linux

package store

import "os"

func datasync(file *os.File) error { return file.Sync() }
