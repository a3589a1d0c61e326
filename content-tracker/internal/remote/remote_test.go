package remote_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/content-tracker/internal/remote"
	"github.com/obby/go-services/content-tracker/internal/store"
	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/servicetest"
	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

// world is a tracker with a real database and folder; its neighbours are fakes.
type world struct {
	root    string
	store   *store.Store
	tracker *track.Tracker
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "obby.db"), true, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	root := t.TempDir()
	w := &world{root, db, track.New(db, track.Config{Roots: []string{root}, MaxContent: 1 << 20, Workers: 4}, slog.New(slog.DiscardHandler))}
	w.write(t, ".obbywatch", "*.md\n")
	return w
}

func (w *world) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(w.root, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// background runs a worker until the test ends.
func background(t *testing.T, run func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the worker ended with %v", err)
		}
	})
}

// fakeHub answers as the next verdict says, then with success.
type fakeHub struct {
	ssev1.UnimplementedSSEHubServiceServer
	mu       sync.Mutex // guards verdicts
	verdicts []error
	got      chan *ssev1.PublishRequest // what was accepted; the tests take all of it
}

func (h *fakeHub) Publish(_ context.Context, in *ssev1.PublishRequest) (*ssev1.PublishResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.verdicts) > 0 {
		err := h.verdicts[0]
		h.verdicts = h.verdicts[1:]
		if err != nil {
			return nil, err
		}
	}
	h.got <- in
	return &ssev1.PublishResponse{}, nil
}

// observed returns the time of a published step, in microseconds since the Unix epoch.
func observed(t *testing.T, published *ssev1.PublishRequest) int64 {
	t.Helper()
	var event struct {
		At time.Time `json:"observe_time"`
	}
	if err := json.Unmarshal(published.Data, &event); err != nil {
		t.Fatal(err)
	}
	return event.At.UnixMicro()
}

func TestHub(t *testing.T) {
	w := newWorld(t)
	hub := &fakeHub{got: make(chan *ssev1.PublishRequest, 10), verdicts: []error{
		status.Error(codes.Unavailable, "down"), status.Error(codes.Unavailable, "still down"), nil,
		status.Error(codes.InvalidArgument, "never"),
	}}
	conn := servicetest.Dial(t, func(r grpc.ServiceRegistrar) { ssev1.RegisterSSEHubServiceServer(r, hub) })
	names := []string{"a.md", "refused.md", "caf\xe9.md"}
	for _, name := range names {
		if _, err := w.tracker.Track(t.Context(), track.Request{Path: w.write(t, name, "x\n")}); err != nil {
			t.Fatal(err)
		}
	}
	background(t, remote.NewHub(conn, w.store, []string{w.root}, slog.New(slog.DiscardHandler), prometheus.NewRegistry()).Run)

	first, last := <-hub.got, <-hub.got
	key := fmt.Sprintf("%s/1/%d", w.store.DatabaseID(), observed(t, first))
	if first.Topic != "changes" || first.EventType != "created" || first.IdempotencyKey != key {
		t.Errorf("first publication is %v", first)
	}
	var event map[string]any
	if err := json.Unmarshal(last.Data, &event); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"database_id": w.store.DatabaseID(), "change_id": "3", "change_type": "created", "path": w.root + "/caf\uFFFD.md", "old_path": "", "root": w.root, "version_id": "3",
		"old_version_id": nil, "line_count": 1.0, "lines_added": 1.0, "lines_removed": 0.0, "truncated": false,
		"content_hash": "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac",
		"diff":         "--- /dev/null\n+++ \"b/caf\\351.md\"\n@@ -0,0 +1 @@\n+x\n",
	}
	if event["raw_path"] == "" || !strings.HasSuffix(event["observe_time"].(string), "Z") {
		t.Errorf("event is %v", event)
	}
	delete(event, "raw_path")
	delete(event, "observe_time")
	if diff := cmp.Diff(want, event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	// A later change wakes the publisher.
	if _, err := w.tracker.Track(t.Context(), track.Request{Path: w.write(t, "a.md", "y\n")}); err != nil {
		t.Fatal(err)
	}
	if next := <-hub.got; next.EventType != "modified" {
		t.Errorf("next publication is %v", next)
	}
}

// fakeWatcher serves one scripted stream after another.
type fakeWatcher struct {
	watcherv1.UnimplementedFileWatcherServiceServer
	tokens  chan string // resume token of each subscription
	streams chan []*watcherv1.StreamEventsResponse
}

