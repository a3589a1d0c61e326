package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPrepareMakesTheDemoFolderOnce(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	root, err := prepare("", data)
	if err != nil {
		t.Fatal(err)
	}
	welcome := filepath.Join(root, "notes", "welcome.md")
	if err := os.WriteFile(welcome, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := prepare("", data); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(welcome); err != nil || string(text) != "mine" {
		t.Errorf("the second run left %q, %v, want what the person wrote", text, err)
	}
}

func TestPrepareRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ watch, sentence string }{
		"a missing folder":         {filepath.Join(dir, "missing"), "does not exist: create it"},
		"a file":                   {file, "is not a folder"},
		"a folder without pattern": {dir, "has no .obbywatch"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := prepare(tc.watch, filepath.Join(dir, "data"))
			if err == nil || !strings.Contains(err.Error(), tc.sentence) {
				t.Errorf("error is %v, want one with %q", err, tc.sentence)
			}
		})
	}
}

func TestCheckPorts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	env := func(values map[string]string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			if value, ok := values[name]; ok {
				return value, ok
			}
			return "127.0.0.1:0", true // the defaults may be in use on this machine
		}
	}
	if err := checkPorts(env(nil)); err != nil {
		t.Errorf("free addresses: %v", err)
	}
	err = checkPorts(env(map[string]string{"OBBY_QUERY_LISTEN": taken.Addr().String()}))
	if err == nil || !strings.Contains(err.Error(), "query-service") || !strings.Contains(err.Error(), "OBBY_QUERY_LISTEN=127.0.0.1:") {
		t.Errorf("error is %v, want one that names the service and the variable", err)
	}
	err = checkPorts(env(map[string]string{"OBBY_HUB_HTTP": "nonsense"}))
	if err == nil || !strings.Contains(err.Error(), "OBBY_HUB_HTTP=nonsense") {
		t.Errorf("error is %v, want one that names the value", err)
	}
}
