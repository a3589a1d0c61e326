package hub

import "errors"

var (
	// ErrStopping refuses publications and subscriptions while the hub stops, and
	// ends the subscriptions that stand.
	ErrStopping = errors.New("the hub is stopping: try again")
	// ErrOvertaken says that the history no longer holds what comes next.
	ErrOvertaken = errors.New("read too slowly: the history no longer holds what comes next; subscribe again with the last event id")
	// ErrReplaced ends a subscription whose client has begun another one.
	ErrReplaced = errors.New("the same client has subscribed again: this stream is replaced by the newer one")
	// ErrTooLarge refuses data over the limit.
	ErrTooLarge = errors.New("data is too large")
	// ErrHistory refuses publications that the log cannot take.
	ErrHistory = errors.New("the history cannot be written")
)

// InvalidError refuses a publication or a request that is not as described.
type InvalidError struct {
	Field  string // topic, event_type, data, idempotency_key, topics, last_count or client_id
	Reason string // what is wrong and what is allowed
}

// Error implements error.
func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }
