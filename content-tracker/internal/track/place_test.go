package track_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/obby/go-services/content-tracker/internal/track"
)

// A file that is saved between its recording and its removal stays.
func TestRemoveLooksAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("saved since"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := track.RemoveIn(dir, path, track.Stat{Size: 3}); !errors.Is(err, track.ErrKeepsChanging) {
		t.Errorf("error is %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file: %v", err)
	}
}
