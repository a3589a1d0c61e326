// Package rpc is the gRPC side of the query-service: obby.query.v1.
//
// A method reads its request, asks the domain and writes the answer. A stream
// ends when its client, or Drain, says so.
package rpc

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/page"
	"github.com/obby/go-services/internal/service"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

var errStopping = errors.New("the service is stopping: continue with the last resume_token")

// Server implements queryv1.QueryServiceServer.
type Server struct {
	queryv1.UnimplementedQueryServiceServer
	store query.Store
	info  service.Info
	zone  *time.Location
	log   *slog.Logger
	now   func() time.Time

	drain    chan struct{} // closed by Drain
	draining sync.Once
}

// New returns a server that answers from store. zone is the time zone of callers
// who name none.
func New(store query.Store, info service.Info, zone *time.Location, log *slog.Logger) *Server {
	return &Server{store: store, info: info, zone: zone, log: log, now: time.Now, drain: make(chan struct{})}
}

// Drain ends the streams that are open and those that are still to come. A step
// that waits for a slow client is ended with its connection.
func (s *Server) Drain(context.Context) error {
	s.draining.Do(func() { close(s.drain) })
	return nil
}

// status makes of a method's error the status that its caller gets.
func (s *Server) status(err *error) { *err = table.Status(s.log, *err) }

// GetServerInfo implements queryv1.QueryServiceServer.
func (s *Server) GetServerInfo(context.Context, *queryv1.GetServerInfoRequest) (*queryv1.GetServerInfoResponse, error) {
	return &queryv1.GetServerInfoResponse{
		Version: s.info.Version, ApiVersions: []string{"obby.query.v1"}, Features: []string{"word-search", "advanced-search", "substring-search", "history-search", "files-at", "labels", "follow", "diff", "path-glob"},
		InstanceId: s.info.InstanceID, StartTime: timestamppb.New(s.info.StartTime),
	}, nil
}

// arguments fingerprints a request where that is asked for: most lists end on their
// first page.
func arguments(req proto.Message) func() []byte {
	return sync.OnceValue(func() []byte { return page.Args(req) })
}

// parseToken reads a page token into cursor, where there is one.
func parseToken(token string, args func() []byte, cursor any) (bool, error) {
	if token == "" {
		return false, nil
	}
	return page.Parse(token, args(), cursor)
}

// nextToken returns the token of the page after p, empty when p is the last.
func nextToken[T any](p query.Page[T], args func() []byte, cursor func(last T) any) (string, error) {
	if !p.More {
		return "", nil
	}
	return page.Token(cursor(p.Items[len(p.Items)-1]), args())
}
