package track_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/content-tracker/internal/track"
)

// oracle is the hash by definition: everything in memory, two replacements.
func oracle(text string) track.Hash {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	sum := sha256.Sum256([]byte(text))
	return track.Hash(hex.EncodeToString(sum[:]))
}

func exact(text string) track.Hash {
	sum := sha256.Sum256([]byte(text))
	return track.Hash(hex.EncodeToString(sum[:]))
}

func TestDigest(t *testing.T) {
	const cap = 1000
	for _, tc := range []struct {
		name, text string
		hash       track.Hash
		kind       track.Kind
		eol        track.LineEnding
		lines      int64
		body       string
	}{
		{"case 2: lone CR", "a\rb", oracle("a\nb"), track.Text, track.CR, 2, "a\nb"},
		{"case 2: CR CR LF", "a\r\r\nb", oracle("a\n\nb"), track.Text, track.Mixed, 3, "a\n\nb"},
		{"case 2: LF CR", "\n\r", oracle("\n\n"), track.Text, track.Mixed, 2, "\n\n"},
		{"case 2: CR as the last byte of the file", "a\r", oracle("a\n"), track.Text, track.CR, 1, "a\n"},
		{"case 3: CRLF hashes as LF", "a\r\nb\r\n", oracle("a\nb\n"), track.Text, track.CRLF, 2, "a\nb\n"},
		{"case 5: BOM is content", "\ufeffa\n", exact("\ufeffa\n"), track.Text, track.LF, 1, "\ufeffa\n"},
		{"case 6: Latin-1", "caf\xe9\r\n", exact("caf\xe9\r\n"), track.Lossy, track.CRLF, 1, "caf\xe9\r\n"},
		{"case 7: NUL", "a\x00\r\n", exact("a\x00\r\n"), track.Binary, track.NoEOL, 0, "a\x00\r\n"},
		{"case 8: UTF-16", "\xff\xfe\x0d\x00\x0a\x00", exact("\xff\xfe\x0d\x00\x0a\x00"), track.Binary, track.NoEOL, 0, "\xff\xfe\x0d\x00\x0a\x00"},
		{"case 8: UTF-16 without NUL", "\xfe\xff\x41\x42", exact("\xfe\xff\x41\x42"), track.Binary, track.NoEOL, 0, "\xfe\xff\x41\x42"},
		{"case 9: empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", track.Text, track.NoEOL, 0, ""},
		{"case 10: only LF ends a line", "a\fb\u2028c\u0085d", exact("a\fb\u2028c\u0085d"), track.Text, track.NoEOL, 1, "a\fb\u2028c\u0085d"},
		{"case 20: over the cap", strings.Repeat("x\r\n", 400), oracle(strings.Repeat("x\n", 400)), track.Omitted, track.CRLF, 400, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := track.Digest(strings.NewReader(tc.text), int64(len(tc.text)), cap)
			if err != nil {
				t.Fatal(err)
			}
			if c.Hash != tc.hash || c.Kind != tc.kind || c.EOL != tc.eol || c.LineCount != tc.lines || string(c.Body) != tc.body || c.Size != int64(len(tc.text)) {
				t.Errorf("content is %+v", c)
			}
		})
	}
}

// TestDigestOverTheCap: what is said of a content does not depend on whether it
// is kept. Texts are longer than a buffer, so that line ends and runes meet its
// end at every offset.
func TestDigestOverTheCap(t *testing.T) {
	const buffer = 128 << 10
	for name, end := range map[string]string{
		"case 1: CRLF across reads": "\r\n\r\r\ny\r", "LF": "\ny\n", "no line end": "y", "NUL late": "\r\n\x00",
		"runes": "\u20acé\U0001f600\r\n", "case 6: Latin-1": "\r\n\xe9\r\n\r", "half a rune": "\r\n\xe2\x82",
		"half a rune, more": "\xe2\x82\r\n" + strings.Repeat("\u20ac\r", 50_000), "binary": "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			for shift := range 6 {
				text := strings.Repeat("x", buffer-5+shift) + end
				if name == "binary" {
					text = "\x00" + text
				}
				kept := digest(t, strings.NewReader(text), 1<<20)
				for _, r := range []io.ReadSeeker{strings.NewReader(text), slow(text)} {
					over := digest(t, r, 0)
					if over.Kind != track.Omitted || over.Body != nil {
						t.Errorf("kept %d bytes as %s", len(over.Body), over.Kind)
					}
					want := kept
					want.Kind, want.Body = over.Kind, nil
					if diff := cmp.Diff(want, over); diff != "" {
						t.Fatalf("shift %d (-kept +over the cap):\n%s", shift, diff)
					}
				}
				if kept.Kind == track.Text && kept.Hash != oracle(text) {
					t.Errorf("shift %d: the hash is %s", shift, kept.Hash)
				}
			}
		})
	}
}

// slow gives one byte at a time.
func slow(text string) io.ReadSeeker {
	r := strings.NewReader(text)
	return joined{iotest.OneByteReader(r), r}
}

// joined joins a reader with what it reads from.
type joined struct {
	io.Reader
	io.Seeker
}

// digest says a wrong size: a file may grow after it was looked at.
func digest(t *testing.T, r io.ReadSeeker, limit int64) track.Content {
	t.Helper()
	c, err := track.Digest(r, 1, limit)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDigestReadError(t *testing.T) {
	for _, limit := range []int64{0, 10} {
		if _, err := track.Digest(joined{iotest.ErrReader(bytes.ErrTooLarge), nil}, 1, limit); err != bytes.ErrTooLarge {
			t.Errorf("error is %v, want the reader's", err)
		}
	}
}

func FuzzDigest(f *testing.F) {
	for _, seed := range []string{"", "a\r\nb", "\r", "\r\r\n", "\n\r", "caf\xe9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := track.Digest(strings.NewReader(text), 0, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		want := exact(text)
		if c.Kind == track.Text {
			want = oracle(text)
		}
		if c.Hash != want || c.Kind == track.Text && exact(string(c.Body)) != want {
			t.Errorf("hash of %q is %s, want %s; body %q", text, c.Hash, want, c.Body)
		}
	})
}
