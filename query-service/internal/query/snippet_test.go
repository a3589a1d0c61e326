package query

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestCutSnippet(t *testing.T) {
	long := strings.Repeat("é", 500)
	for _, tc := range []struct {
		name, marked string
		matches      []string
	}{
		{"no match", "some text", nil},
		{"one match", "buy <milk> now", []string{"milk"}},
		{"the whole text", "<milk>", []string{"milk"}},
		{"matches next to each other", "<a><b> c", []string{"a", "b"}},
		{"a mark that is not closed", "a <b", []string{"b"}},
		{"case 57: markup stays as it is", "[script] <alert> [/script]", []string{"alert"}},
		{"far in a long text", long + "<hit>" + long, []string{"hit"}},
		{"a match longer than a snippet", "<" + long + ">", []string{long[:200]}},
		{"a second match far away", "<hit>" + long + "<hit>", []string{"hit"}},
		{"at the end of a long text", long + "<end>", []string{"end"}},
		{"not UTF-8", "\xe9 <caf\xe9>", []string{"caf\uFFFD"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := CutSnippet(tc.marked, "<", ">")
			var matches []string
			for _, h := range s.Highlights {
				matches = append(matches, s.Text[h.Start:h.End])
			}
			if diff := cmp.Diff(tc.matches, matches); diff != "" {
				t.Errorf("highlights (-want +got):\n%s", diff)
			}
			if len(s.Text) > snippetBytes || !utf8.ValidString(s.Text) || strings.ContainsAny(s.Text, "<>") {
				t.Errorf("snippet is %q", s.Text)
			}
		})
	}
}

func FuzzCutSnippet(f *testing.F) {
	f.Add("a <b> c", 3)
	f.Add("<<>\xe9>", 100)
	f.Fuzz(func(t *testing.T, marked string, repeat int) {
		s := CutSnippet(strings.Repeat(marked, min(max(repeat, 0), 100)), "<", ">")
		if len(s.Text) > snippetBytes || !utf8.ValidString(s.Text) {
			t.Errorf("text is %q", s.Text)
		}
		for _, h := range s.Highlights {
			if h.Start >= h.End || h.Start < 0 || h.End > len(s.Text) || !utf8.ValidString(s.Text[h.Start:h.End]) {
				t.Errorf("highlight %v of %q", h, s.Text)
			}
		}
	})
}
