package pathrule

import (
	"strings"
	"testing"
)

func TestFilter(t *testing.T) {
	for _, tc := range []struct {
		name, prefix, pattern string
		extensions            []string
		picks, leaves         []string
	}{
		{"nothing asked for", "", "", nil, []string{"/a", "/b/c.md"}, nil},
		{"by base name", "", "*.md", nil, []string{"/a.md", "/b/c.md"}, []string{"/a.md.txt", "/a.MD"}},
		{"relative to the prefix", "/notes", "work/*", nil, []string{"/notes/work/a", "/notes/work/b/c"}, []string{"/notes/a", "/notes/b/work/a"}},
		{"absolute without one", "", "/notes/*", nil, []string{"/notes/a"}, []string{"/other/notes/a"}},
		{"the prefix is the file", "/notes/a.md", "a.*", nil, []string{"/notes/a.md"}, nil},
		{"absolute, a wildcard first", "", "*/notes/*", nil, []string{"/notes/a", "/x/notes/a"}, []string{"/a"}},
		{"the root as prefix", "/", "notes/*", nil, []string{"/notes/a"}, []string{"/a/notes/b"}},
		{"absolute below the root", "/", "/notes/*", nil, []string{"/notes/a"}, []string{"/a/notes/b"}},
		{"a directory", "/notes", "work/", nil, []string{"/notes/work/a/b"}, []string{"/notes/home/a"}},
		{"nothing else is special", "", "a{b,c}", nil, []string{"/a{b,c}"}, []string{"/ab"}},
		{"extensions", "", "", []string{"md", ".TXT"}, []string{"/a.md", "/a.Md", "/b.txt"}, []string{"/md", "/a.mdx", "/.md", "/a.md/b"}},
		{"an extension of two parts", "", "", []string{"tar.gz"}, []string{"/a.tar.gz"}, []string{"/a.gz", "/tar.gz"}},
		{"both", "", "a*", []string{"md"}, []string{"/a.md"}, []string{"/b.md", "/a.txt"}},
		{"case 31: bytes that are no text", "/caf\xe9", "*\xff.md", []string{"md"}, []string{"/caf\xe9/\xff.md"}, []string{"/caf\xe9/\xfe.md"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := NewFilter(tc.prefix, tc.pattern, tc.extensions)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range tc.picks {
				if !f.Match(path) {
					t.Errorf("%q is left out", path)
				}
			}
			for _, path := range tc.leaves {
				if f.Match(path) {
					t.Errorf("%q is picked", path)
				}
			}
		})
	}
}

func TestFilterProblems(t *testing.T) {
	for _, tc := range []struct {
		pattern string
		ext     []string
		want    string
	}{
		{" ", nil, "blank or a comment"},
		{"# todo", nil, "[#]name"},
		{strings.Repeat("x", MaxPatternBytes+1), nil, "pattern"},
		{"", []string{"."}, "not an extension"},
		{"", []string{"md", "a/b"}, "not an extension"},
	} {
		if _, err := NewFilter("", tc.pattern, tc.ext); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.20q %q gave %v, want %s", tc.pattern, tc.ext, err, tc.want)
		}
	}
}
