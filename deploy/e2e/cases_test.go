package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// Every numbered case of docs/cases is named by a test. Where a test stands outside
// the list's own packages, it says which list it means: "tracker case 37".
func TestCasesHaveTests(t *testing.T) {
	for _, list := range []struct {
		file string
		name string   // of the list, in tests elsewhere
		own  []string // where the number alone will do
		none map[int]string
	}{
		{"tracker_query.md", "tracker", []string{"content-tracker", "query-service", "internal/sqlite", "internal/rawpath", "internal/textdiff"}, nil},
		{"watcher.md", "watcher", []string{"file-watcher", "internal/pathrule"}, nil},
		{"hub.md", "hub", []string{"sse-hub"}, nil},
		{"clients.md", "clients", []string{"clients/python/tests"}, nil},
	} {
		t.Run(list.name, func(t *testing.T) {
			named := map[int]bool{}
			for _, text := range testsBelow(t, list.own...) {
				note(named, text, "")
			}
			for _, text := range testsBelow(t, "deploy/e2e", "internal") {
				note(named, text, list.name+" ")
			}
			cases := numbers(t, list.file)
			if len(cases) < 50 {
				t.Fatalf("only %d cases were recognised: is the test right?", len(cases))
			}
			for _, n := range cases {
				if _, why := list.none[n]; why == named[n] {
					t.Errorf("case %d of docs/cases/%s has no test, or one and is excused", n, list.file)
				}
			}
		})
	}
}

// numbers returns the numbers of a list's cases.
func numbers(t *testing.T, file string) (all []int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "cases", file))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`(?m)^ *(\d+)\. `).FindAllStringSubmatch(string(text), -1) {
		n, _ := strconv.Atoi(match[1])
		all = append(all, n)
	}
	return all
}

var (
	mention = regexp.MustCompile(`([a-z]+ )?[Cc]ases?[ _](\d+(?:(?:, | and |, and | to |–|_and_|_to_)\d+)*)`)
	isTest  = regexp.MustCompile(`_test\.go$|testdata/script/|test/[a-z]+\.go$|test_[a-z_]+\.py$`) // logtest: a suite for several packages
	several = regexp.MustCompile(`(\d+)( to |–|_to_)?`)
)

// note notes the numbers that a text mentions: "case 7", "cases 18 to 20 and 31",
// in the name of a Python test "case_7".
func note(named map[int]bool, text, prefix string) {
	for _, m := range mention.FindAllStringSubmatch(text, -1) {
		if prefix != "" && m[1] != prefix {
			continue
		}
		from := 0
		for _, part := range several.FindAllStringSubmatch(m[2], -1) {
			n, _ := strconv.Atoi(part[1])
			for between := from; from > 0 && between < n; between++ {
				named[between] = true
			}
			named[n] = true
			if from = 0; part[2] != "" {
				from = n
			}
		}
	}
}

// testsBelow returns the texts of the tests and test scripts in some directories.
func testsBelow(t *testing.T, dirs ...string) (texts []string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !isTest.MatchString(path) {
				return err
			}
			text, err := os.ReadFile(path)
			texts = append(texts, string(text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}
