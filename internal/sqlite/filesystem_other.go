//go:build !linux

package sqlite

// checkFilesystem accepts every directory: only Linux tells file systems apart
// by a number, and SQLite's own check of journal_mode remains.
func checkFilesystem(string) error { return nil }

// readOnly does not know here.
func readOnly(string) bool { return false }
