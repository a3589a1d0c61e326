// Package rpc serves obby.watcher.v1: it translates requests for package watch
// and its answers back. It decides nothing.
package rpc

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/file-watcher/internal/watch"
	"github.com/obby/go-services/internal/page"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/rpcerr"
	"github.com/obby/go-services/internal/service"
	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

// Page sizes of ListWatches.
const defaultPage, maxPage = 100, 1000

// Server is the FileWatcherService.
type Server struct {
	watcherv1.UnimplementedFileWatcherServiceServer

	watcher *watch.Watcher
	info    service.Info
	log     *slog.Logger
}

// New returns a server of what watcher does.
func New(watcher *watch.Watcher, info service.Info, log *slog.Logger) *Server {
	return &Server{watcher: watcher, info: info, log: log}
}

// StartWatching implements FileWatcherService.
func (s *Server) StartWatching(ctx context.Context, req *watcherv1.StartWatchingRequest) (*watcherv1.StartWatchingResponse, error) {
	start, err := startOf(req)
	if err != nil {
		return nil, s.fail(err)
	}
	status, created, err := s.watcher.Start(ctx, start)
	if err != nil {
		return nil, s.fail(err)
	}
	return &watcherv1.StartWatchingResponse{Watch: watchOf(status), Created: created}, nil
}

// StopWatching implements FileWatcherService.
func (s *Server) StopWatching(ctx context.Context, req *watcherv1.StopWatchingRequest) (*watcherv1.StopWatchingResponse, error) {
	if err := required("watch_id", req.GetWatchId()); err != nil {
		return nil, s.fail(err)
	}
	if err := s.watcher.Stop(ctx, req.GetWatchId()); err != nil {
		return nil, s.fail(err)
	}
	return &watcherv1.StopWatchingResponse{}, nil
}

// UpdatePatterns implements FileWatcherService.
func (s *Server) UpdatePatterns(ctx context.Context, req *watcherv1.UpdatePatternsRequest) (*watcherv1.UpdatePatternsResponse, error) {
	if err := required("watch_id", req.GetWatchId()); err != nil {
		return nil, s.fail(err)
	}
	status, err := s.watcher.SetPatterns(ctx, req.GetWatchId(), patternsOf(req.GetPatterns()))
	if err != nil {
		return nil, s.fail(err)
	}
	return &watcherv1.UpdatePatternsResponse{Watch: watchOf(status)}, nil
}

// ListWatches implements FileWatcherService.
func (s *Server) ListWatches(ctx context.Context, req *watcherv1.ListWatchesRequest) (*watcherv1.ListWatchesResponse, error) {
	size, err := page.Size(req.GetPageSize(), defaultPage, maxPage)
	if err != nil {
		return nil, s.fail(err)
	}
	var after []byte // a path: bytes, because JSON would spoil what is not UTF-8
	args := page.Args(req)
	if _, err := page.Parse(req.GetPageToken(), args, &after); err != nil {
		return nil, s.fail(err)
	}
	all, err := s.watcher.List(ctx)
	if err != nil {
		return nil, s.fail(err)
	}
	first, found := slices.BinarySearchFunc(all, string(after), func(w watch.Status, path string) int { return strings.Compare(w.Path, path) })
	if found {
		first++
	}
	resp := &watcherv1.ListWatchesResponse{}
	for _, status := range all[first:min(first+size, len(all))] {
		resp.Watches = append(resp.Watches, watchOf(status))
	}
	if last := first + size; last < len(all) {
		resp.NextPageToken, err = page.Token([]byte(all[last-1].Path), args)
	}
	return resp, s.fail(err)
}

// StreamEvents implements FileWatcherService. Flow control holds a slow client
// back here, in Send; nobody else waits for it.
func (s *Server) StreamEvents(req *watcherv1.StreamEventsRequest, stream grpc.ServerStreamingServer[watcherv1.StreamEventsResponse]) error {
	filter, err := filterOf(req)
	if err != nil {
		return s.fail(err)
	}
	ctx := stream.Context()
	events, err := s.subscribe(ctx, req, filter)
	if err != nil {
		return s.fail(err)
	}
	defer events.Close()
	for {
		item, err := events.Next(ctx)
		if err != nil {
			return s.fail(err)
		}
		if err := stream.Send(s.itemOf(item)); err != nil {
			return err
		}
	}
}

func (s *Server) subscribe(ctx context.Context, req *watcherv1.StreamEventsRequest, filter watch.Filter) (*watch.Subscription, error) {
	switch {
	case !req.GetSnapshot():
		return s.watcher.Subscribe(ctx, req.GetResumeToken(), filter)
	case req.GetResumeToken() != "":
		return nil, rpcerr.Field("resume_token", "cannot be given together with snapshot, which begins anew")
	}
	return s.watcher.SubscribeSnapshot(ctx, filter)
}

// GetServerInfo implements FileWatcherService.
func (s *Server) GetServerInfo(context.Context, *watcherv1.GetServerInfoRequest) (*watcherv1.GetServerInfoResponse, error) {
	return &watcherv1.GetServerInfoResponse{
		Version:     s.info.Version,
		ApiVersions: []string{"obby.watcher.v1"},
		Features:    []string{"directory-renames", "polling", "resume", "snapshot"},
		InstanceId:  s.info.InstanceID,
		StartTime:   timestamppb.New(s.info.StartTime),
	}, nil
}

// startOf converts a request to start a watch.
func startOf(req *watcherv1.StartWatchingRequest) (watch.Start, error) {
	start := watch.Start{
		Path:     rawpath.Join(req.GetPath(), req.GetRawPath()),
		Patterns: patternsOf(req.GetPatterns()),
	}
	var err error
	if start.Method, err = methodOf(req.GetMethod()); err != nil || req.GetDebounce() == nil {
		return start, err
	}
	debounce, err := debounceOf(req.GetDebounce())
	start.Debounce = &debounce
	return start, err
}
