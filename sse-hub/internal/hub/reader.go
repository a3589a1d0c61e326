package hub

// Reader shares what is read of the log among subscriptions that are polled one
// after the other: of those that one publication wakes, the first reads. It is
// for one goroutine; the zero value is ready.
type Reader struct{ page }

// page is a run of events; they may have left the log meanwhile.
type page struct {
	start  Seq // the cursor that it follows
	events []*Event
}

// from returns the page's events after a cursor, nil where it has none.
func (p *page) from(cursor Seq) []*Event {
	if at := cursor - p.start; cursor >= p.start && at < Seq(len(p.events)) {
		return p.events[at:]
	}
	return nil
}

// after returns the first events after a cursor, at least one where there is one
// that was stored before the call.
func (r *Reader) after(h *Hub, cursor Seq) ([]*Event, error) {
	if r == nil {
		// Thousands that wake for one event would wait in a row for the log's lock.
		if latest := h.latest.Load(); latest != nil {
			if events := latest.from(cursor); events != nil {
				return events, nil
			}
		}
		return h.log.After(cursor, readEvents)
	}
	if events := r.from(cursor); events != nil {
		return events, nil
	}
	events, err := h.log.After(cursor, readEvents)
	if err == nil {
		r.page = page{cursor, events}
	}
	return events, err
}

// Forget lets go of what was read, so that it is not kept in memory while nothing
// happens.
func (r *Reader) Forget() { r.events = nil }
