package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	caseLine = regexp.MustCompile(`(?m)^(\d+)\. `)
	mention  = regexp.MustCompile(`(?i)\bcases? (\d+(?:(?:, | and | to |, and )\d+)*)`)
	piece    = regexp.MustCompile(`(to )?(\d+)`)
)

// Every numbered case has a test that names it.
func TestEveryCaseIsNamed(t *testing.T) {
	list, err := os.ReadFile(filepath.Join("..", "docs", "cases", "hub.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[int]bool{}
	for _, path := range tests(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mention.FindAllStringSubmatch(string(text), -1) {
			last := 0
			for _, p := range piece.FindAllStringSubmatch(m[1], -1) {
				n, _ := strconv.Atoi(p[2]) // digits
				for from := last + 1; p[1] != "" && from < n; from++ {
					named[from] = true
				}
				named[n], last = true, n
			}
		}
	}
	cases := caseLine.FindAllStringSubmatch(string(list), -1)
	if len(cases) < 71 {
		t.Errorf("only %d cases were recognised: is the test right?", len(cases))
	}
	for _, m := range cases {
		if n, _ := strconv.Atoi(m[1]); !named[n] {
			t.Errorf("case %d is named by no test", n)
		}
	}
}

// tests lists the files with tests of the hub.
func tests(t *testing.T) []string {
	t.Helper()
	e2e := filepath.Join("..", "deploy", "e2e")
	files := []string{filepath.Join(e2e, "hub_test.go"), filepath.Join(e2e, "browser_test.go"), filepath.Join("internal", "logtest", "logtest.go")}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, "_test.go") && path != "cases_test.go" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
