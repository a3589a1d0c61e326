// Package rpc is the gRPC face of the tracker: it converts, calls the domain and
// converts back. Which status an error gets stands in errors.go.
package rpc

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/rpcerr"
	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/internal/textdiff"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// maxContext bounds context_lines of GenerateDiff.
const maxContext = 1000

// maxDiff bounds the answer of GenerateDiff.
const maxDiff = 12 << 20

// maxGiven bounds the content in a GetContentHash request.
const maxGiven = 15 << 20

// Server implements obby.tracker.v1.ContentTrackerService.
type Server struct {
	trackerv1.UnimplementedContentTrackerServiceServer
	tracker  *track.Tracker
	info     service.Info
	features []string
	log      *slog.Logger
	stopping context.Context // ends with Stop
	stop     func()
}

// New returns the server of a tracker. features are the optional abilities that
// GetServerInfo names.
func New(tracker *track.Tracker, info service.Info, features []string, log *slog.Logger) *Server {
	s := &Server{tracker: tracker, info: info, features: features, log: log}
	s.stopping, s.stop = context.WithCancel(context.Background())
	return s
}

// Register registers the service.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	trackerv1.RegisterContentTrackerServiceServer(r, s)
}

// TrackChange implements the RPC.
func (s *Server) TrackChange(ctx context.Context, in *trackerv1.TrackChangeRequest) (*trackerv1.TrackChangeResponse, error) {
	out, err := s.trackChange(ctx, in)
	return out, statuses.Status(s.log, err)
}

func (s *Server) trackChange(ctx context.Context, in *trackerv1.TrackChangeRequest) (*trackerv1.TrackChangeResponse, error) {
	request, err := requestOf(in)
	if err != nil {
		return nil, err
	}
	result, err := s.tracker.Track(ctx, request)
	if err != nil {
		return nil, err
	}
	return responseOf(result), nil
}

// GetContentHash implements the RPC.
func (s *Server) GetContentHash(ctx context.Context, in *trackerv1.GetContentHashRequest) (*trackerv1.GetContentHashResponse, error) {
	content, err := s.contentToHash(ctx, in)
	if err != nil {
		return nil, statuses.Status(s.log, err)
	}
	return &trackerv1.GetContentHashResponse{
		ContentHash: string(content.Hash), LineCount: content.LineCount, SizeBytes: content.Size,
		Kind: kinds[content.Kind], LineEnding: endings[content.EOL],
	}, nil
}

func (s *Server) contentToHash(ctx context.Context, in *trackerv1.GetContentHashRequest) (track.Content, error) {
	switch source := in.Source.(type) {
	case *trackerv1.GetContentHashRequest_Path:
		return s.tracker.Inspect(ctx, source.Path)
	case *trackerv1.GetContentHashRequest_RawPath:
		return s.tracker.Inspect(ctx, string(source.RawPath))
	case *trackerv1.GetContentHashRequest_Content:
		if len(source.Content) > maxGiven {
			return track.Content{}, rpcerr.Field("content", "has %d bytes, more than 15 MiB: give the path of a file", len(source.Content))
		}
		return track.Given(source.Content), nil
	}
	return track.Content{}, rpcerr.Field("source", "is not set: give path, raw_path or content")
}

// GenerateDiff implements the RPC.
func (s *Server) GenerateDiff(ctx context.Context, in *trackerv1.GenerateDiffRequest) (*trackerv1.GenerateDiffResponse, error) {
	diff, err := s.generateDiff(ctx, in)
	if err != nil {
		return nil, statuses.Status(s.log, err)
	}
	return &trackerv1.GenerateDiffResponse{Diff: diffOf(diff)}, nil
}

func (s *Server) generateDiff(ctx context.Context, in *trackerv1.GenerateDiffRequest) (textdiff.Diff, error) {
	lines := textdiff.ContextLines
	if in.ContextLines != nil {
		lines = int(*in.ContextLines)
	}
	if lines < 0 || lines > maxContext {
		return textdiff.Diff{}, rpcerr.Field("context_lines", "%d is out of range: give 0 to %d", lines, maxContext)
	}
	from, err := s.side(ctx, "old", in.Old)
	if err != nil {
		return textdiff.Diff{}, err
	}
	to, err := s.side(ctx, "new", in.New)
	if err != nil {
		return textdiff.Diff{}, err
	}
	name := in.Path
	if name == "" {
		name = "file"
	}
	diff := track.Between(textdiff.Names{Old: name, New: name}, from, to, lines, maxDiff)
	if diff.Truncated {
		return textdiff.Diff{}, track.ErrDiffTooLarge
	}
	return diff, nil
}

func (s *Server) side(ctx context.Context, field string, side *trackerv1.DiffSide) (track.Content, error) {
	switch source := side.GetSource().(type) {
	case *trackerv1.DiffSide_Content:
		return track.Given(source.Content), nil
	case *trackerv1.DiffSide_VersionId:
		return s.tracker.Stored(ctx, source.VersionId)
	}
	return track.Content{}, rpcerr.Field(field, "has no source: give content or version_id")
}

// Reconcile implements the RPC.
func (s *Server) Reconcile(in *trackerv1.ReconcileRequest, out grpc.ServerStreamingServer[trackerv1.ReconcileResponse]) error {
	stream, release := takeLong(s, out)
	defer release()
	roots := s.tracker.Roots()
	if root := rawpath.Join(in.Path, in.RawPath); root != "" {
		roots = []string{root}
	}
	for _, root := range roots {
		if err := s.reconcile(root, in.AcceptReplacedRoot, stream); err != nil {
			return s.status(stream.Context(), err)
		}
	}
	return nil
}

// reconcile sends progress at most ten times a second, and its last report.
func (s *Server) reconcile(root string, accept bool, stream grpc.ServerStreamingServer[trackerv1.ReconcileResponse]) error {
	var sent time.Time
	var sendErr error
	err := s.tracker.Reconcile(stream.Context(), root, accept, func(p track.Progress) {
		if sendErr == nil && (p.Done || time.Since(sent) > 100*time.Millisecond) {
			sent, sendErr = time.Now(), stream.Send(progressOf(p))
		}
	})
	if err != nil {
		return err
	}
	return sendErr
}

func progressOf(p track.Progress) *trackerv1.ReconcileResponse {
	path, raw := rawpath.Split(p.Root)
	r := &trackerv1.ReconcileResponse{
		Path: path, RawPath: raw, FilesSeen: p.Seen, FilesTotal: p.Total, ChangesRecorded: p.Changes, Errors: p.Errors, Done: p.Done,
	}
	if p.Remaining > 0 {
		r.Remaining = durationpb.New(p.Remaining)
	}
	return r
}

// GetServerInfo implements the RPC.
func (s *Server) GetServerInfo(context.Context, *trackerv1.GetServerInfoRequest) (*trackerv1.GetServerInfoResponse, error) {
	return &trackerv1.GetServerInfoResponse{
		Version: s.info.Version, ApiVersions: []string{"obby.tracker.v1"}, Features: s.features,
		InstanceId: s.info.InstanceID, StartTime: timestamppb.New(s.info.StartTime),
	}, nil
}
