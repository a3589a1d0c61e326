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

	"github.com/obby/go-services/sse-hub/internal/ssetest"
)

func TestRefused(t *testing.T) {
	s := serve(t, nil)
	for name, tc := range map[string]struct{ path, want string }{
		"case 54: no topic":           {"/events", "topic: is empty"},
		"case 54: a mistyped name":    {"/events?topic=a&tpoic=b", `"tpoic" is not a parameter`},
		"case 53: an empty topic":     {"/events?topic=", "topic: is empty"},
		"case 53: a control":          {"/events?topic=a%0a", "topic: "},
		"case 53: not UTF-8":          {"/events?topic=%ff", "topic: is not valid UTF-8"},
		"case 52: half a wildcard":    {"/events?topic=a.b*", "wildcard"},
		"a count that is no number":   {"/events?topic=a&last=x", `last: "x"`},
		"a count out of range":        {"/events?topic=a&last=1001", "last: 1001"},
		"a count given twice":         {"/events?topic=a&last=1&last=2", "last: is given 2 times"},
		"a query that is not one":     {"/events?topic=%zz", "query"},
		"case 35: too many topics":    {"/events?" + strings.Repeat("topic=a&", 101) + "topic=a", "at most 100"},
		"a semicolon is no separator": {"/events?topic=a;b", "query"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := s.ask(t, "GET", tc.path)
			if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, tc.want) {
				t.Errorf("%s: %s", resp.Status, body)
			}
		})
	}
	t.Run("case 35: 5,000 topics", func(t *testing.T) {
		if resp, _ := s.ask(t, "GET", "/events?"+strings.Repeat("topic=abcdef&", 5000)); resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Error(resp.Status)
		}
	})
	s.subscribers(t, 0)
}

func TestMethods(t *testing.T) {
	s := serve(t, nil)
	t.Run("case 22: HEAD has the headers and no subscription", func(t *testing.T) {
		resp, body := s.ask(t, "HEAD", "/events?topic=t")
		if resp.StatusCode != http.StatusOK || body != "" || resp.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" {
			t.Errorf("%s %v %q", resp.Status, resp.Header, body)
		}
		s.subscribers(t, 0)
	})
	t.Run("case 24: POST", func(t *testing.T) {
		resp, _ := s.ask(t, "POST", "/events?topic=t")
		if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s, Allow %q", resp.Status, resp.Header.Get("Allow"))
		}
	})
	t.Run("OPTIONS", func(t *testing.T) {
		if resp, _ := s.ask(t, "OPTIONS", "/events"); resp.StatusCode != http.StatusNoContent || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s, Allow %q", resp.Status, resp.Header.Get("Allow"))
		}
	})
	t.Run("case 27: a conditional request is not answered with 304", func(t *testing.T) {
		resp, _ := s.ask(t, "HEAD", "/events?topic=t", "If-None-Match", "*", "If-Modified-Since", time.Now().UTC().Format(http.TimeFormat))
		if resp.StatusCode != http.StatusOK {
			t.Error(resp.Status)
		}
	})
	t.Run("elsewhere is nothing", func(t *testing.T) {
		if resp, _ := s.ask(t, "GET", "/page/index.html"); resp.StatusCode != http.StatusNotFound {
			t.Error(resp.Status)
		}
	})
}

// Case 35: a client that does not finish its headers is sent away.
func TestSlowHeaders(t *testing.T) {
	s := serve(t, func(s *setup) { s.headers = 20 * time.Millisecond })
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /events?topic=t HTTP/1.1\r\nHost: localhost\r\n")
	answer, _ := io.ReadAll(conn)
	if strings.Contains(string(answer), "200 OK") {
		t.Errorf("got %q", answer)
	}
}

func TestProtocols(t *testing.T) {
	sinks(t, map[string]func(*testing.T, server){"protocols": testProtocols})
}

func testProtocols(t *testing.T, serve server) {
	s := serve(t, nil)
	t.Run("case 32: HTTP/1.0", func(t *testing.T) {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /events?topic=t HTTP/1.0\r\nHost: localhost\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK || len(resp.TransferEncoding) != 0 || resp.ContentLength != -1 {
			t.Errorf("%s, %v, %d", resp.Status, resp.TransferEncoding, resp.ContentLength)
		}
	})
	t.Run("case 33: HTTP/2 in clear text", func(t *testing.T) {
		var only http.Protocols
		only.SetUnencryptedHTTP2(true)
		client := &http.Client{Transport: &http.Transport{Protocols: &only}}
		defer client.CloseIdleConnections()
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/events?topic=t&last=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		s.publish(t, "t", "x")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		stream := &ssetest.Stream{Response: resp}
		if e := stream.Next(t); e.Data != "x" || resp.ProtoMajor != 2 || resp.Header.Get("Connection") != "" {
			t.Errorf("got %+v over %s", e, resp.Proto)
		}
		resp.Body.Close()
	})
	s.subscribers(t, 0)
}
