package e2e

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/deploy/run/stack"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

// What an error quotes of a request may be of any length: it reaches a caller all the
// same, also one that takes half as much metadata as gRPC's clients do.
func TestErrorsOfLongValues(t *testing.T) {
	w := startWorld(t, "")
	dial := func(service string) *grpc.ClientConn {
		conn, err := grpc.NewClient(w.Get(service).Addr["grpc"],
			grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithMaxHeaderListSize(4096))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	watcher := watcherv1.NewFileWatcherServiceClient(dial(stack.Watcher))
	tracker := trackerv1.NewContentTrackerServiceClient(dial(stack.Tracker))
	query := queryv1.NewQueryServiceClient(dial(stack.Query))
	hub := ssev1.NewSSEHubServiceClient(dial(stack.Hub))
	for name, call := range map[string]func(ctx context.Context, long string) error{
		"watcher: path": func(ctx context.Context, long string) error {
			_, err := watcher.StartWatching(ctx, &watcherv1.StartWatchingRequest{Path: "/" + long})
			return err
		},
		"watcher: watch": func(ctx context.Context, long string) error {
			_, err := watcher.StopWatching(ctx, &watcherv1.StopWatchingRequest{WatchId: long})
			return err
		},
		"tracker: path": func(ctx context.Context, long string) error {
			_, err := tracker.TrackChange(ctx, &trackerv1.TrackChangeRequest{Path: "/" + long})
			return err
		},
		"tracker: path in a root": func(ctx context.Context, long string) error {
			_, err := tracker.TrackChange(ctx, &trackerv1.TrackChangeRequest{Path: w.path(long)})
			return err
		},
		"tracker: move": func(ctx context.Context, long string) error {
			_, err := tracker.TrackChange(ctx, &trackerv1.TrackChangeRequest{Path: "/" + long, OldPath: "/" + long})
			return err
		},
		"tracker: request": func(ctx context.Context, long string) error {
			_, err := tracker.TrackChange(ctx, &trackerv1.TrackChangeRequest{Path: w.path("a.md"), RequestId: long})
			return err
		},
		"tracker: forget": func(ctx context.Context, long string) error {
			_, err := tracker.Forget(ctx, &trackerv1.ForgetRequest{Path: "/" + long})
			return err
		},
		"query: versions": func(ctx context.Context, long string) error {
			_, err := query.GetFileVersions(ctx, &queryv1.GetFileVersionsRequest{Path: "/" + long})
			return err
		},
		"query: pattern": func(ctx context.Context, long string) error {
			_, err := query.GetRecentDiffs(ctx, &queryv1.GetRecentDiffsRequest{Filter: &queryv1.DiffFilter{PathGlob: "[" + long}})
			return err
		},
		"query: search": func(ctx context.Context, long string) error {
			_, err := query.SearchContent(ctx, &queryv1.SearchContentRequest{Query: `"` + long, Mode: queryv1.SearchMode_SEARCH_MODE_ADVANCED})
			return err
		},
		"query: zone": func(ctx context.Context, long string) error {
			_, err := query.GetTimeAnalysis(ctx, &queryv1.GetTimeAnalysisRequest{TimeZone: long})
			return err
		},
		"hub: topic": func(ctx context.Context, long string) error {
			_, err := hub.Publish(ctx, &ssev1.PublishRequest{Topic: long})
			return err
		},
		"hub: key": func(ctx context.Context, long string) error {
			_, err := hub.Publish(ctx, &ssev1.PublishRequest{Topic: "t", IdempotencyKey: long})
			return err
		},
		"hub: pattern": func(ctx context.Context, long string) error {
			stream, err := hub.Subscribe(ctx, &ssev1.SubscribeRequest{Topics: []string{long}})
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		},
	} {
		for _, part := range []string{"a", "é", `é "`, "a b/", "\n"} {
			st := status.Convert(call(t.Context(), strings.Repeat(part, 100_000)))
			switch st.Code() {
			case codes.InvalidArgument, codes.NotFound, codes.PermissionDenied:
			default:
				t.Errorf("%s, of many %q: %v: %.300q", name, part, st.Code(), st.Message())
			}
			if len(st.Details()) == 0 {
				t.Errorf("%s, of many %q: without details", name, part)
			}
		}
	}
}
