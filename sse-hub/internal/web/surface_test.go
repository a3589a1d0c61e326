package web

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/obby/go-services/sse-hub/internal/ssetest"
)

func TestSurface(t *testing.T) {
	sinks(t, map[string]func(*testing.T, server){"ids": testIDs, "encoding": testEncoding})
}

// Cases 8 and 26: an id is never empty, which would make a browser forget its
// place, and is made of what needs no preflight across origins.
func testIDs(t *testing.T, serve server) {
	s := serve(t, nil)
	stream := ssetest.Open(t, s.url+"/events?topic=t&last_event_id=elsewhere%00-7", "")
	s.publish(t, "t", "x")
	if e := stream.Next(t); e.Type != "reset" {
		t.Errorf("case 8: an id with NUL is answered %+v", e)
	}
	stream.Next(t)
	for _, e := range stream.Events {
		if !regexp.MustCompile(`^[a-z0-9]+-[0-9]+$`).MatchString(e.ID) {
			t.Errorf("an id is %q", e.ID)
		}
	}
	friends := guarded(t)
	resp, _ := friends.ask(t, "OPTIONS", "/events?topic=t", "Origin", friend,
		"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "last-event-id")
	if resp.StatusCode != http.StatusNoContent || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "Last-Event-ID") {
		t.Errorf("case 26: a preflight for a long id: %s %v", resp.Status, resp.Header)
	}
}

// Case 31: what could hold an event back, such as compression, is not done.
func testEncoding(t *testing.T, serve server) {
	s := serve(t, nil)
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/events?topic=t", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip, br") // set by hand, the client unpacks nothing
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	stream := &ssetest.Stream{Response: resp}
	s.publish(t, "t", "x")
	if e := stream.Next(t); e.Data != "x" || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("got %+v, encoded %q", e, resp.Header.Get("Content-Encoding"))
	}
}

// Case 37: a response that would be held back is an error at once.
func TestResponseThatCannotStream(t *testing.T) {
	s := serve(t, nil)
	recorder := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "http://localhost/events?topic=t", nil)
	s.server.HTTP.Handler.ServeHTTP(plainWriter{recorder}, req)
	if recorder.Code != http.StatusInternalServerError || !strings.Contains(recorder.Body.String(), "cannot stream") {
		t.Errorf("%d %q", recorder.Code, recorder.Body)
	}
	s.subscribers(t, 0)
}

// plainWriter is a ResponseWriter as a careless middleware leaves it: it cannot flush.
type plainWriter struct{ to *httptest.ResponseRecorder }

func (p plainWriter) Header() http.Header         { return p.to.Header() }
func (p plainWriter) Write(b []byte) (int, error) { return p.to.Write(b) }
func (p plainWriter) WriteHeader(code int)        { p.to.WriteHeader(code) }
