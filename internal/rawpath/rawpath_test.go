package rawpath_test

import (
	"testing"
	"unicode/utf8"

	"github.com/obby/go-services/internal/rawpath"
)

// tracker case 31: names that are not UTF-8 are kept without loss.
var paths = []struct{ name, path, text string }{
	{"empty", "", ""},
	{"plain", "/notes/todo.md", "/notes/todo.md"},
	{"spaces, tabs, newlines, quotes", "/a b\tc\nd\"e'", "/a b\tc\nd\"e'"},
	{"other scripts", "/Pläne/検索/😀", "/Pläne/検索/😀"},
	{"replacement character", "/\uFFFD", "/\uFFFD"},
	{"other private use", "/\uEF7F\uF000", "/\uEF7F\uF000"},
	{"Latin-1", "/caf\xe9", "/caf\uEFE9"},
	{"cut sequence", "/\xe6\xa4", "/\uEFE6\uEFA4"},
	{"surrogate", "/\xed\xa0\x80", "/\uEFED\uEFA0\uEF80"},
	{"valid beside invalid", "/é\xff検", "/é\uEFFF検"},
	{"first escape character", "/\uEF80", "/\uEFEE\uEFBE\uEF80"},
	{"last escape character", "/\uEFFF", "/\uEFEE\uEFBF\uEFBF"},
}

func TestEncode(t *testing.T) {
	for _, tc := range paths {
		t.Run("case 31: "+tc.name, func(t *testing.T) {
			if got := rawpath.Encode(tc.path); got != tc.text {
				t.Errorf("Encode(%q) = %q, want %q", tc.path, got, tc.text)
			}
			if got := rawpath.Decode(tc.text); got != tc.path {
				t.Errorf("Decode(%q) = %q, want %q", tc.text, got, tc.path)
			}
		})
	}
}

func TestDecodeOfBytes(t *testing.T) {
	for _, text := range []string{"/\xe9\uEFE9", "/\xef\uEFE9", "/\uFFFD\uEFE9"} {
		want := text[:len(text)-len("\uEFE9")] + "\xe9"
		if got := rawpath.Decode(text); got != want {
			t.Errorf("Decode(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tc := range []struct {
		path, show string
		raw        []byte
	}{
		{"/notes/Pläne", "/notes/Pläne", nil},
		{"/caf\xe9", "/caf\uFFFD", []byte("/caf\xe9")},
	} {
		show, raw := rawpath.Split(tc.path)
		if show != tc.show || string(raw) != string(tc.raw) || (raw == nil) != (tc.raw == nil) {
			t.Errorf("Split(%q) = %q, %q, want %q, %q", tc.path, show, raw, tc.show, tc.raw)
		}
		if got := rawpath.Join(show, raw); got != tc.path {
			t.Errorf("Join(%q, %q) = %q, want %q", show, raw, got, tc.path)
		}
	}
	if got := rawpath.Join("/shown", []byte("/exact")); got != "/exact" {
		t.Errorf("Join = %q, want the raw path", got)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, tc := range paths {
		f.Add(tc.path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		text := rawpath.Encode(path)
		if !utf8.ValidString(text) {
			t.Errorf("Encode(%q) = %q is not UTF-8", path, text)
		}
		if got := rawpath.Decode(text); got != path {
			t.Errorf("Decode(Encode(%q)) = %q", path, got)
		}
		show, raw := rawpath.Split(path)
		if got := rawpath.Join(show, raw); got != path || !utf8.ValidString(show) {
			t.Errorf("Join(Split(%q)) = %q, shown %q", path, got, show)
		}
	})
}
