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
	later   int64 // microseconds by which steps are later than their id: tells copies apart
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
	at := j.last
	at.Time = at.ID + j.later
	return at, nil
}

func (j *journal) ObservedAt(_ context.Context, id int64) (time.Time, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return time.UnixMicro(id + j.later), nil
}

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

// restore puts an older copy in place, which has recorded up to a position since.
func (j *journal) restore(to Position) {
	j.mu.Lock()
	j.later = 1000
	j.mu.Unlock()
	j.move(to)
}

// An older copy that has given the last id again, or overtaken it, before anybody
// looked: what it recorded in between would never come.
func TestFollowRestored(t *testing.T) {
	for _, overtaken := range []int64{2, 5} {
		j := &journal{last: Position{ID: 2, Database: "db"}, changed: make(chan struct{})}
		last, _ := j.Last(t.Context())
		var got []string
		for event, err := range Follow(t.Context(), j, DiffQuery{}, last) {
			if err != nil {
				got = append(got, err.Error())
				break
			}
			if got = append(got, fmt.Sprint(event.At.ID)); len(got) > 3 {
				break
			}
			if event.Diff == nil {
				j.restore(Position{ID: overtaken, Database: "db"})
			}
		}
		if want := fmt.Sprint([]string{"1", "2", "2", ErrReplaced.Error()}); fmt.Sprint(got) != want {
			t.Errorf("case 60: restored to %d: got %v, want %s", overtaken, got, want)
		}
	}
}

// The same between two pages of a stream that does not follow.
func TestSinceRestored(t *testing.T) {
	j := &journal{last: Position{ID: 2 * StreamPage, Database: "db"}, changed: make(chan struct{})}
	last, _ := j.Last(t.Context())
	for d, err := range Since(t.Context(), j, DiffQuery{}, last) {
		if err != nil {
			if !errors.Is(err, ErrReplaced) {
				t.Errorf("case 60: %v", err)
			}
			return
		}
		if d.ID == 1 {
			j.restore(last)
		}
	}
	t.Error("case 60: steps came of a copy that was put in place meanwhile")
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
