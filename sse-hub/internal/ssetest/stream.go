package ssetest

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

// waitLimit bounds every wait: it is met only by what never happens.
const waitLimit = 30 * time.Second

// Stream is a client's connection. It is read only when the test asks for more.
type Stream struct {
	Parser
	Response *http.Response
	seen     int // events that Next has returned
	hangUp   context.CancelFunc
}

// Open sends a GET request, with Last-Event-ID where lastID is not empty, and
// returns when the headers have come. The connection ends with the test.
func Open(t testing.TB, url, lastID string) *Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("GET %s: %s: %s", url, resp.Status, text)
	}
	return &Stream{Response: resp, hangUp: cancel}
}

// Close hangs up.
func (s *Stream) Close() { s.hangUp() }

// Until reads until a condition holds.
func (s *Stream) Until(t testing.TB, what string, holds func(*Parser) bool) {
	t.Helper()
	chunk := make([]byte, 32<<10)
	for !holds(&s.Parser) {
		n, err := s.Response.Body.Read(chunk)
		_, _ = s.Write(chunk[:n])
		if err != nil && !holds(&s.Parser) {
			t.Fatalf("the stream ended before %s: %v", what, err)
		}
	}
}

// Next returns the next event.
func (s *Stream) Next(t testing.TB) Event {
	t.Helper()
	s.Until(t, "the next event", func(p *Parser) bool { return len(p.Events) > s.seen })
	s.seen++
	return s.Events[s.seen-1]
}

// End reads to the end and returns how it came: nil for a body that ended as it
// should.
func (s *Stream) End() error {
	_, err := io.Copy(&s.Parser, s.Response.Body)
	return err
}
