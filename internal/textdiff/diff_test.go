package textdiff_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/obby/go-services/internal/textdiff"
)

var names = textdiff.Names{Old: "f", New: "f"}

// limit is more than the diffs of most tests need.
const limit = 8 << 20

func unified(a, b string) textdiff.Diff {
	return textdiff.Unified(names, []byte(a), []byte(b), textdiff.ContextLines, limit)
}

func TestUnified(t *testing.T) {
	many := func(n int, line func(int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(line(i) + "\n")
		}
		return b.String()
	}
	for _, tc := range []struct {
		name, a, b     string
		added, removed int64
		text           string // checked where given
	}{
		{"equal", "a\n", "a\n", 0, 0, ""},
		{"case 4: a newline is added at the end", "a", "a\n", 1, 1,
			"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		{"case 5: a BOM is added", "a\nb\n", "\ufeffa\nb\n", 1, 1, ""},
		{"two changes, each with its context", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n", 2, 1,
			"--- a/f\n+++ b/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -10,3 +10,4 @@\n 10\n 11\n 12\n+13\n"},
		{"case 9: content to empty", "a\nb\n", "", 0, 2, "--- a/f\n+++ b/f\n@@ -1,2 +0,0 @@\n-a\n-b\n"},
		{"case 9: empty to content", "", "a\nb\n", 2, 0, "--- a/f\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n"},
		{"case 23: repetition", many(80_000, func(int) string { return "x" }), "new\n" + many(40_000, func(int) string { return "x" }) + "end\n", 2, 40_000, ""},
		{"case 24: every second line of 100,000",
			many(100_000, func(i int) string { return fmt.Sprint("line ", i) }),
			many(100_000, func(i int) string { return fmt.Sprint([]string{"line ", "other "}[i%2], i) }), 50_000, 50_000, ""},
		{"case 26: lines like diff syntax", "--- x\n+++ y\n@@ -1 +1 @@\n", "--- x\n-- x\n+++ z\n@@ -1 +1 @@\n\\ No newline\n", 3, 1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := unified(tc.a, tc.b)
			if d.Added != tc.added || d.Removed != tc.removed {
				t.Errorf("counts are +%d -%d, want +%d -%d", d.Added, d.Removed, tc.added, tc.removed)
			}
			if tc.text != "" && d.Text != tc.text {
				t.Errorf("text is\n%s\nwant\n%s", d.Text, tc.text)
			}
		})
	}
}

func TestManyDistinctLines(t *testing.T) { // case 21
	var a, b strings.Builder
	for i := range 1_200_000 {
		fmt.Fprintln(&a, i)
		if i%1200 == 0 {
			fmt.Fprintln(&b, "edited", i)
		} else {
			fmt.Fprintln(&b, i)
		}
	}
	if d := unified(a.String(), b.String()); d.Added != 1000 || d.Removed != 1000 {
		t.Errorf("case 21: counts are +%d -%d, want 1000 each", d.Added, d.Removed)
	}
	// The same lines in another order: nothing can be trimmed, all are in both.
	lines := strings.SplitAfter(a.String(), "\n")
	half := len(lines) / 2
	turned := strings.Join(lines[half:], "") + strings.Join(lines[:half], "")
	if d := unified(a.String(), turned); d.Added != d.Removed || d.Added != 600_000 {
		t.Errorf("case 21: halves that change places give +%d -%d", d.Added, d.Removed)
	}
}

func TestLongLine(t *testing.T) { // case 22
	line := strings.Repeat("x", 50<<20)
	d := unified(line, line+"y")
	if d.Added != 1 || d.Removed != 1 || !d.Truncated || len(d.Text) > 1<<20 {
		t.Errorf("case 22: +%d -%d truncated %v, %d bytes", d.Added, d.Removed, d.Truncated, len(d.Text))
	}
}

func TestDeterminism(t *testing.T) { // case 25
	rng := rand.New(rand.NewPCG(1, 1))
	symbols := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString([]string{"a\n", "b\n", "c\n"}[rng.IntN(3)])
		}
		return b.String()
	}
	a, b := symbols(3000), symbols(3000)
	if first, second := unified(a, b), unified(a, b); first != second {
		t.Error("case 25: the same input gave two diffs")
	}
}

// TestPatch proves that generated diffs turn the old contents into the new ones,
// by the judgement of git and, where it is installed, GNU patch: 5,000 pairs, each
// a file of one big patch. Every tenth has an odd name.
func TestPatch(t *testing.T) { // case 26
	rng := rand.New(rand.NewPCG(2, 3))
	var from, to, diffs = map[string]string{}, map[string]string{}, strings.Builder{}
	for n := 0; len(from) < 5000; n++ {
		a, b := generated(rng), generated(rng)
		if n%3 > 0 {
			b = edited(rng, a)
		}
		if n%50 == 0 { // longer than what is compared at once
			head, tail := strings.Repeat("a\n", rng.IntN(9000)), strings.Repeat("b\n", rng.IntN(9000))
			a, b = head+a+tail, head+b+tail
		}
		if a == b || a == "" || b == "" { // these two make and remove files: checkPatch
			continue
		}
		name := fmt.Sprint("f", n)
		if n%10 == 0 {
			name = fmt.Sprintf("odd %d \t\"é\n", n)
		}
		from[name], to[name] = a, b
		diffs.WriteString(textdiff.Unified(textdiff.Names{Old: name, New: name}, []byte(a), []byte(b), n%5, limit).Text)
	}
	for _, tool := range patchTools(t) {
		apply(t, tool, from, to, diffs.String())
	}
}

