package web

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/obby/go-services/sse-hub/internal/ssetest"
)

func TestSinks(t *testing.T) {
	sinks(t, map[string]func(*testing.T, server){
		"stream": testStream, "replay": testReplay, "opening": testOpeningIsACursor, "stop": testStop,
		"heartbeats": testHeartbeats, "stuck client": testStuckClient, "nothing is left behind": testNothingIsLeftBehind,
	})
}

func testStream(t *testing.T, serve server) {
	s := serve(t, nil)
	stream := ssetest.Open(t, s.url+"/events?topic=a&topic=b", "")
	t.Run("case 21: the first bytes come before any event", func(t *testing.T) {
		stream.Until(t, "the opening", func(p *ssetest.Parser) bool { return p.LastID != "" })
		if stream.Retry != "2000" || len(stream.Comments) == 0 || !strings.HasSuffix(stream.LastID, "-0") {
			t.Errorf("retry %q, comments %q, id %q", stream.Retry, stream.Comments, stream.LastID)
		}
	})
	t.Run("case 29: headers", func(t *testing.T) {
		want := map[string]string{
			"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store, no-transform",
			"X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff", "Content-Encoding": "",
		}
		for name, value := range want {
			if got := stream.Response.Header.Get(name); got != value {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
	})
	t.Run("events arrive", func(t *testing.T) {
		first := s.publish(t, "a", "x\n")
		s.publish(t, "c", "not asked for")
		second := s.publish(t, "b", "")
		if diff := cmp.Diff(ssetest.Event{Type: "message", Data: "x\n", ID: first.ID}, stream.Next(t)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(ssetest.Event{Type: "message", Data: "", ID: second.ID}, stream.Next(t)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a client that hangs up is gone", func(t *testing.T) {
		s.subscribers(t, 1)
		stream.Close()
		s.subscribers(t, 0)
	})
}

func testReplay(t *testing.T, serve server) {
	s := serve(t, func(s *setup) { s.retention.Events = 3 })
	var ids []string
	for i := range 5 {
		ids = append(ids, s.publish(t, "t", fmt.Sprint(i)).ID)
	}
	url := s.url + "/events?topic=t"
	reset := func(reason string) string {
		return fmt.Sprintf(`reset {"reason":"%s","oldest":"%s","newest":"%s"} %s`, reason, ids[2], ids[4], ids[4])
	}
	for _, tc := range []struct {
		name, query, header string
		want                []string // before the live event
	}{
		{"case 39: a newcomer gets what comes", "", "", nil},
		{"case 39: the newest", "&last=2", "", []string{"3", "4"}},
		{"case 39: the query's id", "&last_event_id=" + ids[2], "", []string{"3", "4"}},
		{"case 39: the header's id beats the query's", "&last_event_id=" + ids[2], ids[3], []string{"4"}},
		{"case 40: nothing was missed", "", ids[4], nil},
		{"case 41: expired", "", ids[0], []string{reset("expired")}},
		{"case 42: another epoch", "", "x-3", []string{reset("epoch")}},
		{"case 42: the future", "", strings.Replace(ids[4], "-5", "-9", 1), []string{reset("future")}},
		{"case 43: garbage", "", "';-- \xff", []string{reset("epoch")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stream := ssetest.Open(t, url+tc.query, tc.header)
			var got []string
			for range tc.want {
				e := stream.Next(t)
				if e.Type == "reset" {
					e.Data = "reset " + e.Data + " " + e.ID
				}
				got = append(got, e.Data)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			stream.Until(t, "the opening", func(p *ssetest.Parser) bool { return p.LastID != "" })
			stream.Close()
		})
	}
	s.subscribers(t, 0)
}

// A newcomer that loses the connection before its first event comes back with
// the id that the stream began with.
func testOpeningIsACursor(t *testing.T, serve server) {
	s := serve(t, nil)
	stream := ssetest.Open(t, s.url+"/events?topic=t", "")
	stream.Until(t, "the opening", func(p *ssetest.Parser) bool { return p.LastID != "" })
	stream.Close()
	s.publish(t, "t", "meanwhile")
	again := ssetest.Open(t, s.url+"/events?topic=t", stream.LastID)
	if e := again.Next(t); e.Data != "meanwhile" {
		t.Errorf("got %+v", e)
	}
}

// Cases 30 and 64: streams end as they should, and clients come back one by one.
func testStop(t *testing.T, serve server) {
	s := serve(t, nil)
	retries := map[string]bool{}
	streams := make([]*ssetest.Stream, 5)
	for i := range streams {
		streams[i] = ssetest.Open(t, s.url+"/events?topic=t", "")
	}
	s.subscribers(t, len(streams))
	s.publish(t, "t", "last words")
	s.Close()
	for _, stream := range streams {
		if err := stream.End(); err != nil {
			t.Errorf("the body ended with %v", err)
		}
		if len(stream.Events) != 1 {
			t.Errorf("case 65: events are %v", stream.Events)
		}
		retries[stream.Retry] = true
	}
	if len(retries) < 2 {
		t.Errorf("all come back after %v", retries)
	}
	t.Run("case 28: who comes now is sent away with 200", func(t *testing.T) {
		stream := ssetest.Open(t, s.url+"/events?topic=t", "")
		if err := stream.End(); err != nil || stream.Retry == "" {
			t.Errorf("ended with %v, retry %q", err, stream.Retry)
		}
	})
	if err := s.server.HTTP.Shutdown(t.Context()); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// Case 48: quiet streams show signs of life, and their cursor moves on.
func testHeartbeats(t *testing.T, serve server) {
	s := serve(t, func(s *setup) { s.Heartbeat = 10 * time.Millisecond })
	stream := ssetest.Open(t, s.url+"/events?topic=quiet", "")
	stream.Until(t, "some comments", func(p *ssetest.Parser) bool { return len(p.Comments) > 3 })
	other := s.publish(t, "t", "x")
	stream.Until(t, "the cursor moves", func(p *ssetest.Parser) bool { return p.LastID == other.ID })
	if len(stream.Events) != 0 {
		t.Errorf("events are %v", stream.Events)
	}
}

// Cases 36, 55 and 62: a client that does not read is let go, others are not
// affected, and it gets everything when it comes back.
func testStuckClient(t *testing.T, serve server) {
	s := serve(t, func(s *setup) { s.timeout = 2 * time.Second }) // ten times what a busy machine takes to read an event
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /events?topic=t HTTP/1.1\r\nHost: localhost\r\n\r\n")
	good := ssetest.Open(t, s.url+"/events?topic=t", "")
	s.subscribers(t, 2)
	var first string
	const n = 20 // of 1 MiB: beyond what socket buffers take
	for i := range n {
		r := s.publish(t, "t", strings.Repeat("x", 1<<20-1)+fmt.Sprint(i%10))
		if i == 0 {
			first = r.ID
		}
		if e := good.Next(t); e.ID != r.ID {
			t.Fatalf("got %s, want %s", e.ID, r.ID)
		}
	}
	s.subscribers(t, 1)
	if stats, _ := s.Stats(); stats.Slow != 1 {
		t.Errorf("%d were slow", stats.Slow)
	}
	back := ssetest.Open(t, s.url+"/events?topic=t", first)
	for range n - 1 {
		back.Next(t)
	}
}

// Clients that leave take with them all that was there for them.
func testNothingIsLeftBehind(t *testing.T, serve server) {
	s := serve(t, nil)
	http.DefaultClient.CloseIdleConnections()
	before := runtime.NumGoroutine()
	streams := make([]*ssetest.Stream, 50)
	for i := range streams {
		streams[i] = ssetest.Open(t, s.url+"/events?topic=t", "")
	}
	s.subscribers(t, len(streams))
	if r := s.publish(t, "t", "x"); r.Receivers != len(streams) {
		t.Errorf("%d receivers", r.Receivers)
	}
	for _, stream := range streams {
		stream.Close()
	}
	s.subscribers(t, 0)
	for limit := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
