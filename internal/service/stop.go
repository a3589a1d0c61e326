package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"google.golang.org/grpc"
)

// Step is one named step of a stop.
type Step struct {
	Name string
	Run  func(ctx context.Context) error // returns when ctx ends, at the latest
}

// runSteps runs the steps in order. One that does not return by the end of ctx
// is abandoned and named; those after it still get their turn.
func runSteps(ctx context.Context, log *slog.Logger, steps []Step) error {
	var errs []error
	for _, step := range steps {
		log.Debug("stopping", "step", step.Name)
		done := make(chan error, 1) // 1: an abandoned step can still end
		go func() { done <- step.Run(ctx) }()
		var err error
		select {
		case err = <-done:
		case <-ctx.Done():
			select {
			case err = <-done:
			default:
				log.Warn("stop step takes too long and is abandoned", "step", step.Name)
				err = ctx.Err()
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", step.Name, err))
		}
	}
	return errors.Join(errs...)
}

// most bounds a wait to most of the time that is left, so that what must be cut
// off, and the steps after it, have some too.
func most(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)*3/4)
}

// stopGRPC lets the calls under way finish for most of the time, then cuts them
// off.
func stopGRPC(server *grpc.Server) Step {
	return Step{"gRPC", func(ctx context.Context) error {
		ctx, cancel := most(ctx)
		defer cancel()
		cut := context.AfterFunc(ctx, server.Stop)
		defer cut()
		server.GracefulStop()
		return nil
	}}
}

// stopHTTP does the same for an HTTP server.
func stopHTTP(name string, server *http.Server) Step {
	return Step{name, func(ctx context.Context) error {
		ctx, cancel := most(ctx)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			return server.Close()
		}
		return nil
	}}
}
