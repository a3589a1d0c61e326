package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Pages that follow do not keep out who asks once, nor the other way round.
func TestAPICrowd(t *testing.T) {
	q := startQuery(t)
	s := serve(t, q.with)
	for range maxFollows {
		q.wait(t, s, "Content-Type", streamType)
	}
	if resp, body := s.ask(t, "GET", "/api/v1/diffs"); resp.StatusCode != http.StatusTeapot {
		t.Errorf("a call beside the streams: %s %s", resp.Status, body)
	}
	for range maxCalls {
		q.wait(t, s)
	}
	for kind, want := range map[string]string{"": "64 calls are under way", streamType: "128 streams are open"} {
		resp, body := s.ask(t, "POST", "/api/v1/diffs", "Content-Type", kind)
		if resp.StatusCode != 503 || !strings.Contains(body, "TOO_MANY_CALLS") || !strings.Contains(body, want) {
			t.Errorf("one more of %q: %s %s", kind, resp.Status, body)
		}
	}
	close(q.release)
}

// Callers who send their headers and a byte of the body take up no place, and are
// not waited for without end.
func TestAPISlowBodies(t *testing.T) {
	s := serve(t, func(s *setup) { startQuery(t).with(s); s.bodies = 200 * time.Millisecond })
	slow := make([]net.Conn, maxFollows+maxCalls)
	for i := range slow {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		kind := "application/json"
		if i%2 == 0 {
			kind = streamType
		}
		fmt.Fprintf(conn, "POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\n{", kind)
		slow[i] = conn
	}
	if resp, body := s.ask(t, "GET", "/api/v1/diffs"); resp.StatusCode != http.StatusTeapot {
		t.Errorf("a call beside them: %s %s", resp.Status, body)
	}
	for _, conn := range slow {
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(body), "REQUEST_TOO_SLOW") {
			t.Fatalf("a body that did not come: %s %s %v", resp.Status, body, err)
		}
	}
}

// What is no call is not passed on, and no path leads elsewhere.
func TestAPIPassesCallsOnly(t *testing.T) {
	s := serve(t, startQuery(t).with)
	for line, want := range map[string]int{
		"GET /api/v1/diffs": 418, "HEAD /api/v1/diffs": 418, "POST /api/v1/diffs": 418, "GET /api": 418,
		"TRACE /api/v1/diffs": 405, "CONNECT /api/v1/diffs": 405, "PUT /api/v1/diffs": 405, "DELETE /api/v1/diffs": 405, "BREW /api/v1/diffs": 405,
		"GET /api//v1/diffs": 404, "GET //api/v1/diffs": 404, "GET /api/../metrics": 404, "CONNECT /api/../metrics": 404,
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: localhost\r\n\r\n", line)
		method, _, _ := strings.Cut(line, " ")
		resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if allow := resp.Header.Get("Allow"); resp.StatusCode != want || (want == 405) != (allow == "GET, HEAD, POST, OPTIONS") {
			t.Errorf("%s: %s, Allow %q, want %d", line, resp.Status, allow, want)
		}
	}
}
