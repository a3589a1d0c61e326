package rpc

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/internal/servicetest"
	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
	"github.com/obby/go-services/sse-hub/internal/hub"
)

// world is a hub and a client of it.
type world struct {
	*hub.Hub
	ssev1.SSEHubServiceClient
	server *Server
}

func dial(t *testing.T, r hub.Retention, heartbeat time.Duration) world {
	t.Helper()
	h, err := hub.New(hub.NewMemoryLog(r), hub.Options{MaxData: 1 << 20, Heartbeat: heartbeat})
	if err != nil {
		t.Fatal(err)
	}
	server := New(h, nil, service.NewInfo("sse-hub"), slog.New(slog.DiscardHandler))
	server.lookEvery = 10 * time.Millisecond
	conn := servicetest.Dial(t, func(r grpc.ServiceRegistrar) { ssev1.RegisterSSEHubServiceServer(r, server) })
	return world{h, ssev1.NewSSEHubServiceClient(conn), server}
}

var plenty = hub.Retention{Events: 10_000, Bytes: 1 << 30, Age: time.Hour}

func (w world) publish(t *testing.T, req *ssev1.PublishRequest) *ssev1.PublishResponse {
	t.Helper()
	resp, err := w.Publish(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// Publish hides the hub's own method: tests publish as clients do.
func (w world) Publish(ctx context.Context, req *ssev1.PublishRequest) (*ssev1.PublishResponse, error) {
	return w.SSEHubServiceClient.Publish(ctx, req)
}

func (w world) subscribe(t *testing.T, req *ssev1.SubscribeRequest) ssev1.SSEHubService_SubscribeClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	stream, err := w.SSEHubServiceClient.Subscribe(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func next(t *testing.T, stream ssev1.SSEHubService_SubscribeClient) *ssev1.SubscribeResponse {
	t.Helper()
	item, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func ready(id string) *ssev1.SubscribeResponse {
	return &ssev1.SubscribeResponse{Item: &ssev1.SubscribeResponse_Ready{Ready: &ssev1.Ready{EventId: id}}}
}

func reset(reason ssev1.ResetReason, id, oldest string) *ssev1.SubscribeResponse {
	return &ssev1.SubscribeResponse{Item: &ssev1.SubscribeResponse_Reset_{Reset_: &ssev1.Reset{Reason: reason, EventId: id, OldestEventId: oldest}}}
}

func event(id, topic, kind, data string) *ssev1.SubscribeResponse {
	return &ssev1.SubscribeResponse{Item: &ssev1.SubscribeResponse_Event{Event: &ssev1.Event{
		EventId: id, Topic: topic, EventType: kind, Data: []byte(data),
	}}}
}

// same compares items but for the time of publication.
func same(t *testing.T, want, got *ssev1.SubscribeResponse) {
	t.Helper()
	if e := got.GetEvent(); e != nil && !e.GetPublishTime().IsValid() {
		t.Errorf("event %s has no time of publication", e.GetEventId())
	}
	if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(&ssev1.Event{}, "publish_time")); diff != "" {
		t.Errorf("item (-want +got):\n%s", diff)
	}
}

func (w world) slow(t *testing.T) int64 {
	t.Helper()
	s, err := w.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s.Slow
}

// subscribers waits until there are n.
func (w world) subscribers(t *testing.T, n int) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		s, err := w.Stats()
		if err != nil {
			t.Fatal(err)
		}
		if s.Subscribers == n {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%d subscribers, want %d", s.Subscribers, n)
		}
	}
}
