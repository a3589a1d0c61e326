// Package rpc is the gRPC side of the hub: obby.sse.v1.
//
// A method reads its request, asks the hub and writes the answer. A stream ends
// when its client, or the hub, says so.
package rpc

import (
	"context"
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
	info      service.Info
	log       *slog.Logger
	lookEvery time.Duration
}

// New returns a server of h.
func New(h *hub.Hub, info service.Info, log *slog.Logger) *Server {
	return &Server{hub: h, info: info, log: log, lookEvery: lookEvery}
}

// GetServerInfo implements ssev1.SSEHubServiceServer.
func (s *Server) GetServerInfo(context.Context, *ssev1.GetServerInfoRequest) (*ssev1.GetServerInfoResponse, error) {
	return &ssev1.GetServerInfoResponse{
		Version: s.info.Version, ApiVersions: []string{"obby.sse.v1"}, Features: []string{"idempotency", "replay"},
		InstanceId: s.info.InstanceID, StartTime: timestamppb.New(s.info.StartTime),
	}, nil
}

// Publish implements ssev1.SSEHubServiceServer.
func (s *Server) Publish(_ context.Context, req *ssev1.PublishRequest) (_ *ssev1.PublishResponse, err error) {
	defer s.status(&err)
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
	sub, err := s.hub.Subscribe(hub.Request{
		Topics: req.GetTopics(), LastID: req.GetLastEventId(), LastCount: int(req.GetLastCount()),
	})
	if err != nil {
		return err
	}
	defer sub.Close()
	for items := opening(sub); ; {
		if err := s.send(stream, sub, items); err != nil {
			return err
		}
		events, err := sub.Next(stream.Context())
		if err != nil {
			return err
		}
		items = following(sub, events)
	}
}

// send hands items to the stream. Flow control blocks it while the client does
// not read, and nothing but the end of the stream frees it: so it runs beside the
// method, which ends the stream when the history has moved on (hub case 62).
func (s *Server) send(stream ssev1.SSEHubService_SubscribeServer, sub *hub.Subscription, items []*ssev1.SubscribeResponse) error {
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
		}
	}
}
