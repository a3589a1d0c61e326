package rpc

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/internal/rpcerr"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// maxBatch bounds a TrackBatch.
const maxBatch = 10_000

// TrackBatch implements the RPC: a fixed number of goroutines takes items in turn;
// answers wait for the caller to read them, so a slow one slows its own batch.
func (s *Server) TrackBatch(in *trackerv1.TrackBatchRequest, out grpc.ServerStreamingServer[trackerv1.TrackBatchResponse]) error {
	if n := len(in.Items); n == 0 || n > maxBatch {
		return statuses.Status(s.log, rpcerr.Field("items", "has %d items: give 1 to %d", n, maxBatch))
	}
	stream, release := takeLong(s, out)
	defer release()
	ctx := stream.Context()
	indexes := make(chan int)
	answers := make(chan *trackerv1.TrackBatchResponse)
	var workers sync.WaitGroup
	for range min(s.tracker.Parallel(), len(in.Items)) {
		workers.Go(func() { // ends when indexes is closed
			for i := range indexes {
				select {
				case answers <- s.item(ctx, int32(i), in.Items[i]):
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() { // ends with the items or the call
		defer close(answers)
		defer workers.Wait()
		defer close(indexes)
		for i := range in.Items {
			select {
			case indexes <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	for answer := range answers {
		if err := stream.Send(answer); err != nil {
			return err // the call has ended, and with it ctx: the workers stop
		}
	}
	return s.status(ctx, ctx.Err())
}

func (s *Server) item(ctx context.Context, index int32, in *trackerv1.TrackChangeRequest) *trackerv1.TrackBatchResponse {
	result, err := s.trackChange(ctx, in)
	answer := &trackerv1.TrackBatchResponse{Index: index, Status: status.New(codes.OK, "").Proto(), Result: result}
	if err != nil {
		answer.Status = status.Convert(s.status(ctx, err)).Proto()
	}
	return answer
}
