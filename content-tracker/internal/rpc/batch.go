package rpc

import (
	"context"
	"os"
	"sync"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/rpcerr"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

const (
	// maxBatch bounds a TrackBatch.
	maxBatch = 10_000
	// maxUnsent bounds the bytes of the files of one batch that are being tracked
	// or whose answers, with their diffs, wait for the caller to read them.
	maxUnsent = 64 << 20
	// leastCost is what an item counts at least: a file that is gone has a diff too.
	leastCost = 16 << 10
)

// TrackBatch implements the RPC: a fixed number of goroutines takes items in turn;
// answers wait for the caller to read them, so a slow one slows its own batch.
func (s *Server) TrackBatch(in *trackerv1.TrackBatchRequest, out grpc.ServerStreamingServer[trackerv1.TrackBatchResponse]) error {
	if n := len(in.Items); n == 0 || n > maxBatch {
		return statuses.Status(s.log, rpcerr.Field("items", "has %d items: give 1 to %d", n, maxBatch))
	}
	stream, release := takeLong(s, out)
	defer release()
	ctx := stream.Context()
	for answer := range s.answers(ctx, in.Items) {
		if err := stream.Send(answer.response); err != nil {
			return err // the call has ended, and with it ctx: the workers stop
		}
		answer.sent()
	}
	return s.status(ctx, ctx.Err())
}

// answer is an item's response; sent makes room for others.
type answer struct {
	response *trackerv1.TrackBatchResponse
	sent     func()
}

// answers tracks the items, several at once, as long as there is room for what is
// not sent yet. The channel is closed after the last one, or when ctx has ended.
func (s *Server) answers(ctx context.Context, items []*trackerv1.TrackChangeRequest) <-chan answer {
	type task struct {
		index int
		cost  int64
	}
	tasks := make(chan task)
	out := make(chan answer)
	room := semaphore.NewWeighted(maxUnsent)
	var workers sync.WaitGroup
	for range min(s.tracker.Parallel(), len(items)) {
		workers.Go(func() { // ends when tasks is closed
			for t := range tasks {
				select {
				case out <- answer{s.item(ctx, int32(t.index), items[t.index]), func() { room.Release(t.cost) }}:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() { // ends with the items or ctx
		defer close(out)
		defer workers.Wait()
		defer close(tasks)
		for i, item := range items {
			t := task{i, costOf(item)}
			if room.Acquire(ctx, t.cost) != nil {
				return
			}
			select {
			case tasks <- t:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// costOf returns about what a file and its diff hold in memory.
func costOf(in *trackerv1.TrackChangeRequest) int64 {
	info, err := os.Lstat(rawpath.Join(in.GetPath(), in.GetRawPath()))
	if err != nil {
		return leastCost
	}
	return min(max(2*info.Size(), leastCost), maxUnsent)
}

func (s *Server) item(ctx context.Context, index int32, in *trackerv1.TrackChangeRequest) *trackerv1.TrackBatchResponse {
	result, err := s.trackChange(ctx, in)
	answer := &trackerv1.TrackBatchResponse{Index: index, Status: status.New(codes.OK, "").Proto(), Result: result}
	if err != nil {
		answer.Status = status.Convert(s.status(ctx, err)).Proto()
	}
	return answer
}
