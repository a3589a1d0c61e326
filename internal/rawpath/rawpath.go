// Package rawpath gives operating-system paths, which are strings of bytes, the
// two forms that text needs: one for a database's TEXT column, one for messages.
//
// A path that is valid UTF-8, which is nearly every path, is its own text form.
// In the others each byte that is not part of valid UTF-8 becomes the private-use
// character U+EF00 plus the byte: U+EF80 to U+EFFF. A path that holds one of
// these characters itself has that character's bytes escaped likewise, so that
// no two paths share a text and Decode always finds the bytes again.
package rawpath

import (
	"strings"
	"unicode/utf8"
)

// An escaped byte b, 0x80 to 0xFF, is the character base + b.
const (
	base        = 0xEF00
	firstEscape = base + 0x80
	lastEscape  = base + 0xFF
)

// Encode returns the text form of a path: valid UTF-8, different for different
// paths, and the path itself unless it is exotic.
func Encode(osPath string) string {
	if utf8.ValidString(osPath) && !strings.ContainsFunc(osPath, isEscape) {
		return osPath
	}
	var text strings.Builder
	for rest := osPath; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if (r == utf8.RuneError && size == 1) || isEscape(r) {
			for _, b := range []byte(rest[:size]) {
				text.WriteRune(base + rune(b))
			}
		} else {
			text.WriteString(rest[:size])
		}
		rest = rest[size:]
	}
	return text.String()
}

// Decode returns the path that Encode made the text of. Text that Encode never
// makes is decoded by the same rule.
func Decode(text string) string {
	if !strings.ContainsFunc(text, isEscape) {
		return text
	}
	var path strings.Builder
	for rest := text; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if isEscape(r) {
			path.WriteByte(byte(r - base))
		} else {
			path.WriteString(rest[:size])
		}
		rest = rest[size:]
	}
	return path.String()
}

// Split returns the two fields that carry a path in a message: valid UTF-8 to
// show, with U+FFFD where it is lossy, and the exact bytes, nil where path is
// exact already.
func Split(osPath string) (path string, rawPath []byte) {
	if utf8.ValidString(osPath) {
		return osPath, nil
	}
	return strings.ToValidUTF8(osPath, "\uFFFD"), []byte(osPath)
}

// Join returns the path that a message's two fields carry: rawPath where there
// is one, else path.
func Join(path string, rawPath []byte) string {
	if len(rawPath) > 0 {
		return string(rawPath)
	}
	return path
}

func isEscape(r rune) bool { return firstEscape <= r && r <= lastEscape }
