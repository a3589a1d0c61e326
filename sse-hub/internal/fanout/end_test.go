//go:build linux

package fanout

import (
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// What a client is told last is told as a whole, however little its socket takes.
func TestFarewellIsWhole(t *testing.T) {
	farewell := ": " + strings.Repeat("y", 256<<10) + "\n\n"
	for name, end := range map[string]func(*testing.T, *still, *Conn){
		"the hub stops": func(_ *testing.T, w *still, c *Conn) { w.Close(); c.Ready(1) },
		"case 63: replaced": func(t *testing.T, w *still, _ *Conn) {
			w.join(t, hub.Request{Topics: []string{"t"}, ClientID: "c"}, time.Time{})
		},
		"case 69: expired": func(_ *testing.T, w *still, c *Conn) { w.pass(time.Hour); w.shard.look(c) },
	} {
		t.Run(name, func(t *testing.T) {
			w := standStill(t, farewell)
			client, c := w.join(t, hub.Request{Topics: []string{"t"}, ClientID: "c"}, time.Now().Add(30*time.Minute))
			w.settle()
			end(t, w, c)
			w.settle()
			if c.closed {
				t.Error("the connection is closed before the farewell is written")
			}
			w.shard.look(c) // what time asks for must not cut it off
			if got := w.readAll(t, client, c); got != ":begin\n\n"+farewell {
				t.Errorf("the stream has %d bytes", len(got))
			}
			if w.ended.Load() != 1 {
				t.Errorf("%d have ended", w.ended.Load())
			}
		})
	}
}

// Who does not take the farewell is let go like everybody who takes nothing.
func TestFarewellIsNotTaken(t *testing.T) {
	w := standStill(t, strings.Repeat("y", 256<<10))
	_, c := w.join(t, toT, time.Now().Add(time.Second))
	w.settle()
	w.pass(2 * time.Second)
	w.shard.look(c)
	w.shard.advance()
	if c.closed {
		t.Fatal("it has no time to take the farewell")
	}
	w.pass(w.loop.options.WriteTimeout + time.Second)
	w.shard.advance()
	if !c.closed || w.ended.Load() != 1 {
		t.Errorf("closed: %v, %d have ended", c.closed, w.ended.Load())
	}
}

// Case 13: nothing is put inside a frame, neither the farewell nor a sign of life.
func TestNothingInsideFrame(t *testing.T) {
	t.Run("the token expires", func(t *testing.T) {
		w := standStill(t, ": farewell\n\n")
		client, c := w.join(t, toT, time.Now().Add(time.Second))
		w.settle()
		w.fill(t, c)
		w.pass(2 * time.Second)
		w.shard.look(c)
		if got := w.readAll(t, client, c); strings.Contains(got, "farewell") || !strings.HasSuffix(got, "x") {
			t.Errorf("the stream ends with %q", got[max(0, len(got)-50):])
		}
	})
	t.Run("a heartbeat is due", func(t *testing.T) {
		w := standStill(t, ": farewell\n\n")
		client, c := w.join(t, toT, time.Time{})
		w.settle()
		want := ":begin\n\n" + w.fill(t, c) + ": farewell\n\n"
		w.pass(20 * time.Second)
		w.shard.look(c)
		w.Close()
		if got := w.readAll(t, client, c); got != want {
			t.Errorf("the stream has %d bytes, want %d", len(got), len(want))
		}
	})
}
