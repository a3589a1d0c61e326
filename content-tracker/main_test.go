package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	bad := defaults()
	bad.Watcher, bad.Hub, bad.Workers, bad.MaxContent = "nowhere", ":x:", 0, -1
	err := bad.Validate()
	for _, flag := range []string{"--root", "--watcher", "--hub", "--workers", "--max-content"} {
		if err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("error %v does not name %s", err, flag)
		}
	}
	good := defaults()
	good.Roots = []string{"notes"}
	if err := good.Validate(); err != nil || !filepath.IsAbs(good.Roots[0]) {
		t.Errorf("settings are %+v, %v", good, err)
	}
}

func TestRefusesToStart(t *testing.T) {
	env := func(string) (string, bool) { return "", false }
	for name, tc := range map[string]struct {
		args     []string
		code     int
		sentence string
	}{
		"no root":                 {nil, 2, "name at least one"},
		"no place for a database": {[]string{"--root", t.TempDir(), "--database", filepath.Join(t.TempDir(), "missing", "obby.db")}, 1, "directory does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(t.Context(), tc.args, env, &out, &errs); code != tc.code || !strings.Contains(errs.String(), tc.sentence) {
				t.Errorf("ended with %d, %q", code, errs.String())
			}
		})
	}
}
