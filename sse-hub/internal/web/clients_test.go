package web

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/obby/go-services/sse-hub/internal/ssetest"
)

func TestClients(t *testing.T) {
	sinks(t, map[string]func(*testing.T, server){
		"half closed": testHalfClosed, "unasked": testUnasked, "all gone": testAllGone, "full": testFull, "storm": testReconnectStorm,
		"wildcards": testWildcards, "large": testLarge,
	})
}

// raw sends a request and returns the connection, with the answer's head read.
func (s *site) raw(t *testing.T, query, more string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET /events?%s HTTP/1.1\r\nHost: localhost\r\n\r\n%s", query, more)
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(line) == "" {
			return conn, in
		}
	}
}

// Case 57: a client that will send no more counts as gone.
func testHalfClosed(t *testing.T, serve server) {
	s := serve(t, nil)
	conn, in := s.raw(t, "topic=t", "")
	s.subscribers(t, 1)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	s.subscribers(t, 0)
	if _, err := io.Copy(io.Discard, in); err != nil {
		t.Errorf("the rest of the stream: %v", err)
	}
}

// Case 32: a second request on the connection of a stream does not get into it,
// and does not cut off its end.
func testUnasked(t *testing.T, serve server) {
	s := serve(t, nil)
	conn, in := s.raw(t, "topic=t", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	s.subscribers(t, 1)
	fmt.Fprintf(conn, "GET /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
	s.publish(t, "t", "x")
	s.Close()
	rest, err := io.ReadAll(in)
	if errors.Is(err, syscall.ECONNRESET) && s.plain { // net/http leaves the request unread; all had come before
		err = nil
	}
	if err != nil || !strings.Contains(string(rest), "data: x\nid: ") || strings.Contains(string(rest), "HTTP/1.1") {
		t.Errorf("the stream is %q, %v", rest, err)
	}
	if lines := strings.Split(strings.TrimSpace(string(rest)), "\n"); !strings.HasPrefix(lines[len(lines)-1], "retry: ") {
		t.Errorf("case 64: the last line is %q", lines[len(lines)-1])
	}
}

// Cases 56 and 58: clients that are killed, all at once, are gone, and publishing
// goes on meanwhile.
func testAllGone(t *testing.T, serve server) {
	s := serve(t, nil)
	var conns []net.Conn
	for range 300 {
		conn, _ := s.raw(t, "topic=t", "")
		conns = append(conns, conn)
	}
	s.subscribers(t, len(conns))
	stays := ssetest.Open(t, s.url+"/events?topic=t", "")
	for i, conn := range conns {
		if err := conn.(*net.TCPConn).SetLinger(0); err != nil { // a reset, and no farewell
			t.Fatal(err)
		}
		conn.Close()
		if i%10 == 0 {
			r := s.publish(t, "t", fmt.Sprint(i))
			if e := stays.Next(t); e.ID != r.ID {
				t.Fatalf("got %+v, want %s", e, r.ID)
			}
		}
	}
	s.subscribers(t, 1)
}

// Case 59: when there are as many connections as may be, those that stand are
// served, who comes waits, and gets in when there is room again.
func testFull(t *testing.T, serve server) {
	s := serve(t, func(s *setup) { s.web.Connections = 3 })
	first, _ := s.raw(t, "topic=t", "")
	_, in := s.raw(t, "topic=t", "")
	s.raw(t, "topic=t", "")
	s.subscribers(t, 3)
	late := make(chan string, 1)
	go func() {
		resp, err := http.Get(s.url + "/app.css")
		if err != nil {
			late <- err.Error()
			return
		}
		resp.Body.Close()
		late <- resp.Status
	}()
	for s.server.Full() == 0 { // until the listener has met its bound
		time.Sleep(time.Millisecond)
	}
	r := s.publish(t, "t", "x")
	for line := ""; !strings.HasPrefix(line, "id: "+r.ID); {
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			t.Fatalf("a stream that stands: %v", err)
		}
	}
	select {
	case status := <-late:
		t.Errorf("who came too late got %s", status)
	default:
	}
	first.Close()
	if status := <-late; status != "200 OK" {
		t.Errorf("when there was room: %s", status)
	}
}

// Case 67: many come back at once, each with its own last id, and each gets just
// what it missed.
func testReconnectStorm(t *testing.T, serve server) {
	s := serve(t, nil)
	const n = 200
	var ids []string
	for i := range n {
		ids = append(ids, s.publish(t, "t", fmt.Sprint(i)).ID)
	}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			stream := ssetest.Open(t, s.url+"/events?topic=t", ids[i])
			for want := i + 1; want < n; want++ {
				if e := stream.Next(t); e.Data != fmt.Sprint(want) {
					t.Errorf("after %d came %q, want %d", i, e.Data, want)
					return
				}
			}
			stream.Close()
		})
	}
	all.Wait()
	s.subscribers(t, 0)
}

