package query

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Position is a place in the record of steps: after the one with this id.
type Position struct {
	ID       int64
	Database string // empty: the database bears no identity yet
	Time     int64  // of the step, microseconds since the Unix epoch; 0: not known
}

// PositionOf returns the position of a step of a database.
func PositionOf(d Diff, database string) Position {
	return Position{ID: d.ID, Database: database, Time: unixMicro(d.Observed)}
}

// unixMicro returns 0 for the zero time.
func unixMicro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Resume returns ErrUnknownToken where p cannot be a position of the database whose
// record ends at last: see Check, or it was restored from an older copy and has since
// given the step's id to another one.
func Resume(ctx context.Context, store DiffStore, p, last Position) error {
	if err := p.Check(last); err != nil || p.Time == 0 {
		return err
	}
	at, err := store.ObservedAt(ctx, p.ID)
	if err == nil && !at.IsZero() && at.UnixMicro() != p.Time {
		err = ErrUnknownToken
	}
	return err
}

// Check returns ErrUnknownToken where p cannot be a position before last: it is
// of another database, or this one was restored from an older copy and lost the
// step.
func (p Position) Check(last Position) error {
	foreign := p.Database != "" && p.Database != last.Database
	if foreign || p.ID < 0 || p.ID > last.ID {
		return ErrUnknownToken
	}
	return nil
}

// Since yields the steps of q after q.After in the order in which they were
// recorded, and ends with last: a reader that is slower than the writer would
// never end otherwise. It stops at an error, which it yields; ErrReplaced where last is
// of another database than the steps. While the caller is
// busy with a step nothing is held open (case 50).
func Since(ctx context.Context, store DiffStore, q DiffQuery, last Position) iter.Seq2[Diff, error] {
	q.Oldest, q.Limit, q.Before = true, StreamPage, last.ID+1
	return func(yield func(Diff, error) bool) {
		for {
			page, err := store.Diffs(ctx, q)
			if err == nil {
				_, err = stillAt(ctx, store, last) // and was while the page was read
			}
			if err != nil {
				yield(Diff{}, err)
				return
			}
			for _, diff := range page.Items {
				if !yield(diff, nil) {
					return
				}
				q.After = diff.ID
			}
			if !page.More {
				return
			}
		}
	}
}

// stillAt returns where the record ends now, or ErrReplaced where the database is not
// the one of last any more: another one, or an older copy of it, also where that has
// given the id of last to another step meanwhile.
func stillAt(ctx context.Context, store DiffStore, last Position) (Position, error) {
	now, err := store.Last(ctx)
	if err != nil || now == last {
		return now, err
	}
	if err = Resume(ctx, store, last, now); errors.Is(err, ErrUnknownToken) {
		err = ErrReplaced
	}
	return now, err
}
