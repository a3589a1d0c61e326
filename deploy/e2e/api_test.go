package e2e

import (
	"context"
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

// A stream by Connect through the hub, as docs/api.md shows it, ends in time when
// everything stops.
func TestAPIStream(t *testing.T) {
	w := startWorld(t, "")
	write(t, w.path("a.md"), "first\n")
	w.settle(t)
	const request = `{"sinceTime":"2000-01-01T00:00:00Z"}`
	resp, err := http.Post("http://"+w.Get(stack.Hub).Addr["http"]+"/api/obby.query.v1.QueryService/GetDiffsSince",
		"application/connect+json", strings.NewReader("\x00\x00\x00\x00"+string(rune(len(request)))+request))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), w.path("a.md")) {
		t.Errorf("%s, %v: %q", resp.Status, err, body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	w.Stop(ctx)
}
