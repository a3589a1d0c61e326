package rpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/rpcerr"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

var outcomes = map[track.Outcome]trackerv1.RestoreOutcome{
	track.Written: trackerv1.RestoreOutcome_RESTORE_OUTCOME_WRITTEN,
	track.Same:    trackerv1.RestoreOutcome_RESTORE_OUTCOME_UNCHANGED,
	track.Removed: trackerv1.RestoreOutcome_RESTORE_OUTCOME_REMOVED,
}

// Restore implements the RPC.
func (s *Server) Restore(in *trackerv1.RestoreRequest, out grpc.ServerStreamingServer[trackerv1.RestoreResponse]) error {
	r, err := restorationOf(in)
	if err != nil {
		return statuses.Status(s.log, err)
	}
	stream, release := takeLong(s, out)
	defer release()
	var sendErr error
	err = s.tracker.Restore(stream.Context(), r, func(one track.Restored) {
		if sendErr == nil {
			sendErr = stream.Send(s.restored(stream.Context(), one))
		}
	})
	if err != nil {
		return s.status(stream.Context(), err)
	}
	return sendErr
}

func restorationOf(in *trackerv1.RestoreRequest) (track.Restoration, error) {
	r := track.Restoration{
		Version: in.VersionId, Path: rawpath.Join(in.Path, in.RawPath), Destination: rawpath.Join(in.Destination, in.RawDestination),
		RemoveOthers: in.RemoveOthers, DryRun: in.DryRun,
	}
	switch {
	case in.VersionId < 0:
		return r, rpcerr.Field("version_id", "%d is not the id of a version", in.VersionId)
	case in.VersionId != 0 && (r.Path != "" || in.AsOfTime != nil):
		return r, rpcerr.Field("version_id", "is set beside path or as_of_time: give one or the other")
	case in.VersionId == 0 && r.Path == "":
		return r, rpcerr.Field("path", "is empty: give version_id, or path and as_of_time")
	case in.VersionId == 0 && in.AsOfTime == nil:
		return r, rpcerr.Field("as_of_time", "is not set: say as of when the path is to be restored")
	case r.RemoveOthers && (in.VersionId != 0 || r.Destination != ""):
		return r, rpcerr.Field("remove_others", "is set for what is no folder in place")
	}
	if in.AsOfTime != nil {
		if err := in.AsOfTime.CheckValid(); err != nil {
			return r, rpcerr.Field("as_of_time", "%v", err)
		}
		r.At = in.AsOfTime.AsTime()
	}
	return r, nil
}

func (s *Server) restored(ctx context.Context, one track.Restored) *trackerv1.RestoreResponse {
	path, raw := rawpath.Split(one.Path)
	out := &trackerv1.RestoreResponse{
		Path: path, RawPath: raw, Outcome: outcomes[one.Outcome], Status: status.New(codes.OK, "").Proto(),
		VersionId: one.Version, ChangeId: one.Change,
	}
	if one.Err != nil {
		out.Status = status.Convert(s.status(ctx, one.Err)).Proto()
	}
	return out
}
