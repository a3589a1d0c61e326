package store

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/logtest"
)

// Damage to one group gives up that group, whoever comes upon it.
func TestOneGroupGivenUp(t *testing.T) {
	for _, cursor := range []hub.Seq{0, 3, 15, 16, 30} {
		t.Run(fmt.Sprint("after ", cursor), func(t *testing.T) {
			l := open(t, options(t.TempDir(), plenty, 0))
			for range 100 {
				logtest.Append(t, l, "x")
			}
			// Event 20, of the group 16 to 31.
			if _, err := l.active().file.WriteAt([]byte("harm"), int64(l.places[19].offset)+12); err != nil {
				t.Fatal(err)
			}
			for {
				events, err := l.After(cursor, 100)
				if errors.Is(err, hub.ErrOvertaken) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if cursor = events[len(events)-1].Seq; cursor > 15 {
					t.Fatalf("event %d is read", cursor)
				}
			}
			if cursor < 15 {
				t.Errorf("overtaken after %d already", cursor)
			}
			if b, _ := l.Bounds(); b.Oldest != 32 {
				t.Errorf("the oldest is %d, want 32", b.Oldest)
			}
			if got := len(logtest.All(t, l, 31, 100)); got != 69 {
				t.Errorf("%d are left", got)
			}
			shut(t, l)
		})
	}
}

// A group that is let go of while it is read counts nothing.
func TestGroupLetGoWhileRead(t *testing.T) {
	var g groups
	one := []*hub.Event{hub.NewEvent("e", hub.Event{Seq: 1, Topic: "t", Type: "message"})}
	get := func(start hub.Seq, read func() ([]*hub.Event, error)) {
		if events, err := g.get(groupKey{start, 1}, read); err != nil || len(events) != 1 {
			t.Errorf("got %v, %v", events, err)
		}
	}
	var slow sync.WaitGroup
	begun, others := make(chan struct{}), make(chan struct{})
	slow.Go(func() { // until the others are read
		get(0, func() ([]*hub.Event, error) {
			close(begun)
			<-others
			return one, nil
		})
	})
	<-begun
	for i := range keptGroups + 5 {
		get(hub.Seq(i+1), func() ([]*hub.Event, error) { return one, nil })
	}
	close(others)
	slow.Wait()
	if want := int64(len(g.known)) * one[0].Size(); g.bytes != want || len(g.order) != len(g.known) {
		t.Errorf("%d bytes are counted for %d groups, want %d", g.bytes, len(g.known), want)
	}
}

// A group that is let go of between its reading and its counting takes nothing
// off that was never counted.
func TestGroupsAtOnce(t *testing.T) {
	var g groups
	one := []*hub.Event{hub.NewEvent("e", hub.Event{Seq: 1, Topic: "t", Type: "message"})}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for i := range 20 * hub.Seq(keptGroups) {
				_, _ = g.get(groupKey{i % (2 * keptGroups), 1}, func() ([]*hub.Event, error) { return one, nil })
			}
		})
	}
	readers.Wait()
	if want := int64(len(g.known)) * one[0].Size(); g.bytes != want {
		t.Errorf("%d bytes are counted for %d groups, want %d", g.bytes, len(g.known), want)
	}
}
