package hub

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxTopic = 255

// checkTopic says why a name cannot be a topic's, or nothing. Names are compared
// byte by byte, without any folding, so what people cannot see is not allowed in
// them (hub case 53).
func checkTopic(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxTopic:
		return fmt.Sprintf("has %d bytes; at most %d are allowed", len(name), maxTopic)
	case !utf8.ValidString(name):
		return "is not valid UTF-8"
	case strings.ContainsAny(name, "*>"):
		return fmt.Sprintf("%q has a wildcard; a topic is one exact name, and several can be subscribed to", name)
	case strings.ContainsFunc(name, unseen):
		return fmt.Sprintf("%q has a space, a control character or a mark of text direction", name)
	}
	return ""
}

func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.In(r, unicode.Z, unicode.Bidi_Control)
}

// topics knows who is to be woken by a topic. It has no entry for a topic without
// subscribers (hub case 51).
type topics map[string]map[*Subscription]struct{}

func (t topics) add(s *Subscription) {
	for name := range s.topics {
		if t[name] == nil {
			t[name] = map[*Subscription]struct{}{}
		}
		t[name][s] = struct{}{}
	}
}

func (t topics) remove(s *Subscription) {
	for name := range s.topics {
		delete(t[name], s)
		if len(t[name]) == 0 {
			delete(t, name)
		}
	}
}

// wake tells the subscribers of an event's topic to look, and counts them.
func (t topics) wake(e *Event) int {
	for s := range t[e.Topic] {
		select {
		case s.wake <- e.Seq:
		default: // it has been told of an earlier one and has not looked yet
		}
	}
	return len(t[e.Topic])
}
