// Package rpc is the gRPC side of the hub: obby.sse.v1.
//
// A method reads its request, asks the hub and writes the answer. A stream ends
// when its client, or the hub, says so.
package rpc

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/service"
	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
	"github.com/obby/go-services/sse-hub/internal/hub"
)

// lookEvery is how often a blocked stream is compared with the history.
const lookEvery = time.Second

// Server implements ssev1.SSEHubServiceServer.
type Server struct {
	ssev1.UnimplementedSSEHubServiceServer
	hub       *hub.Hub
	access    Access // nil: everybody may do everything
	info      service.Info
	log       *slog.Logger
	lookEvery time.Duration
}

// New returns a server of h, for those whom a lets in; nil: for everybody.
func New(h *hub.Hub, a Access, info service.Info, log *slog.Logger) *Server {
	return &Server{hub: h, access: a, info: info, log: log, lookEvery: lookEvery}
}

// GetServerInfo implements ssev1.SSEHubServiceServer.
func (s *Server) GetServerInfo(context.Context, *ssev1.GetServerInfoRequest) (*ssev1.GetServerInfoResponse, error) {
	return &ssev1.GetServerInfoResponse{
		Version: s.info.Version, ApiVersions: []string{"obby.sse.v1"}, Features: []string{"client-id", "idempotency", "replay", "wildcards"},
		InstanceId: s.info.InstanceID, StartTime: timestamppb.New(s.info.StartTime),
	}, nil
}

// Publish implements ssev1.SSEHubServiceServer.
func (s *Server) Publish(ctx context.Context, req *ssev1.PublishRequest) (_ *ssev1.PublishResponse, err error) {
	defer s.status(&err)
	if err := s.mayPublish(ctx, req.GetTopic()); err != nil {
		return nil, err
	}
	receipt, err := s.hub.Publish(hub.Publication{
		Topic: req.GetTopic(), Type: req.GetEventType(), Data: req.GetData(), Key: req.GetIdempotencyKey(),
	})
	if err != nil {
		return nil, err
	}
	return &ssev1.PublishResponse{
		EventId: receipt.ID, Receivers: int64(receipt.Receivers), Duplicate: receipt.Duplicate,
	}, nil
}

// Subscribe implements ssev1.SSEHubServiceServer.
func (s *Server) Subscribe(req *ssev1.SubscribeRequest, stream ssev1.SSEHubService_SubscribeServer) (err error) {
	defer s.status(&err)
	request := hub.Request{
		Topics: req.GetTopics(), LastID: req.GetLastEventId(), LastCount: int(req.GetLastCount()), ClientID: req.GetClientId(),
	}
	ctx := stream.Context()
	grant, err := s.maySubscribe(ctx, request.Topics)
	if err != nil {
		return err
	}
	if grant != nil {
		request.Subject = grant.Subject
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, grant.Expires, errExpired)
		defer cancel()
	}
	return s.follow(ctx, stream, request)
}

// follow sends what a subscription returns until one of both ends.
func (s *Server) follow(ctx context.Context, stream ssev1.SSEHubService_SubscribeServer, request hub.Request) error {
	sub, err := s.hub.Subscribe(request)
	if err != nil {
		return err
	}
	defer sub.Close()
	for items := opening(sub); ; {
		if err := s.send(ctx, stream, sub, items); err != nil {
			return err
		}
		events, err := sub.Next(ctx)
		if err != nil {
			return cause(ctx, err)
		}
		items = following(sub, events)
	}
}

// send hands items to the stream. Flow control blocks it while the client does
// not read, and nothing but the end of the stream frees it: so it runs beside the
// method, which ends the stream when the history has moved on (hub case 62).
func (s *Server) send(ctx context.Context, stream ssev1.SSEHubService_SubscribeServer, sub *hub.Subscription, items []*ssev1.SubscribeResponse) error {
	sent := make(chan error, 1) // 1: a sender that is left behind can still end
	go func() {                 // ends when all is sent or the stream ends
		var err error
		for i := 0; i < len(items) && err == nil; i++ {
			err = stream.Send(items[i])
		}
		sent <- err
	}()
	look := time.NewTicker(s.lookEvery)
	defer look.Stop()
	for {
		select {
		case err := <-sent:
			return err
		case <-look.C:
			if err := sub.CheckHeld(); err != nil {
				return err
			}
		case <-ctx.Done():
			return cause(ctx, ctx.Err())
		}
	}
}

// cause tells the end of a token from that of a call.
func cause(ctx context.Context, err error) error {
	if why := context.Cause(ctx); errors.Is(why, errExpired) {
		return why
	}
	return err
}
