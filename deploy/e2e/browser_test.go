package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
)

// received is what an EventSource has dispatched.
type received struct{ Type, Data, ID string }

// source is a native EventSource in a real browser.
type source struct {
	*browser
	name string
}

// open makes an EventSource that keeps all that it gets.
func (b *browser) open(t *testing.T, name, query string) source {
	t.Helper()
	quoted, _ := json.Marshal("/events?" + query) // a string: cannot fail
	evaluate[bool](t, b, fmt.Sprintf(`(() => {
		const source = new EventSource(%s), got = [];
		let opens = 0;
		source.onopen = () => opens++;
		for (const type of ["message", "created", "reset", "hub.replaced"])
			source.addEventListener(type, (e) => got.push({Type: e.type, Data: e.data, ID: e.lastEventId}));
		window.%s = {source, got, opens: () => opens};
		return true;
	})()`, quoted, name))
	return source{b, name}
}

// close ends it: a browser has six connections to a host (case 34).
func (s source) close(t *testing.T) {
	t.Helper()
	evaluate[bool](t, s.browser, "("+s.name+".source.close(), true)")
}

// opens waits until the source has been opened so often.
func (s source) opens(t *testing.T, n int) {
	t.Helper()
	eventually(t, s.name+" is open", func() bool { return evaluate[int](t, s.browser, s.name+".opens()") >= n })
}

// expect waits until the source has got just these events.
func (s source) expect(t *testing.T, what string, want ...received) {
	t.Helper()
	var got []received
	defer func() {
		if t.Failed() {
			t.Logf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
		}
	}()
	eventually(t, what, func() bool {
		got = evaluate[[]received](t, s.browser, s.name+".got")
		return len(got) >= len(want)
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// A native EventSource in Chromium: what it dispatches, and what it does when the
// hub is killed.
func TestEventSource(t *testing.T) {
	h := startHub(t, "--history-events", "60")
	page := browse(t, "http://"+h.Addr["http"]+"/")
	conn, err := grpc.NewClient(h.Addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := ssev1.NewSSEHubServiceClient(conn)
	publish := func(topic, kind, data string) received {
		t.Helper()
		resp, err := client.Publish(t.Context(), &ssev1.PublishRequest{Topic: topic, EventType: kind, Data: []byte(data)}, grpc.WaitForReady(true))
		if err != nil {
			t.Fatal(err)
		}
		if kind == "" {
			kind = "message"
		}
		return received{kind, strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(data), resp.EventId}
	}
	var want []received
	s := page.open(t, "first", "topic=t")
	s.opens(t, 1) // case 21: open comes before any event
	t.Run("cases 1 to 6, 10, 11, 16 to 18 and 20: framing", func(t *testing.T) {
		for _, data := range []string{
			"a\r\nb\rc\nd", "x\n", "x\n\r\r\n", "", " x", ":x", "id: 7\nevent: admin\n", "\revent: admin\rdata: {}", "a\r\r\n\n\nid: 1\n\n",
			"\ufeffx", "a\u2028b\u2029c", "é 😀", "retry: 1", strings.Repeat("line\n", 10_000), strings.Repeat("x", 900_000),
		} {
			want = append(want, publish("t", "", data))
		}
		want = append(want, publish("t", "created", "{}"), publish("t", "message", "last"))
		s.expect(t, "everything arrives as it was published", want...)
	})
	t.Run("cases 45, 49 and 52: several names that match are one event", func(t *testing.T) {
		many := page.open(t, "many", "topic=m.*&topic=m.a&topic=m.%3E")
		many.opens(t, 1)
		many.expect(t, "one event", publish("m.a", "", "once"))
		many.close(t)
	})
	t.Run("cases 66 and 40: killed, and what was missed is replayed", func(t *testing.T) {
		before := evaluate[int](t, page, "first.opens()")
		h.Kill()
		if err := h.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			want = append(want, publish("t", "", fmt.Sprint("after the kill ", i)))
		}
		s.expect(t, "what was published before the browser came back", want...)
		s.opens(t, before+1)
	})
	t.Run("case 39: the browser's own id beats the one in the URL", func(t *testing.T) {
		old := page.open(t, "old", "topic=t&last_event_id="+want[len(want)-3].ID)
		replay := append([]received{}, want[len(want)-2:]...)
		old.expect(t, "the replay", replay...)
		h.Kill()
		if err := h.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		next := publish("t", "", "one more")
		want = append(want, next)
		old.expect(t, "nothing is replayed twice", append(replay, next)...)
		old.close(t)
		s.expect(t, "nor here", want...)
	})
	t.Run("cases 41 and 42: what cannot be replayed is said", func(t *testing.T) {
		for range 70 {
			publish("other", "", "")
		}
		newest := publish("other", "", "")
		for name, tc := range map[string]struct{ id, reason string }{
			"expired": {want[0].ID, "expired"}, "epoch": {"elsewhere-1", "epoch"}, "future": {newest.ID + "0", "future"},
		} {
			again := page.open(t, name, "topic=t&last_event_id="+tc.id)
			eventually(t, name, func() bool { return len(evaluate[[]received](t, page, name+".got")) > 0 })
			got := evaluate[[]received](t, again.browser, name+".got")[0]
			if got.Type != "reset" || !strings.Contains(got.Data, `"reason":"`+tc.reason+`"`) || got.ID != newest.ID {
				t.Errorf("case 41, 42: %s got %+v", name, got)
			}
			again.close(t)
		}
	})
	if complaints := page.complaints(t); len(complaints) > 0 {
		t.Errorf("the page complains: %q", complaints)
	}
}

// Case 34: the seventh tab of a browser hangs over HTTP/1.1. One stream for all
// tabs, as docs/events.md shows it, does not.
func TestSharedStream(t *testing.T) {
	h := startHub(t)
	page := browse(t, "http://"+h.Addr["http"]+"/")
	conn, err := grpc.NewClient(h.Addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Ten readers of the one stream that the first to have the lock opens.
	evaluate[bool](t, page, `(() => {
		window.got = Array.from({length: 10}, () => []);
		window.sources = 0;
		for (const list of got) {
			const channel = new BroadcastChannel("obby");
			channel.onmessage = (e) => list.push(e.data);
			navigator.locks.request("obby", () => new Promise(() => {
				sources++;
				const source = new EventSource("/events?topic=t");
				for (const type of ["created", "modified", "deleted", "moved"])
					source.addEventListener(type, (e) => { list.push(e.data); channel.postMessage(e.data); });
				source.onopen = () => (window.ready = true);
			}));
		}
		return true;
	})()`)
	eventually(t, "the one stream is open", func() bool { return evaluate[bool](t, page, "window.ready === true") })
	if _, err := ssev1.NewSSEHubServiceClient(conn).Publish(t.Context(), &ssev1.PublishRequest{Topic: "t", EventType: "modified", Data: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "case 34: all ten have the event", func() bool { return evaluate[int](t, page, "got.filter((l) => l.length === 1).length") == 10 })
	if n := evaluate[int](t, page, "sources"); n != 1 {
		t.Errorf("case 34: %d streams are open", n)
	}
}
