package watch

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/internal/usertest"
)

func TestStartTwice(t *testing.T) {
	w := newNotes(t, Options{})
	w.disk("symlink", []string{"r", "link"})
	delay := time.Minute
	for name, again := range map[string]Start{
		"case 51: the same root":        {Path: "r"},
		"case 51: by another name":      {Path: "r/../r/"},
		"case 51: by a symlink":         {Path: "link"},
		"case 51: with other settings":  {Path: "r", Debounce: &delay, Patterns: &Patterns{Watch: []string{"*"}}},
		"case 51: waited for, if it is": {Path: "r", MayBeMissing: true},
	} {
		t.Run(name, func(t *testing.T) {
			status, created, err := w.start(again)
			if err != nil || created || status.ID != w.ids["r"] || status.Debounce != never || len(status.Patterns.Watch) != 1 {
				t.Errorf("it is %+v, created %v, %v", status, created, err)
			}
		})
	}
	t.Run("case 51: while it is missing", func(t *testing.T) {
		w.disk("mv", []string{"r", "away"})
		w.flush()
		status, created, err := w.start(Start{Path: "r"})
		if err != nil || created || status.State != Waiting {
			t.Errorf("it is %+v, created %v, %v", status, created, err)
		}
	})
}

func TestStartRefuses(t *testing.T) {
	w := newWorld(t)
	w.disk("write", []string{"file", "x"})
	w.disk("symlink", []string{"/proc", "proc"})
	w.disk("symlink", []string{"loop", "loop"})
	in := func(name string) string { return filepath.Join(w.dir, name) }
	for _, tc := range []struct {
		path string
		want error
		says string
	}{
		{"", ErrInvalidRoot, "empty"},
		{"relative", ErrInvalidRoot, "absolute"},
		{"/a\x00b", ErrInvalidRoot, "NUL"},
		{"/", ErrInvalidRoot, "everything"},
		{"/proc", ErrInvalidRoot, "/proc"},
		{"/sys/kernel", ErrInvalidRoot, "/sys"},
		{"/tmp/../dev", ErrInvalidRoot, "/dev"},
		{in("proc"), ErrInvalidRoot, "/proc"},
		{in("loop"), ErrInvalidRoot, "links"},
		{in("file"), ErrInvalidRoot, "not a directory"},
		{in("file/x"), ErrInvalidRoot, "not a directory"},
		{in("missing"), ErrRootMissing, "missing"},
	} {
		t.Run("case 52: "+tc.path, func(t *testing.T) {
			_, _, err := w.w.Start(t.Context(), Start{Path: tc.path})
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error is %v, want %v that says %q", err, tc.want, tc.says)
			}
		})
	}
	t.Run("a pattern that cannot be used", func(t *testing.T) {
		_, _, err := w.start(Start{Path: "", Patterns: &Patterns{Watch: []string{"/absolute"}}})
		if !errors.Is(err, ErrInvalidPattern) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestUnreadable(t *testing.T) { usertest.Unprivileged(t, testUnreadable) }

func testUnreadable(t *testing.T) {
	t.Run("case 52: a root without permission", func(t *testing.T) {
		w := newWorld(t)
		w.disk("mkdir", []string{"r"})
		w.disk("chmod", []string{"0", "r"})
		if _, _, err := w.start(Start{Path: "r"}); !errors.Is(err, ErrRootUnreadable) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("case 15: a directory becomes unreadable and readable again", func(t *testing.T) {
		w := newNotes(t, Options{})
		w.disk("mkdir", []string{"r/d"})
		w.disk("write", []string{"r/d/a.md", "a"})
		w.flush()
		w.disk("chmod", []string{"0", "r/d"})
		t.Cleanup(func() { w.disk("chmod", []string{"755", "r/d"}) })
		w.flush()
		if got := w.status("r").Message; !strings.Contains(got, "r/d") || !strings.Contains(got, "permission denied") {
			t.Errorf("the status says %q", got)
		}
		w.disk("chmod", []string{"755", "r/d"})
		w.disk("append", []string{"r/d/a.md", "more"})
		w.flush()
		if got := w.status("r").Message; got != "" {
			t.Errorf("the status says %q", got)
		}
		if err := w.compareState(); err != nil {
			t.Error(err)
		}
	})
}
