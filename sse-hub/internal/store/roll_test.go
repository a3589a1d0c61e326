package store

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
	"github.com/obby/go-services/sse-hub/internal/logtest"
)

// A segment begins at the event that it is begun for, while readers make the log
// forget.
func TestRollWhileForgetting(t *testing.T) {
	o := options(t.TempDir(), hub.Retention{Events: 100_000, Bytes: 1 << 20, Age: time.Millisecond}, 0)
	l := open(t, o)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() { // until stop
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = l.Bounds()
				}
			}
		})
	}
	for range 60 {
		last := l.active()
		events := logtest.Append(t, l, strings.Repeat("x", 30<<10), "y")
		if now := l.active(); now != last && now.first != events[0].Seq {
			t.Fatalf("a segment begins at %d, its first event is %d", now.first, events[0].Seq)
		}
	}
	close(stop)
	readers.Wait()
	shut(t, l)
}
