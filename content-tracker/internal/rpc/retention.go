package rpc

import (
	"context"
	"unicode/utf8"

	"google.golang.org/grpc"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/rpcerr"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

const (
	// maxLabel bounds a label, in characters.
	maxLabel = 200
	// maxNamed bounds the paths that a ForgetResponse names.
	maxNamed = 100
)

// SetVersionLabel implements the RPC.
func (s *Server) SetVersionLabel(ctx context.Context, in *trackerv1.SetVersionLabelRequest) (*trackerv1.SetVersionLabelResponse, error) {
	if n := utf8.RuneCountInString(in.Label); n > maxLabel {
		return nil, statuses.Status(s.log, rpcerr.Field("label", "has %d characters: give at most %d", n, maxLabel))
	}
	if err := s.tracker.SetLabel(ctx, in.VersionId, in.Label, in.Pinned); err != nil {
		return nil, statuses.Status(s.log, err)
	}
	return &trackerv1.SetVersionLabelResponse{}, nil
}

// ApplyRetention implements the RPC.
func (s *Server) ApplyRetention(in *trackerv1.ApplyRetentionRequest, out grpc.ServerStreamingServer[trackerv1.ApplyRetentionResponse]) error {
	policy, err := s.policyOf(in)
	if err != nil {
		return statuses.Status(s.log, err)
	}
	stream, release := takeLong(s, out)
	defer release()
	var sendErr error
	total, err := s.tracker.Retain(stream.Context(), policy, in.DryRun, func(lost track.Thinned) {
		if sendErr == nil {
			sendErr = stream.Send(thinnedOf(lost))
		}
	})
	if err != nil {
		return s.status(stream.Context(), err)
	}
	if sendErr != nil {
		return sendErr
	}
	return stream.Send(thinnedOf(total))
}

func (s *Server) policyOf(in *trackerv1.ApplyRetentionRequest) (track.Policy, error) {
	if in.MaxBytes < 0 {
		return track.Policy{}, rpcerr.Field("max_bytes", "%d is negative", in.MaxBytes)
	}
	policy := track.Policy{MaxBytes: in.MaxBytes}
	for _, r := range in.Rules {
		rule := track.Rule{
			Pattern: r.GetPattern(), Last: int(r.GetLast()), Hourly: int(r.GetHourly()), Daily: int(r.GetDaily()),
			Weekly: int(r.GetWeekly()), Monthly: int(r.GetMonthly()),
		}
		if err := rule.Check(); err != nil {
			return policy, rpcerr.Field("rules", "%v", err)
		}
		policy.Rules = append(policy.Rules, rule)
	}
	if policy.Empty() {
		policy = s.tracker.Policy()
	}
	if policy.Empty() {
		return policy, track.ErrNoPolicy
	}
	return policy, nil
}

func thinnedOf(t track.Thinned) *trackerv1.ApplyRetentionResponse {
	path, raw := rawpath.Split(t.Path)
	return &trackerv1.ApplyRetentionResponse{
		Path: path, RawPath: raw, StepsRemoved: t.Steps, VersionsRemoved: t.Versions, BytesRemoved: t.Bytes,
	}
}

// Forget implements the RPC.
func (s *Server) Forget(ctx context.Context, in *trackerv1.ForgetRequest) (*trackerv1.ForgetResponse, error) {
	path := rawpath.Join(in.Path, in.RawPath)
	if path == "" {
		return nil, statuses.Status(s.log, rpcerr.Field("path", "is empty: give the absolute path to forget"))
	}
	gone, err := s.tracker.Forget(ctx, track.Scope{Path: path, Recursive: in.Recursive}, in.DryRun, in.Vacuum)
	if err != nil {
		return nil, statuses.Status(s.log, err)
	}
	return &trackerv1.ForgetResponse{
		Paths: int64(len(gone.Paths)), Versions: gone.Versions, Steps: gone.Steps,
		LinkedPaths: shown(gone.Linked), ExistingPaths: shown(gone.Existing),
	}, nil
}

// shown returns the first of some paths as they are displayed.
func shown(paths []string) []string {
	var out []string
	for _, path := range paths[:min(len(paths), maxNamed)] {
		text, _ := rawpath.Split(path)
		out = append(out, text)
	}
	return out
}
