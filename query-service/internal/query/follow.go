package query

import (
	"context"
	"iter"
	"time"
)

// heartbeat is how long a follower who gets nothing waits for a sign of life.
const heartbeat = 5 * time.Second

// Event is a step, or a sign that everything up to a position was delivered.
type Event struct {
	Diff *Diff // nil: a heartbeat
	At   Position
}

// Follow yields the steps of q after q.After in the order in which they were recorded,
// then a heartbeat, and stays: it yields each further step once it is committed, and a
// heartbeat whenever nothing came for a while. last is where the record ends, which
// says what database is followed. It stops at an error, which it yields: ErrReplaced
// where that database is not there any more, ctx's cause when that ends. While the
// caller is busy nothing is held open (case 50), and what comes meanwhile is read later.
func Follow(ctx context.Context, store DiffStore, q DiffQuery, last Position) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		changed, stop := store.Watch()
		defer stop()
		timer := time.NewTimer(heartbeat)
		defer timer.Stop()
		for due := true; ; {
			wake := changed() // before the record is read: what comes later is not missed
			for d, err := range further(ctx, store, q, &last) {
				if err != nil {
					yield(Event{}, err)
					return
				}
				if !yield(Event{&d, PositionOf(d, last.Database)}, nil) {
					return
				}
				timer.Reset(heartbeat)
			}
			q.After = max(q.After, last.ID)
			if due && !yield(Event{At: last}, nil) {
				return
			}
			select {
			case <-wake:
				due = false
			case <-timer.C:
				due = true
				timer.Reset(heartbeat)
			case <-ctx.Done():
				yield(Event{}, context.Cause(ctx))
				return
			}
		}
	}
}

// further yields the steps of q up to where the record ends now, and says where.
func further(ctx context.Context, store DiffStore, q DiffQuery, last *Position) iter.Seq2[Diff, error] {
	return func(yield func(Diff, error) bool) {
		now, err := stillAt(ctx, store, *last)
		if err != nil {
			yield(Diff{}, err)
			return
		}
		*last = now
		for d, err := range Since(ctx, store, q, now) {
			if !yield(d, err) {
				return
			}
		}
	}
}