// Case 52: patterns, and several topics that match the same event (case 45).
func testWildcards(t *testing.T, serve server) {
	s := serve(t, nil)
	stream := ssetest.Open(t, s.url+"/events?topic=changes.*&topic=changes.%3E&topic=changes.a", "")
	for _, topic := range []string{"changes", "changes.a", "other.a", "changes.a.b"} {
		s.publish(t, topic, topic)
	}
	for _, want := range []string{"changes.a", "changes.a.b"} {
		if e := stream.Next(t); e.Data != want {
			t.Errorf("got %+v, want %s", e, want)
		}
	}
}

// Cases 18 and 19: events near the limit, and many in a row, arrive whole however
// the socket splits them.
func testLarge(t *testing.T, serve server) {
	s := serve(t, nil)
	before := s.publish(t, "t", "before")
	var want []string
	for i := range 30 {
		data := strings.Repeat(fmt.Sprint(i%10), 1<<20-i)
		if i%3 > 0 {
			data = fmt.Sprint("small ", i)
		}
		want = append(want, data)
		s.publish(t, "t", data)
	}
	stream := ssetest.Open(t, s.url+"/events?topic=t", before.ID)
	for i, data := range want {
		if e := stream.Next(t); e.Data != data {
			t.Fatalf("event %d has %d bytes, want %d", i, len(e.Data), len(data))
		}
	}
}

// Cases 33 and 34: over one connection of HTTP/2 there are as many streams as a
// browser has tabs; one that ends takes no other with it, and one that is not read
// holds no other up.
func TestManyStreamsOfOneConnection(t *testing.T) {
	pair := httptest.NewUnstartedServer(nil)
	pair.StartTLS()
	certificate := pair.TLS.Certificates[0]
	pair.Close()
	roots := x509.NewCertPool()
	roots.AddCert(pair.Certificate())
	for name, secure := range map[string]bool{"clear text": false, "TLS": true} {
		t.Run("case 33: over "+name, func(t *testing.T) {
			s := serve(t, func(s *setup) {
				if secure {
					s.web.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}}
				}
			})
			var only http.Protocols
			only.SetHTTP2(secure)
			only.SetUnencryptedHTTP2(!secure)
			transport := &http.Transport{Protocols: &only, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
				HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}}
			defer transport.CloseIdleConnections()
			url := s.url
			if secure {
				url = strings.Replace(url, "http:", "https:", 1)
			}
			severalStreams(t, s, transport, url)
		})
	}
}

func severalStreams(t *testing.T, s *site, transport *http.Transport, url string) {
	t.Helper()
	const n = 100
	streams := make([]*ssetest.Stream, n)
	for i := range streams {
		req, err := http.NewRequestWithContext(t.Context(), "GET", url+"/events?topic=t", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "localhost"
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		streams[i] = &ssetest.Stream{Response: resp}
	}
	s.subscribers(t, n)
	streams[0].Response.Body.Close()
	s.subscribers(t, n-1)
	for range 3 { // streams[1] is never read: its window of flow control fills
		r := s.publish(t, "t", strings.Repeat("x", 60_000))
		for _, stream := range streams[2:] {
			if e := stream.Next(t); e.ID != r.ID || stream.Response.ProtoMajor != 2 {
				t.Fatalf("got %s over %s", e.ID, stream.Response.Proto)
			}
		}
	}
}
