package rpc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/obby/go-services/sse-hub/internal/access"
)

// Access says who a caller is.
type Access interface {
	// Verify reads a token; its error wraps access.ErrToken or access.ErrKeys.
	Verify(token string) (*access.Grant, error)
}

// grant returns what a caller may do, nil where everybody may do everything.
func (s *Server) grant(ctx context.Context) (*access.Grant, error) {
	if s.access == nil {
		return nil, nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for _, value := range md.Get("authorization") {
		if scheme, token, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "Bearer") {
			return s.verify(token)
		}
	}
	return nil, fmt.Errorf("%w: send it as metadata  authorization: Bearer <token>", access.ErrToken)
}

// verify reads a token. What stands in the way of the keys is for the log alone: it
// names places that callers need not know.
func (s *Server) verify(token string) (*access.Grant, error) {
	grant, err := s.access.Verify(token)
	if errors.Is(err, access.ErrKeys) {
		s.log.Error("token cannot be verified", "err", err)
		return nil, access.ErrKeys
	}
	return grant, err
}

// mayPublish refuses who may not publish to a topic.
func (s *Server) mayPublish(ctx context.Context, topic string) error {
	grant, err := s.grant(ctx)
	if err == nil && grant != nil && !grant.MayPublish(topic) {
		err = fmt.Errorf("%w: to publish to %q", errNotGranted, topic)
	}
	return err
}

// maySubscribe returns the grant of who may subscribe to all of the topics.
func (s *Server) maySubscribe(ctx context.Context, topics []string) (*access.Grant, error) {
	grant, err := s.grant(ctx)
	if err != nil || grant == nil {
		return nil, err
	}
	for _, topic := range topics {
		if !grant.MaySubscribe(topic) {
			return nil, fmt.Errorf("%w: to subscribe to %q", errNotGranted, topic)
		}
	}
	return grant, nil
}
