package rpc

import (
	"context"
	"errors"

	"google.golang.org/grpc"
)

// errStopping ends a long call when the service stops: it would be cut off anyway
// when the time for an orderly stop is over, and say nothing.
var errStopping = errors.New("the service is stopping; call again for what was not answered")

// Stop ends the calls that take long, as batches and comparisons do, with an error
// that says so. What they have recorded stays. A call whose caller does not read is
// cut off when the time of the stop is over, as gRPC does with all.
func (s *Server) Stop() { s.stop() }

// long is a call whose context ends when the service stops, too.
type long[T any] struct {
	grpc.ServerStreamingServer[T]
	ctx context.Context
}

func (l long[T]) Context() context.Context { return l.ctx }

// takeLong makes a long call of a stream; release it when it ends.
func takeLong[T any](s *Server, stream grpc.ServerStreamingServer[T]) (_ long[T], release func()) {
	ctx, cancel := context.WithCancelCause(stream.Context())
	stopWaiting := context.AfterFunc(s.stopping, func() { cancel(errStopping) })
	if s.stopping.Err() != nil { // AfterFunc does it, too, but later
		cancel(errStopping)
	}
	return long[T]{stream, ctx}, func() { stopWaiting(); cancel(nil) }
}

// status returns the status of a long call's error.
func (s *Server) status(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(ctx), errStopping) {
		err = errStopping
	}
	return statuses.Status(s.log, err)
}
