package query

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// journal is a store of steps without a database.
type journal struct {
	mu      sync.Mutex // guards what follows
	last    Position
	changed chan struct{}
	watched int
}

func (j *journal) Diffs(_ context.Context, q DiffQuery) (page Page[Diff], err error) {
	for id := q.After + 1; id < q.Before && len(page.Items) < q.Limit; id++ {
		page.Items = append(page.Items, Diff{ID: id})
	}
	page.More = len(page.Items) == q.Limit
	return page, nil
}

func (j *journal) Last(context.Context) (Position, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last, nil
}

func (j *journal) ObservedAt(context.Context, int64) (time.Time, error) { return time.Time{}, nil }

func (j *journal) Watch() (changed func() <-chan struct{}, stop func()) {
	j.watch(1)
	changed = func() <-chan struct{} {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.changed
	}
	return changed, func() { j.watch(-1) }
}

func (j *journal) watch(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.watched += n
}

func (j *journal) move(to Position) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last = to
	close(j.changed)
	j.changed = make(chan struct{})
}

func TestFollowHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{last: Position{ID: 2, Database: "db"}, changed: make(chan struct{})}
		start := time.Now()
		var got []string
		go func() {
			for event, err := range Follow(t.Context(), j, DiffQuery{}, Position{ID: 2, Database: "db"}) {
				at := time.Since(start)
				switch {
				case err != nil:
					got = append(got, fmt.Sprint(at, " ", errors.Is(err, ErrReplaced)))
				case event.Diff == nil:
					got = append(got, fmt.Sprint(at, " heartbeat at ", event.At.ID))
				default:
					got = append(got, fmt.Sprint(at, " step ", event.At.ID))
				}
			}
		}()
		time.Sleep(4 * time.Second) // of the bubble's clock
		j.move(Position{ID: 3, Database: "db"})
		time.Sleep(11 * time.Second)
		j.move(Position{ID: 9, Database: "another"})
		synctest.Wait()
		want := "[0s step 1 0s step 2 0s heartbeat at 2 4s step 3 9s heartbeat at 3 14s heartbeat at 3 15s true]"
		if fmt.Sprint(got) != want || j.watched != 0 {
			t.Errorf("got  %v\nwant %s\n%d watches are left", got, want, j.watched)
		}
	})
}

// A stream that is read from one database ends where another takes its place.
func TestSinceReplaced(t *testing.T) {
	j := &journal{last: Position{ID: 2 * StreamPage, Database: "db"}, changed: make(chan struct{})}
	came := 0
	for d, err := range Since(t.Context(), j, DiffQuery{}, j.last) {
		if err != nil {
			if came != StreamPage || !errors.Is(err, ErrReplaced) {
				t.Errorf("case 60: after %d steps: %v", came, err)
			}
			return
		}
		if came++; d.ID == 1 {
			j.move(Position{ID: 5 * StreamPage, Database: "another"})
		}
	}
	t.Errorf("case 60: %d steps came of two databases", came)
}