// apply has a tool apply a patch to files and compares what it makes of them.
func apply(t *testing.T, tool []string, from, to map[string]string, diff string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range from {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	patch := filepath.Join(t.TempDir(), "diff")
	if err := os.WriteFile(patch, []byte(diff), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool[0], append(tool[1:], patch)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", tool[0], err, out)
	}
	for name, want := range to {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && (!os.IsNotExist(err) || want != "") {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Fatalf("%s made %q of %q, want %q", tool[0], got, from[name], want)
		}
	}
}

// patchTools returns the commands that apply the patch which is their last argument.
func patchTools(t *testing.T) [][]string {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is not installed: it judges whether the diffs apply")
	}
	tools := [][]string{{"git", "apply", "--unidiff-zero", "--whitespace=nowarn"}}
	if _, err := exec.LookPath("patch"); err == nil {
		tools = append(tools, []string{"patch", "--quiet", "--no-backup-if-mismatch", "-p1", "-i"})
	}
	return tools
}

var atoms = []string{"a", "b", "", "--- a/f", "+++ b/f", "@@ -1 +1 @@", `\ No newline at end of file`, "+", "-", " ", "x y", "\t"}

func generated(rng *rand.Rand) string {
	var b strings.Builder
	for range rng.IntN(30) {
		b.WriteString(atoms[rng.IntN(len(atoms))] + "\n")
	}
	if rng.IntN(3) == 0 {
		b.WriteString("last")
	}
	return b.String()
}

func edited(rng *rand.Rand, text string) string {
	lines := strings.SplitAfter(text, "\n")
	var b strings.Builder
	for _, line := range lines {
		switch rng.IntN(8) {
		case 0:
		case 1:
			b.WriteString("new\n" + line)
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}

func checkPatch(t *testing.T, a, b string) {
	t.Helper()
	d := unified(a, b)
	if a == b {
		if d.Text != "" {
			t.Errorf("equal contents differ: %q", d.Text)
		}
		return
	}
	for _, tool := range patchTools(t) {
		apply(t, tool, map[string]string{"f": a}, map[string]string{"f": b}, d.Text)
	}
}

func FuzzPatch(f *testing.F) {
	for _, pair := range [][2]string{{"a\nb\n", "a\nc\n"}, {"", "a\n"}, {"a", ""}, {"a", "a\n"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) { checkPatch(t, a, b) })
}

func TestNames(t *testing.T) { // case 31
	for name, want := range map[string]string{
		"a.md": "a/a.md", "with blank": "a/with blank\t", "tab\there": `"a/tab\there"`, "new\nline": `"a/new\nline"`,
		`qu"ote`: `"a/qu\"ote"`, "caf\xe9": `"a/caf\351"`, "café": `"a/caf\303\251"`,
	} {
		d := textdiff.Unified(textdiff.Names{Old: name, New: name}, []byte("x\n"), []byte("y\n"), 3, limit)
		if got, _, _ := strings.Cut(strings.TrimPrefix(d.Text, "--- "), "\n"); got != want {
			t.Errorf("case 31: %q is written %s, want %s", name, got, want)
		}
	}
}

// A text that is nothing but line ends takes no more than its edit is worth.
func TestMemory(t *testing.T) {
	before := strings.Repeat("\n", 4<<20)
	for _, tc := range []struct {
		name, a, b     string
		added, removed int64
		most           uint64 // bytes allocated, in all
	}{
		{"a line is appended", before, before + "x\n", 1, 0, 8 << 20},
		{"a line in the middle", before, before[:2<<20] + "x\n" + before[2<<20:], 1, 0, 8 << 20},
		{"created", "", before, 4 << 20, 0, 40 << 20},
		{"every line is another", before, strings.Repeat("x\n", 3<<20), 3 << 20, 4 << 20, 90 << 20},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var start, end runtime.MemStats
			runtime.ReadMemStats(&start)
			d := unified(tc.a, tc.b)
			runtime.ReadMemStats(&end)
			if d.Added != tc.added || d.Removed != tc.removed {
				t.Errorf("counts are +%d -%d", d.Added, d.Removed)
			}
			if used := end.TotalAlloc - start.TotalAlloc; used > tc.most+uint64(len(tc.a)+len(tc.b)) {
				t.Errorf("%d MiB were allocated", used>>20)
			}
		})
	}
}
