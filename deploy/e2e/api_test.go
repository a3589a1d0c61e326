package e2e

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/obby/go-services/deploy/run/stack"
)

// get reads a URL; headers are names and values in turn.
func get(t *testing.T, url string, headers ...string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// recentPaths asks for the paths of the newest diffs over HTTP.
func recentPaths(t *testing.T, base string) (paths []string) {
	t.Helper()
	code, body := get(t, base+"/api/v1/diffs?page_size=5")
	var page struct{ Diffs []struct{ Path string } }
	if err := json.Unmarshal([]byte(body), &page); err != nil || code != http.StatusOK {
		t.Fatalf("%d, %v: %s", code, err, body)
	}
	for _, d := range page.Diffs {
		paths = append(paths, d.Path)
	}
	return paths
}

// The history over HTTP, by the hub's address as by the query-service's own; while
// that is away the hub says so, and goes on when it is back.
func TestAPI(t *testing.T) {
	w := startWorld(t, "")
	write(t, w.path("a.md"), "first\n")
	w.settle(t)
	hub, query := "http://"+w.Get(stack.Hub).Addr["http"], "http://"+w.Get(stack.Query).Addr["http"]
	for _, base := range []string{hub, query} {
		if paths := recentPaths(t, base); len(paths) != 1 || paths[0] != w.path("a.md") {
			t.Errorf("%s tells of %q", base, paths)
		}
		if code, body := get(t, base+"/api/v1/versions?path="+url.QueryEscape(w.path("none.md"))); code != http.StatusNotFound || !strings.Contains(body, "PATH_NOT_FOUND") {
			t.Errorf("a path that is not there: %d %s", code, body)
		}
	}
	if code, body := get(t, hub+"/"); code != http.StatusOK || !strings.Contains(body, "<html") {
		t.Errorf("the page: %d %s", code, body)
	}
	w.kill(t, stack.Query, func() {
		code, body := get(t, hub+"/api/v1/diffs")
		if code != http.StatusBadGateway || !strings.Contains(body, "QUERY_SERVICE_UNREACHABLE") {
			t.Errorf("without the query-service: %d %s", code, body)
		}
	})
	if paths := recentPaths(t, hub); len(paths) != 1 {
		t.Errorf("after a restart of the query-service the hub tells of %q", paths)
	}
}

// connectStream is a stream by Connect.
type connectStream struct{ body io.ReadCloser }

// next reads a message, with the flags before it.
func (s connectStream) next(t *testing.T) (flags byte, message string) {
	t.Helper()
	var head [5]byte
	if _, err := io.ReadFull(s.body, head[:]); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, binary.BigEndian.Uint32(head[1:]))
	if _, err := io.ReadFull(s.body, text); err != nil {
		t.Fatal(err)
	}
	return head[0], string(text)
}

// follow asks a service for everything there is and what comes.
func (w *world) follow(t *testing.T, service string) connectStream {
	t.Helper()
	const request = `{"sinceTime":"2000-01-01T00:00:00Z","follow":true}`
	resp, err := http.Post("http://"+w.Get(service).Addr["http"]+"/api/obby.query.v1.QueryService/GetDiffsSince",
		"application/connect+json", strings.NewReader("\x00\x00\x00\x00"+string(rune(len(request)))+request))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return connectStream{resp.Body}
}

// await reads until a message has a text in it.
func (s connectStream) await(t *testing.T, text string) {
	t.Helper()
	for {
		flags, message := s.next(t)
		if strings.Contains(message, text) {
			return
		}
		if flags != 0 {
			t.Fatalf("the stream ended without %s: %s", text, message)
		}
	}
}

// Followers over HTTP, as docs/api.md shows it, at both addresses: each step comes as
// it is committed. When the service stops, they are told, and it stops in time; the
// hub cuts its own off.
func TestAPIStream(t *testing.T) {
	w := startWorld(t, "")
	hub, query := w.follow(t, stack.Hub), w.follow(t, stack.Query)
	for _, name := range []string{"a.md", "b.md"} {
		write(t, w.path(name), "text\n")
		hub.await(t, w.path(name))
		query.await(t, w.path(name))
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	if err := w.Get(stack.Query).Stop(ctx); err != nil {
		t.Errorf("the query-service ended with %v", err)
	}
	hub.await(t, "SERVER_STOPPING")
	query.await(t, "SERVER_STOPPING")
	if err := w.Get(stack.Query).Restart(ctx); err != nil {
		t.Fatal(err)
	}
	hub = w.follow(t, stack.Hub)
	hub.await(t, w.path("b.md"))
	if err := w.Get(stack.Hub).Stop(ctx); err != nil {
		t.Errorf("the hub ended with %v", err)
	}
}
