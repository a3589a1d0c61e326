// Package configtest keeps the settings tables of docs/operations.md true.
package configtest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/config"
)

var update = flag.Bool("update", false, "rewrite the settings table in docs/operations.md")

// Documented fails the test unless docs/operations.md holds the settings of dst
// between the markers of the named service. It is called from a test of the
// service's main package.
func Documented(t *testing.T, dst any, prefix, service string) {
	t.Helper()
	file := filepath.Join("..", "docs", "operations.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- settings of "+service+" -->\n", "<!-- end -->"
	before, rest, ok := strings.Cut(string(page), begin)
	table, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s lacks %q or the %q after it", file, begin, end)
	}
	want := "\n" + config.Markdown(dst, prefix) + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Errorf("%s differs from the settings of %s; run the test with -update (-want +got):\n%s", file, service, diff)
	}
}
