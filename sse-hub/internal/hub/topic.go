package hub

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a topic's name. Segments bound what one publication costs where
// patterns are subscribed to.
const (
	maxTopic    = 255
	maxSegments = 32
)

// The wildcards of a pattern: each is a whole segment.
const (
	anyOne  = "*" // any one segment
	anyRest = ">" // one segment or more, the last of a pattern
)

// checkTopic says why a name cannot be a topic's, or where a pattern is allowed a
// pattern's, or nothing. Names are compared byte by byte, without any folding, so
// what people cannot see is not allowed in them (hub case 53).
func checkTopic(name string, pattern bool) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxTopic:
		return fmt.Sprintf("has %d bytes; at most %d are allowed", len(name), maxTopic)
	case !utf8.ValidString(name):
		return "is not valid UTF-8"
	case strings.ContainsFunc(name, unseen):
		return fmt.Sprintf("%q has a space, a control character or a mark that cannot be seen", name)
	case strings.Count(name, ".") >= maxSegments:
		return fmt.Sprintf("%q has more than %d segments", name, maxSegments)
	case !strings.ContainsAny(name, "*>"):
		return ""
	case !pattern:
		return fmt.Sprintf("%q has a wildcard; what is published has one exact topic", name)
	}
	return checkPattern(name)
}

// checkPattern says why a name with wildcards is no pattern, or nothing.
func checkPattern(name string) string {
	segments := strings.Split(name, ".")
	for i, segment := range segments {
		switch {
		case segment == anyOne, segment == anyRest && i == len(segments)-1:
		case segment == anyRest:
			return fmt.Sprintf("%q goes on behind '>', which stands for all the rest", name)
		case strings.ContainsAny(segment, "*>"):
			return fmt.Sprintf("%q has a wildcard that is not a whole segment: '*' stands for one, '>' for the rest", name)
		}
	}
	return ""
}

func isPattern(name string) bool { return strings.ContainsAny(name, "*>") }

// unseen reports what people cannot see; marks of text direction are of Cf.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.In(r, unicode.Z, unicode.Cf)
}

// Covers reports whether everything that name matches is matched by pattern, too:
// name may be a topic or itself a pattern. Whoever may read what a pattern
// matches may therefore subscribe to what it covers (hub case 52).
func Covers(pattern, name string) bool {
	for more := true; more; {
		var want, have string
		want, pattern, more = strings.Cut(pattern, ".")
		have, rest, deeper := strings.Cut(name, ".")
		switch {
		case want == anyRest:
			return true // of one segment or more, as name has
		case have == anyRest, want != anyOne && want != have, more != deeper:
			return false
		}
		name = rest
	}
	return true
}
