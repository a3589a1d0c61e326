package pathrule_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/internal/pathrule"
)

// set makes a Set of patterns separated by blanks.
func set(t *testing.T, watch, ignore string) *pathrule.Set {
	t.Helper()
	s, problems := pathrule.New(strings.Fields(watch), strings.Fields(ignore))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name          string
		watch, ignore string
		yes, no       string
	}{
		{name: "case 64: a directory at the root", watch: "notes/",
			yes: "notes/a notes/a/b/c", no: "notes a/notes/b notes2/a xnotes/a"},
		{name: "case 64: every directory", watch: "*/",
			yes: "a/b a/b/c", no: "a a.md"},
		{name: "case 64: directories by wildcard", watch: "project_*/",
			yes: "project_1/a project_1/b/c project_/x", no: "project_1 project/a x/project_1/a"},
		{name: "case 64: a directory by path", watch: "a/b/",
			yes: "a/b/c a/b/c/d", no: "a/c b/c x/a/b/c a/b"},
		{name: "case 64: a star crosses slashes", watch: "project_*/*.md",
			yes: "project_1/readme.md project_1/sub/readme.md", no: "project_1/a.txt readme.md"},
		{name: "case 64: a nested directory by wildcard", watch: "*/build/",
			yes: "a/build/x a/b/build/x/y", no: "build/x a/build"},
		{name: "case 64: slashes at the end are one", watch: "notes///",
			yes: "notes/a", no: "notes"},
		{name: "case 65: file name at any depth", watch: "*.md",
			yes: "a.md .md d/a.md d/e/a.md a.b.md", no: "a.mdx a.MD md a.md/b"},
		{name: "case 65: relative path only", watch: "docs/*.md",
			yes: "docs/a.md docs/b/c.md", no: "a.md x/docs/a.md docs.md"},
		{name: "case 65: a plain name", watch: "TODO",
			yes: "TODO a/b/TODO", no: "TODO/a TODO.md todo"},
		{name: "case 65: an extension of several parts", watch: "*.tar.gz",
			yes: "a.tar.gz d.e/a.b.tar.gz .tar.gz", no: "a.gz tar.gz a.tar.gz.x"},
		{name: "case 65: a class", watch: "*.[mM][dD]",
			yes: "a.md a.MD d/a.mD", no: "a.m"},
		{name: "case 54: braces", watch: "{a,b}.md", yes: "{a,b}.md d/{a,b}.md", no: "a.md b.md"},
		{name: "case 63: bytes", watch: "*.\xff [\xfe]x \xc3*",
			yes: "a.\xff d/\xfex \xc3(", no: "a.\xfe a.ÿ é \ufffdx"},
		{name: "case 67: ignore wins", watch: "*.md", ignore: "*.md", no: "a.md d/a.md"},
		{name: "case 67: an ignored file", watch: "*.md", ignore: "draft*",
			yes: "a.md d/a.md", no: "draft.md d/draft.md"},
		{name: "case 67: below an ignored directory", watch: "*.md tmp/keep.md tmp/", ignore: "tmp/",
			yes: "a.md x/tmp/a.md", no: "tmp tmp/keep.md tmp/a/b.md tmp/x"},
		{name: "case 67: an ignored directory without slash", watch: "*", ignore: ".git node_modules",
			yes: "a .gitignore", no: ".git .git/config a/node_modules/b/c.js"},
		{name: "case 67: an ignored directory by path", watch: "*", ignore: "a/b",
			yes: "b/c a/c x/a/b/c", no: "a/b a/b/c"},
		{name: "case 67: a slash spares files", watch: "*", ignore: "build/",
			yes: "build a/build/x", no: "build/x"},
		{name: "case 67: every directory ignored", watch: "*", ignore: "*/", yes: "a", no: "a/b a/b/c"},
		{name: "case 68: strict", ignore: "x", no: "a a.md d/a x"},
		{name: "the pattern files are files", watch: "*", yes: ".obbywatch d/.obbyignore"},
		{name: "the root is no file", watch: "* */ .", no: "."},
		{name: "no negation", watch: "*.md !a.md", yes: "a.md !a.md"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := set(t, c.watch, c.ignore)
			for _, rel := range strings.Fields(c.yes) {
				if !s.Match(rel) {
					t.Errorf("%q does not match", rel)
				}
			}
			for _, rel := range strings.Fields(c.no) {
				if s.Match(rel) {
					t.Errorf("%q matches", rel)
				}
			}
		})
	}
}

func TestMatchIn(t *testing.T) {
	s := set(t, "*.md", "tmp/ .git draft.md")
	for rel, want := range map[string]bool{
		"tmp/a.md": true, ".git/a.md": true, // what is above is the caller's promise
		"a.md": true, "draft.md": false, "tmp/draft.md": false, "a.txt": false, "": false, ".": false,
	} {
		if got := s.MatchIn(rel); got != want {
			t.Errorf("MatchIn(%q) = %v", rel, got)
		}
	}
}

func TestDescend(t *testing.T) {
	s := set(t, "tmp/keep.md", "tmp/ .git a/b/ */cache/ ???x")
	for rel, want := range map[string]bool{
		"": true, ".": true, "a": true, "a/c": true, "x/tmp": true, "cache": true,
		"tmp": false, "tmp/a": false, "tmp/a/b": false, ".git": false, "d/.git": false, "d/.git/e": false,
		"a/b": false, "a/b/c": false, "d/cache": false, "d/e/cache/f": false, "d/abcx": false,
	} {
		if got := s.Descend(rel); got != want {
			t.Errorf("case 67: Descend(%q) = %v", rel, got)
		}
	}
	if !set(t, "", "").Descend("a") {
		t.Error("an empty set ignores nothing")
	}
}