func (f *fakeWatcher) StartWatching(context.Context, *watcherv1.StartWatchingRequest) (*watcherv1.StartWatchingResponse, error) {
	return &watcherv1.StartWatchingResponse{Watch: &watcherv1.Watch{}}, nil
}

func (f *fakeWatcher) StreamEvents(in *watcherv1.StreamEventsRequest, stream grpc.ServerStreamingServer[watcherv1.StreamEventsResponse]) error {
	f.tokens <- in.ResumeToken
	select {
	case items := <-f.streams:
		for _, item := range items {
			if err := stream.Send(item); err != nil {
				return err
			}
		}
		return status.Error(codes.Unavailable, "cut")
	case <-stream.Context().Done():
		return nil
	}
}

func ready(token string) *watcherv1.StreamEventsResponse {
	return &watcherv1.StreamEventsResponse{ResumeToken: token, Item: &watcherv1.StreamEventsResponse_Ready{Ready: &watcherv1.Ready{}}}
}

func event(token string, e *watcherv1.Event) *watcherv1.StreamEventsResponse {
	return &watcherv1.StreamEventsResponse{ResumeToken: token, Item: &watcherv1.StreamEventsResponse_Event{Event: e}}
}

func TestWatcher(t *testing.T) {
	w := newWorld(t)
	before := w.write(t, "before.md", "x\n") // there before anybody followed
	fake := &fakeWatcher{tokens: make(chan string), streams: make(chan []*watcherv1.StreamEventsResponse)}
	conn := servicetest.Dial(t, func(r grpc.ServiceRegistrar) { watcherv1.RegisterFileWatcherServiceServer(r, fake) })
	background(t, remote.NewWatcher(conn, w.tracker, slog.New(slog.DiscardHandler), prometheus.NewRegistry()).Run)

	live := func(path string) bool {
		head, err := w.store.Head(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		return head.Live()
	}
	if token := <-fake.tokens; token != "" {
		t.Errorf("the first subscription resumes at %q", token)
	}
	missing := filepath.Join(w.root, "never.md")
	named := w.write(t, "named.md", "x\n")
	fake.streams <- []*watcherv1.StreamEventsResponse{
		ready("1"),
		event("2", &watcherv1.Event{Path: named, ChangeType: watcherv1.ChangeType_CHANGE_TYPE_CREATED}),
		event("3", &watcherv1.Event{Path: missing, ChangeType: watcherv1.ChangeType_CHANGE_TYPE_CREATED}),
	}
	if token := <-fake.tokens; token != "3" {
		t.Errorf("the second subscription resumes at %q, want after all that was handled", token)
	}
	if !live(before) || !live(named) {
		t.Error("a file that was there, or was named, is not recorded")
	}
	// Lost events: what nobody named is found on the disk.
	unnamed := w.write(t, "unnamed.md", "x\n")
	fake.streams <- []*watcherv1.StreamEventsResponse{{ResumeToken: "4", Item: &watcherv1.StreamEventsResponse_Resync{
		Resync: &watcherv1.Resync{Path: w.root, Reason: watcherv1.ResyncReason_RESYNC_REASON_RESTARTED}}}}
	if token := <-fake.tokens; token != "4" || !live(unnamed) {
		t.Errorf("after a resync: token %q, unnamed file live %v", token, live(unnamed))
	}
	// A directory's rename moves what is recorded below it.
	if err := os.Mkdir(filepath.Join(w.root, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	inside := w.write(t, "d/inside.md", "x\n")
	fake.streams <- []*watcherv1.StreamEventsResponse{
		event("5", &watcherv1.Event{Path: inside, ChangeType: watcherv1.ChangeType_CHANGE_TYPE_CREATED}),
	}
	if token := <-fake.tokens; token != "5" || !live(inside) {
		t.Errorf("token %q, the directory's file live %v", token, live(inside))
	}
	if err := os.Rename(filepath.Join(w.root, "d"), filepath.Join(w.root, "e")); err != nil {
		t.Fatal(err)
	}
	fake.streams <- []*watcherv1.StreamEventsResponse{event("6", &watcherv1.Event{
		Path: filepath.Join(w.root, "e"), OldPath: filepath.Join(w.root, "d"),
		ChangeType: watcherv1.ChangeType_CHANGE_TYPE_RENAMED, Kind: watcherv1.EntryKind_ENTRY_KIND_DIRECTORY,
	})}
	<-fake.tokens
	if moved := filepath.Join(w.root, "e", "inside.md"); live(inside) || !live(moved) {
		t.Error("the renamed directory's file is not where it should be")
	}
}
