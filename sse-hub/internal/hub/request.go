package hub

import (
	"fmt"
	"slices"
)

// Limits of a request.
const (
	maxTopics = 100
	maxLast   = 1000
	maxClient = 128
)

// Request says what to subscribe to and where to begin.
type Request struct {
	Topics []string // names, or patterns with wildcards; one named twice counts once
	LastID string   // of the last event handled; empty: none was
	// LastCount, where there is no LastID or it cannot be honoured, is how many
	// of the newest events to begin with.
	LastCount int
	// ClientID, where it is not empty, ends the subscription of the same Subject
	// that has the same.
	ClientID, Subject string
}

// Validate returns an *InvalidError for what is not as described. LastID may be
// anything.
func (r *Request) Validate() error {
	switch {
	case len(r.Topics) == 0:
		return &InvalidError{"topics", "is empty; name at least one topic"}
	case len(r.Topics) > maxTopics:
		return &InvalidError{"topics", fmt.Sprintf("has %d topics; at most %d are allowed", len(r.Topics), maxTopics)}
	case r.LastCount < 0 || r.LastCount > maxLast:
		return &InvalidError{"last_count", fmt.Sprintf("%d is not between 0 and %d", r.LastCount, maxLast)}
	case len(r.ClientID) > maxClient:
		return &InvalidError{"client_id", fmt.Sprintf("has %d bytes; at most %d are allowed", len(r.ClientID), maxClient)}
	}
	for _, name := range r.Topics {
		if reason := checkTopic(name, true); reason != "" {
			return &InvalidError{"topics", reason}
		}
	}
	return nil
}

// distinct returns each name once, in their order: a subscription stands at most
// once in the list of a name. The caller's slice stays as it is.
func distinct(names []string) []string {
	once := make([]string, 0, len(names))
	for _, name := range names {
		if !slices.Contains(once, name) { // at most maxTopics
			once = append(once, name)
		}
	}
	return once
}

// Reset says that what a subscriber missed cannot be replayed.
type Reset struct {
	Reason Reason `json:"reason"`
	Oldest string `json:"oldest"` // id of the oldest event held; empty: none is
	Newest string `json:"newest"` // id of the newest event given out
}
