package rpcerr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// gRPC carries an error in the trailer: its message percent-encoded, and once more with
// the details in base64. Clients take 8 KiB of metadata, and throw away an answer that
// has more, so an error stays below 4 KiB even where none of it is ASCII.
const (
	maxValue = 200 // bytes of what a message quotes
	maxText  = 560 // bytes of a message or description
	textTail = 160 // of these, at its end
)

// cut shortens the long values in a text, quoted or words of their own, and the text
// itself where that is not enough: in its middle, for it begins with what it is about
// and ends with what is wrong.
func cut(text string) string {
	if len(text) <= maxValue {
		return text
	}
	var short strings.Builder
	closed := true // an open quotation mark is looked for once: it costs the whole text
	for text != "" {
		n := 0
		if closed && text[0] == '"' {
			n = quoted(text)
			closed = n > 0
		}
		if n == 0 {
			n = word(text)
		}
		short.WriteString(cutValue(text[:n]))
		text = text[n:]
	}
	text = short.String()
	if len(text) <= maxText {
		return text
	}
	return text[:boundary(text, maxText-textTail)] + " … " + text[boundary(text, len(text)-textTail):]
}

// quoted returns the length of what is quoted at the beginning of a text, as %q does;
// 0 where it has no end.
func quoted(text string) int {
	for n := 1; n < len(text); n++ {
		switch text[n] {
		case '"':
			return n + 1
		case '\\':
			n++
		}
	}
	return 0
}

// around is what separates words, or stands behind one in a message.
const around = " \n\":;,"

// word returns the length of the word at the beginning of a text, or 1.
func word(text string) int {
	switch n := strings.IndexAny(text, around); n {
	case -1:
		return len(text)
	case 0:
		return 1
	default:
		return n
	}
}

func cutValue(value string) string {
	if len(value) <= maxValue {
		return value
	}
	quote := ""
	if value[0] == '"' {
		quote, value = `"`, strings.TrimSuffix(value[1:], `"`)
	}
	return fmt.Sprintf("%s%s…%s (%d characters)", quote, value[:boundary(value, maxValue)], quote, utf8.RuneCountInString(value))
}

// boundary returns the last place up to n at which no character is cut in half.
func boundary(text string, n int) int {
	for n > 0 && n < len(text) && !utf8.RuneStart(text[n]) {
		n--
	}
	return min(n, len(text))
}