func TestNormalised(t *testing.T) {
	s, problems := pathrule.New(
		[]string{"  *.md\t", "*.md", "", "# comment", "#x", "notes//", "notes/", "a b", "[#]x", "*.md\r", "a#b"},
		[]string{"x", "x "})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if diff := cmp.Diff([]string{"*.md", "notes/", "a b", "[#]x", "a#b"}, s.Watch()); diff != "" {
		t.Errorf("case 66 (-want +got):\n%s", diff)
	}
	want := []pathrule.Source{
		{Name: ".obbywatch", Patterns: []string{"*.md", "notes/", "a b", "[#]x", "a#b"}},
		{Name: ".obbyignore", Patterns: []string{"x"}},
	}
	if diff := cmp.Diff(want, s.Sources()); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	s.Watch()[0] = "changed"
	if s.Watch()[0] != "*.md" {
		t.Error("the caller can change the set")
	}
	if !s.Match("#x") {
		t.Error("[#]x does not match #x")
	}
}

func TestEqual(t *testing.T) {
	a := set(t, "*.md *.txt", "x/")
	for _, c := range []struct {
		other *pathrule.Set
		want  bool
	}{
		{a, true},
		{set(t, "*.txt *.md *.md", "x//"), true},
		{set(t, "*.md", "x/"), false},
		{set(t, "*.md *.txt", "x"), false},
		{set(t, "x/", "*.md *.txt"), false},
		{nil, false},
	} {
		if a.Equal(c.other) != c.want {
			t.Errorf("Equal(%v) is not %v", c.other, c.want)
		}
	}
}

func TestProblems(t *testing.T) {
	s, problems := pathrule.New(
		[]string{"/a", "*.md", strings.Repeat("x", 10_000)},
		[]string{"a\x00b", "./\xff", "/"})
	if diff := cmp.Diff(problems, s.Problems()); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.Error())
	}
	want := []string{
		`.obbywatch:1: pattern "/a" begins with / or ./ and so matches nothing: write it relative to the root`,
		`.obbywatch:3: pattern "` + strings.Repeat("x", 40) + `" has 10000 bytes: at most 4096 are allowed`,
		`.obbyignore:1: pattern "a\x00b" holds a NUL byte, which no file name does: is the text UTF-16?`,
		`.obbyignore:2: pattern "./\xff" begins with / or ./ and so matches nothing: write it relative to the root`,
		`.obbyignore:3: pattern "/" begins with / or ./ and so matches nothing: write it relative to the root`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("case 70 (-want +got):\n%s", diff)
	}
	if !s.Match("a.md") {
		t.Error("the other patterns do not work")
	}
}

// Exponential matching would run for ever here.
func TestBounded(t *testing.T) {
	long := strings.Repeat("a", 4096)
	for _, pattern := range []string{
		"*a*a*a*a*a*b",
		"*a*a*a*a*a*[b]",
		strings.Repeat("*a", 2047) + "?b",
		strings.Repeat("*a", 2046) + "[b]",
		strings.Repeat("*[ab]", 800) + "c",
		strings.Repeat("*?", 2000) + "b?",
		"*" + strings.Repeat("[!b]", 1000) + "b",
		"*[" + strings.Repeat("b-c", 1300) + "]",
		strings.Repeat("[", 4096),
		strings.Repeat("{", 4096),
	} {
		t.Run(fmt.Sprintf("case 70: %.20s", pattern), func(t *testing.T) {
			if s := set(t, pattern, ""); s.Match(long) {
				t.Error("matches")
			}
		})
	}
	t.Run("case 70: a deep path", func(t *testing.T) {
		s := set(t, "*", "*a*a*b/ *a*a*[b]")
		if !s.Match(strings.Repeat("a/", 2000) + "a") {
			t.Error("does not match")
		}
	})
}

func TestManyPatterns(t *testing.T) {
	var watch []string
	for i := range pathrule.MaxPatterns {
		form := []string{"*.ext%d", "dir%d/", "name%d", "dir%d/*.md"}[i%4]
		watch = append(watch, fmt.Sprintf(form, i))
	}
	s, problems := pathrule.New(watch, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for rel, want := range map[string]bool{
		"a.ext9996": true, "dir9997/a/b": true, "a/name9998": true, "dir9999/a.md": true,
		"a.ext1": false, "dir9997": false, "dir9996/a.md": false,
	} {
		if got := s.Match(rel); got != want {
			t.Errorf("case 70: Match(%q) = %v", rel, got)
		}
	}
	_, problems = pathrule.New(append(watch, "name2", "one more", "and more"), nil)
	want := []pathrule.Problem{{
		File: ".obbywatch", Line: 10_002, Pattern: "one more",
		Reason: "is one more than 10000: it and those after it are left out",
	}}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Errorf("case 70 (-want +got):\n%s", diff)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := set(t, "*a*b*c? *.md [a-c]x notes/", "*tmp* build/")
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 200 {
				if rel := fmt.Sprintf("d%d/xaxbxcx", i); !s.Match(rel) || s.Match("build/"+rel) {
					t.Errorf("wrong about %q", rel)
				}
			}
		})
	}
	group.Wait()
}
