package pathrule

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/gobwas/glob"
	"github.com/google/go-cmp/cmp"
)

const script = "testdata/fnmatch.py"

type row struct {
	number, pattern, name string
	want                  bool
}

// table reads testdata/fnmatch.txt: case number, answer, pattern, name.
func table(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("testdata/fnmatch.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		pattern, err := strconv.Unquote(fields[2])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		name, err := strconv.Unquote(fields[3])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		rows = append(rows, row{fields[0], pattern, name, fields[1] == "yes"})
	}
	return rows
}

func TestTable(t *testing.T) {
	rows := table(t)
	if len(rows) < 300 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for i, r := range rows {
		t.Run(fmt.Sprintf("case %s: row %d", r.number, i+1), func(t *testing.T) {
			// Both must agree with Python wherever both can be asked.
			if got := compile(r.pattern).Match(r.name); got != r.want {
				t.Errorf("compile(%q).Match(%q) = %v", r.pattern, r.name, got)
			}
			if got := parsePattern(r.pattern).Match(r.name); got != r.want {
				t.Errorf("parsePattern(%q).Match(%q) = %v", r.pattern, r.name, got)
			}
		})
	}
}

func TestTableIsFresh(t *testing.T) {
	want, err := exec.Command(python(t), script).Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("testdata/fnmatch.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("python3 %s > testdata/fnmatch.txt; it differs (-python +file):\n%s", script, diff)
	}
}

// TestLibrary (cases 54 to 63) pins where the library and fnmatch part, so that an update of the
// library shows what of compile it has made superfluous.
func TestLibrary(t *testing.T) {
	for _, c := range []struct {
		number        int
		pattern, name string
		fnmatch       bool
		library       string
	}{
		{54, "{a,b}.md", "{a,b}.md", true, "no"},
		{54, "{a,b}.md", "a.md", false, "yes"},
		{54, "a,b", "a,b", true, "yes"},
		{54, "a}b", "a}b", true, "yes"},
		{55, `\*.md`, `\x.md`, true, "no"},
		{55, `a\`, `a\`, true, "error"},
		{56, "[a", "[a", true, "error"},
		{56, "a{", "a{", true, "error"},
		{56, "[]", "[]", true, "error"},
		{56, "[!]", "[!]", true, "error"},
		{56, "a[]b", "a[]b", true, "error"},
		{57, "[]a].md", "].md", true, "error"},
		{57, "[!]]x", "ax", true, "error"},
		{58, "[a-]x", "-x", true, "error"},
		{58, "[a-c-e]x", "bx", true, "error"},
		{58, "[a-cx-z]q", "yq", true, "error"},
		{58, "[ab-d]q", "cq", true, "no"},
		{58, "[abc-e]x", "dx", true, "no"},
		{59, "[c-a]x", "bx", false, "error"},
		{59, "[!c-a]x", "bx", true, "error"},
		{60, `[\]]x`, `\]x`, true, "no"},
		{61, "[^a].md", "a.md", true, "yes"},
		{61, "[^a].md", "b.md", false, "no"},
		{62, "a*c", "a/\nc", true, "yes"},
		{62, "a?c", "a\nc", true, "yes"},
		{63, "\xff*", "\xff.md", true, "error"},
		{63, "[\ufffd]", "\xff", false, "yes"},
		{63, "?", "\xff", true, "yes"},
	} {
		t.Run(fmt.Sprintf("case %d: %q %q", c.number, c.pattern, c.name), func(t *testing.T) {
			library := "error"
			if p, err := glob.Compile(c.pattern); err == nil {
				library = map[bool]string{true: "yes", false: "no"}[p.Match(c.name)]
			}
			if library != c.library {
				t.Errorf("the library says %s, it said %s", library, c.library)
			}
			if got := compile(c.pattern).Match(c.name); got != c.fnmatch {
				t.Errorf("compile says %v", got)
			}
		})
	}
}

// TestEngines makes sure that the library gets what it can express.
func TestEngines(t *testing.T) {
	for pattern, library := range map[string]bool{
		"*.md": true, `{a,b}\?*`: true, "[a": true, "日*": true,
		"[a-c]": false, "\xff*": false,
	} {
		if _, got := compile(pattern).(*glob.Pattern); got != library {
			t.Errorf("compile(%q) by the library: %v", pattern, got)
		}
	}
}

// oracle asks one Python process.
type oracle struct {
	in  io.Writer
	out *bufio.Reader
}

func python(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal("python3 is not installed, which the tests need")
	}
	return path
}

func newOracle(t testing.TB) *oracle {
	t.Helper()
	cmd := exec.Command(python(t), script, "--serve")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &oracle{in, bufio.NewReader(out)}
}

func (o *oracle) match(t testing.TB, pattern, name string) bool {
	t.Helper()
	if _, err := fmt.Fprintf(o.in, "%x %x\n", pattern, name); err != nil {
		t.Fatal(err)
	}
	answer, err := o.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return answer == "1\n"
}

// compare asks Python, the matcher that is used and our own one.
func compare(t *testing.T, o *oracle, pattern, name string) {
	t.Helper()
	want := o.match(t, pattern, name)
	if got := compile(pattern).Match(name); got != want {
		t.Errorf("compile(%q).Match(%q) = %v, Python says %v", pattern, name, got, want)
	}
	if got := parsePattern(pattern).Match(name); got != want {
		t.Errorf("parsePattern(%q).Match(%q) = %v, Python says %v", pattern, name, got, want)
	}
}

// TestPython draws patterns from the characters that mean something, and names
// from those that patterns speak of.
func TestPython(t *testing.T) {
	o := newOracle(t)
	draw := rand.New(rand.NewPCG(1, 2))
	random := func(alphabet []string, most int) string {
		var b strings.Builder
		for range draw.IntN(most + 1) {
			b.WriteString(alphabet[draw.IntN(len(alphabet))])
		}
		return b.String()
	}
	meta := strings.Split(`* * ? [ [ [! ] ] - - ! ^ \ { } , a b c d / é & ~ |`, " ")
	meta = append(meta, "\n", "\xff", "\xc3", "\ufffd", "[c-a", "[a-c")
	names := append(strings.Split(`a b c d - ! ^ \ [ ] { } , / é . &`, " "), "\n", "\xff", "\xc3", "\ufffd")
	for range 6000 {
		pattern := random(meta, 9)
		for range 4 {
			compare(t, o, pattern, random(names, 4))
		}
	}
}

func FuzzPython(f *testing.F) {
	o := newOracle(f)
	for _, seed := range [][2]string{
		{"{a,b}.md", "a.md"}, {`\*`, `\x`}, {"[!]-a]x", "bx"}, {"[c-a!-zb-d]", "-"}, {"*\xc3?[\x80-\xff]", "a\xc3\xa9\xff"}, {"**a*?b", "a\nb"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) { compare(t, o, pattern, name) })
}
