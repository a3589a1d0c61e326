package rpc_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/obby/go-services/file-watcher/internal/rpc"
	"github.com/obby/go-services/file-watcher/internal/watch"
	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/internal/servicetest"
	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

// served is a served watcher and a directory for its roots.
type served struct {
	watcherv1.FileWatcherServiceClient
	t       *testing.T
	watcher *watch.Watcher
	info    service.Info
	dir     string
}

func serve(t *testing.T) *served {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	watcher, err := watch.New(watch.Options{Debounce: time.Millisecond, PollMin: 10 * time.Millisecond, PollMax: time.Second, JournalEvents: 1000, JournalBytes: 1 << 20, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- watcher.Run(ctx) }() // until the test ends
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	info := service.NewInfo("file-watcher")
	server := rpc.New(watcher, info, log)
	conn := servicetest.Dial(t, func(r grpc.ServiceRegistrar) { watcherv1.RegisterFileWatcherServiceServer(r, server) })
	return &served{watcherv1.NewFileWatcherServiceClient(conn), t, watcher, info, dir}
}

// root makes a directory that watches *.md, and returns its path.
func (s *served) root(name string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.Mkdir(path, 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.write(filepath.Join(path, ".obbywatch"), "*.md\n")
	return path
}

// write makes a file in one step, which no quiet delay is too short for.
func (s *served) write(path, text string) {
	s.t.Helper()
	if err := os.WriteFile(path+".tmp", []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		s.t.Fatal(err)
	}
}

func (s *served) start(path string) *watcherv1.Watch {
	s.t.Helper()
	resp, err := s.StartWatching(s.t.Context(), &watcherv1.StartWatchingRequest{RawPath: []byte(path)})
	if err != nil || !resp.Created {
		s.t.Fatalf("start %q: %v, %v", path, resp, err)
	}
	return resp.Watch
}

func TestListWatches(t *testing.T) {
	s := serve(t)
	for _, name := range []string{"c", "a", "b", "caf\xe9"} {
		s.start(s.root(name))
	}
	var got []string
	req := &watcherv1.ListWatchesRequest{PageSize: 3}
	for {
		resp, err := s.ListWatches(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range resp.Watches {
			got = append(got, strings.TrimPrefix(w.Path, s.dir+"/")+string(w.RawPath))
		}
		if req.PageToken = resp.NextPageToken; req.PageToken == "" {
			break
		}
	}
	want := []string{"a", "b", "c", "caf\uFFFD" + s.dir + "/caf\xe9"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("watches (-want +got):\n%s", diff)
	}
}

func TestStartWatching(t *testing.T) {
	s := serve(t)
	got := s.start(s.root("r"))
	want := &watcherv1.Watch{
		Path: s.dir + "/r", State: watcherv1.WatchState_WATCH_STATE_ACTIVE, Method: watcherv1.WatchMethod_WATCH_METHOD_NOTIFY,
		Debounce: durationpb.New(time.Millisecond), Patterns: &watcherv1.PatternSet{Watch: []string{"*.md"}}, DirectoryCount: 1,
	}
	if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(want, "watch_id", "create_time")); diff != "" {
		t.Errorf("watch (-want +got):\n%s", diff)
	}
	t.Run("case 51: started twice", func(t *testing.T) {
		resp, err := s.StartWatching(t.Context(), &watcherv1.StartWatchingRequest{Path: s.dir + "/r", Debounce: durationpb.New(time.Minute)})
		if err != nil || resp.Created || resp.Watch.Debounce.AsDuration() != time.Millisecond {
			t.Errorf("it is %v, %v", resp, err)
		}
	})
}

func TestUpdatePatterns(t *testing.T) {
	s := serve(t)
	id := s.start(s.root("r")).WatchId
	for _, p := range []*watcherv1.PatternSet{{Watch: []string{"*.txt"}, Ignore: []string{"x/"}}, nil} {
		resp, err := s.UpdatePatterns(t.Context(), &watcherv1.UpdatePatternsRequest{WatchId: id, Patterns: p})
		if p == nil {
			p = &watcherv1.PatternSet{Watch: []string{"*.md"}}
		}
		if diff := cmp.Diff(p, resp.GetWatch().GetPatterns(), protocmp.Transform()); err != nil || diff != "" {
			t.Errorf("patterns (-want +got):\n%s, %v", diff, err)
		}
	}
}

func TestStopWatching(t *testing.T) {
	s := serve(t)
	id := s.start(s.root("r")).WatchId
	if _, err := s.StopWatching(t.Context(), &watcherv1.StopWatchingRequest{WatchId: id}); err != nil {
		t.Error(err)
	}
	if _, err := s.StopWatching(t.Context(), &watcherv1.StopWatchingRequest{WatchId: id}); status.Code(err) != codes.NotFound {
		t.Errorf("stopped once more: %v", err)
	}
}

// invalidCall is a call that is refused, and the field that is to blame.
type invalidCall struct {
	field string
	call  func(context.Context) error
}

func invalidCalls(s *served, id string) []invalidCall {
	return []invalidCall{
		{"path", startCall(s, &watcherv1.StartWatchingRequest{})},
		{"path", startCall(s, &watcherv1.StartWatchingRequest{Path: "relative"})},
		{"debounce", startCall(s, &watcherv1.StartWatchingRequest{Path: s.dir, Debounce: durationpb.New(-1)})},
		{"debounce", startCall(s, &watcherv1.StartWatchingRequest{Path: s.dir, Debounce: durationpb.New(2 * time.Hour)})},
		{"patterns", startCall(s, &watcherv1.StartWatchingRequest{Path: s.dir, Patterns: &watcherv1.PatternSet{Watch: []string{strings.Repeat("x", 5000)}}})},
		{"patterns", func(ctx context.Context) error {
			_, err := s.UpdatePatterns(ctx, &watcherv1.UpdatePatternsRequest{WatchId: id, Patterns: &watcherv1.PatternSet{Ignore: []string{"/x"}}})
			return err
		}},
		{"watch_id", func(ctx context.Context) error {
			_, err := s.UpdatePatterns(ctx, &watcherv1.UpdatePatternsRequest{})
			return err
		}},
		{"watch_id", func(ctx context.Context) error {
			_, err := s.StopWatching(ctx, &watcherv1.StopWatchingRequest{})
			return err
		}},
		{"page_size", func(ctx context.Context) error {
			_, err := s.ListWatches(ctx, &watcherv1.ListWatchesRequest{PageSize: -1})
			return err
		}},
		{"page_token", func(ctx context.Context) error {
			_, err := s.ListWatches(ctx, &watcherv1.ListWatchesRequest{PageToken: "x"})
			return err
		}},
		{"method", startCall(s, &watcherv1.StartWatchingRequest{Path: s.dir, Method: 7})},
		{"resume_token", streamCall(s, &watcherv1.StreamEventsRequest{ResumeToken: "x"})},
		{"resume_token", streamCall(s, &watcherv1.StreamEventsRequest{ResumeToken: "x", Snapshot: true})},
		{"path_prefix", streamCall(s, &watcherv1.StreamEventsRequest{PathPrefix: "x"})},
		{"change_types", streamCall(s, &watcherv1.StreamEventsRequest{ChangeTypes: make([]watcherv1.ChangeType, 1)})},
	}
}

func TestInvalidRequests(t *testing.T) {
	s := serve(t)
	for _, tc := range invalidCalls(s, s.start(s.root("r")).WatchId) {
		t.Run(tc.field, func(t *testing.T) {
			st := status.Convert(tc.call(t.Context()))
			if st.Code() != codes.InvalidArgument {
				t.Fatalf("status is %v", st)
			}
			for _, detail := range st.Details() {
				if bad, ok := detail.(*errdetails.BadRequest); ok && bad.FieldViolations[0].Field == tc.field {
					return
				}
			}
			t.Errorf("status %v does not name %s", st, tc.field)
		})
	}
}

func startCall(s *served, req *watcherv1.StartWatchingRequest) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := s.StartWatching(ctx, req)
		return err
	}
}

func streamCall(s *served, req *watcherv1.StreamEventsRequest) func(context.Context) error {
	return func(ctx context.Context) error {
		stream, err := s.StreamEvents(ctx, req)
		if err == nil {
			_, err = stream.Recv()
		}
		return err
	}
}

func TestServerInfo(t *testing.T) {
	s := serve(t)
	got, err := s.GetServerInfo(t.Context(), &watcherv1.GetServerInfoRequest{})
	if err != nil || got.Version != s.info.Version || got.InstanceId != s.info.InstanceID || len(got.ApiVersions) != 1 || !got.StartTime.IsValid() {
		t.Errorf("it is %v, %v", got, err)
	}
}
