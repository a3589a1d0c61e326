package e2e

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every numbered case of docs/cases is named by a test. Where a test stands outside
// the list's own packages, it says which list it means: "tracker case 37". With -v it
// prints which tests those are (`make cases`).
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
			named := table{}
			for path, text := range testsBelow(t, list.own...) {
				named.note(path, text, list.name, true)
			}
			for path, text := range testsBelow(t, "deploy/e2e", "internal") {
				named.note(path, text, list.name, false)
			}
			cases := numbers(t, list.file)
			if len(cases) < 50 {
				t.Fatalf("only %d cases were recognised: is the test right?", len(cases))
			}
			for _, n := range cases {
				if _, why := list.none[n]; why == (len(named[n]) > 0) {
					t.Errorf("case %d of docs/cases/%s has no test, or one and is excused", n, list.file)
				}
				t.Logf("case %d: %s", n, strings.Join(slices.Sorted(maps.Keys(named[n])), ", "))
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
	mention = regexp.MustCompile(`([A-Za-z]+ )?[Cc]ases?[ _](\d+(?:(?:, | and |, and | to |–|_and_|_to_)\d+)*)`)
	isTest  = regexp.MustCompile(`_test\.go$|testdata/script/|test/[a-z]+\.go$|test_[a-z_]+\.py$`) // logtest: a suite for several packages
	several = regexp.MustCompile(`(\d+)( to |–|_to_)?`)
	isList  = regexp.MustCompile(`^(tracker|watcher|hub|clients)$`)
	test    = regexp.MustCompile(`(?m)^(?:func|(?:async )?def) ((?:Test|Fuzz|Benchmark|test_)\w+)`)
)

// table holds the names of the tests that mention a case, by its number.
type table map[int]map[string]bool

// note notes the numbers that a text mentions: "case 7", "cases 18 to 20 and 31",
// in the name of a Python test "case_7". Without a list's name before it, a number is
// of the list whose own package this is.
func (t table) note(path, text, list string, own bool) {
	for _, m := range mention.FindAllStringSubmatchIndex(text, -1) {
		of := ""
		if m[2] >= 0 {
			of = strings.ToLower(text[m[2] : m[3]-1])
		}
		if lists := isList.MatchString(of); lists && of != list || !lists && !own {
			continue
		}
		name := enclosing(path, text, m[1])
		from := 0
		for _, part := range several.FindAllStringSubmatch(text[m[4]:m[5]], -1) {
			n, _ := strconv.Atoi(part[1])
			for between := from; from > 0 && between < n; between++ {
				t.add(between, name)
			}
			t.add(n, name)
			if from = 0; part[2] != "" {
				from = n
			}
		}
	}
}

func (t table) add(n int, name string) {
	if t[n] == nil {
		t[n] = map[string]bool{}
	}
	t[n][name] = true
}

// enclosing returns the test at a place of a file: the one that stands there or begins
// in the comment's next lines; of a script the file.
func enclosing(path, text string, at int) string {
	name := filepath.Base(path)
	for _, m := range test.FindAllStringSubmatchIndex(text, -1) {
		if between := text[min(at, m[0]):m[0]]; m[0] > at && strings.Contains(between, "\n\n") {
			break
		}
		name = text[m[2]:m[3]]
		if m[0] > at {
			break
		}
	}
	return name
}

// testsBelow returns the texts of the tests and test scripts in some directories.
func testsBelow(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join("..", "..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !isTest.MatchString(path) {
				return err
			}
			text, err := os.ReadFile(path)
			texts[path] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}
