//go:build linux

package fanout

import (
	"testing"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// A client comes back with an old id for a topic that has had little since: the
// others have their turn while the history is read for it.
func TestLongReplayOfLittle(t *testing.T) {
	for name, every := range map[string]int{"nothing": 9800, "little": 200} {
		t.Run(name, func(t *testing.T) {
			w := standStill(t, "")
			old := w.publish(t, "x").ID
			var newest hub.Receipt
			for i := range 9800 {
				topic := "busy"
				if (i+1)%every == 0 {
					topic = "quiet"
				}
				var err error
				if newest, err = w.Publish(hub.Publication{Topic: topic, Data: []byte("x")}); err != nil {
					t.Fatal(err)
				}
			}
			_, c := w.join(t, hub.Request{Topics: []string{"quiet"}, LastID: old}, time.Time{})
			begin := c.sub.Place()
			w.shard.serveSome()
			if read := c.sub.Place() - begin; read == 0 || read > rounds*(scratchEvents+256) {
				t.Errorf("%d events were read in one turn", read)
			}
			if w.settle(); c.sub.Cursor() != newest.ID {
				t.Errorf("it ends at %s, want %s", c.sub.Cursor(), newest.ID)
			}
		})
	}
}
