package hub

// Reader shares what is read of the log among subscriptions that are polled one
// after the other: of those that one publication wakes, the first reads. It is
// for one goroutine; the zero value is ready.
type Reader struct {
	start  Seq      // the page follows this cursor
	events []*Event // the page; events may have left the log meanwhile
}

// after returns the first events after a cursor, at least one where there is one
// that was stored before the call.
func (r *Reader) after(log Log, cursor Seq) ([]*Event, error) {
	if r == nil {
		return log.After(cursor, readEvents)
	}
	if at := cursor - r.start; cursor >= r.start && at < Seq(len(r.events)) {
		return r.events[at:], nil
	}
	events, err := log.After(cursor, readEvents)
	if err == nil {
		r.start, r.events = cursor, events
	}
	return events, err
}

// Forget lets go of what was read, so that it is not kept in memory while nothing
// happens.
func (r *Reader) Forget() { r.events = nil }
