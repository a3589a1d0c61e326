package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The table of ARCHITECTURE.md names files: each must be there.
func TestArchitectureNamesFilesThatExist(t *testing.T) {
	top := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(top, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Where is …?")
	named := 0
	dir := ""
	for _, line := range strings.Split(table, "\n") {
		for _, match := range regexp.MustCompile("`([a-z0-9-]+(?:/[a-z0-9_-]+)*/?[a-z0-9_]*(?:\\.[a-z]+)?)`").FindAllStringSubmatch(line, -1) {
			path := match[1]
			if !strings.Contains(path, "/") { // beside the file named before it
				path = filepath.Join(dir, path)
			}
			if filepath.Ext(path) == "" && !strings.Contains(path, "/") {
				continue
			}
			dir = filepath.Dir(path)
			named++
			if _, err := os.Stat(filepath.Join(top, path)); err != nil {
				t.Errorf("%s is not there", path)
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d paths were recognised: is the test right?", named)
	}
}
