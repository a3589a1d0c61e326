package sqlite_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/obby/go-services/internal/sqlite"
	"github.com/obby/go-services/internal/sqlitetest"
)

// TestReaderOnReadOnlyFilesystem needs the right to mount.
func TestReaderOnReadOnlyFilesystem(t *testing.T) {
	path, db := sqlitetest.New(t)
	db.Close()
	mount := t.TempDir()
	if err := syscall.Mount(filepath.Dir(path), mount, "", syscall.MS_BIND, ""); err != nil {
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(mount, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	if err := syscall.Mount("", mount, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	reader, err := sqlite.Reader(filepath.Join(mount, filepath.Base(path)))
	if err == nil {
		reader.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "read-only file system") || !strings.Contains(err.Error(), "mount it writable") {
		t.Errorf("case 61: a database on a read-only file system gave %v", err)
	}
}
