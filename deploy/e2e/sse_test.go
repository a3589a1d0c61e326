package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/deploy/run/stack"
)

// change is one event of topic `changes`, as docs/events.md describes it.
type change struct {
	ID           string `json:"change_id"`
	Type         string `json:"change_type"`
	Path         string `json:"path"`
	VersionID    string `json:"version_id"`
	LineCount    int    `json:"line_count"`
	LinesAdded   int    `json:"lines_added"`
	LinesRemoved int    `json:"lines_removed"`
	Diff         string `json:"diff"`

	event, eventID string // SSE fields
}

// listener is an SSE client that reconnects, as a browser's EventSource does.
type listener struct {
	changes chan change // unbounded enough for a test: 10,000
}

// listen subscribes to topic `changes` and returns once the stream stands.
func (w *world) listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{changes: make(chan change, 10_000)}
	open := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // ends with the test
		defer close(done)
		var lastID string
		for ctx.Err() == nil {
			l.stream(ctx, "http://"+w.Get(stack.Hub).Addr["http"]+"/events?topic=changes", &lastID, open)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	select {
	case <-open:
	case <-time.After(waitLimit):
		t.Fatal("the stream of events did not open")
	}
	return l
}

// stream reads one connection until it ends.
func (l *listener) stream(ctx context.Context, url string, lastID *string, open chan<- struct{}) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err) // the url is ours
	}
	if *lastID != "" {
		req.Header.Set("Last-Event-ID", *lastID)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return // the hub is down: again
	}
	defer resp.Body.Close()
	select {
	case open <- struct{}{}:
	default:
	}
	var event, id, data string
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		switch field, value, _ := strings.Cut(lines.Text(), ": "); {
		case field == "event":
			event = value
		case field == "id":
			id, *lastID = value, value
		case field == "data":
			data = value
		case lines.Text() == "" && data != "":
			c := change{event: event, eventID: id}
			if json.Unmarshal([]byte(data), &c) == nil && c.ID != "" {
				l.changes <- c
			}
			event, data = "", ""
		}
	}
}

// next returns the next change.
func (l *listener) next(t *testing.T) change {
	t.Helper()
	select {
	case c := <-l.changes:
		return c
	case <-time.After(waitLimit):
		t.Fatal("waited in vain for a change on the stream of events")
		return change{}
	}
}

// until collects changes until one of the given path and type has come.
func (l *listener) until(t *testing.T, path, kind string) []change {
	t.Helper()
	var seen []change
	for {
		c := l.next(t)
		seen = append(seen, c)
		if c.Path == path && c.Type == kind {
			return seen
		}
	}
}
