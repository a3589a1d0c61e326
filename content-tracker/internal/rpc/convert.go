package rpc

import (
	"regexp"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/rpcerr"
	"github.com/obby/go-services/internal/textdiff"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

var (
	changeTypes = map[track.ChangeType]trackerv1.ChangeType{
		track.Created:  trackerv1.ChangeType_CHANGE_TYPE_CREATED,
		track.Modified: trackerv1.ChangeType_CHANGE_TYPE_MODIFIED,
		track.Deleted:  trackerv1.ChangeType_CHANGE_TYPE_DELETED,
		track.Moved:    trackerv1.ChangeType_CHANGE_TYPE_MOVED,
	}
	kinds = map[track.Kind]trackerv1.ContentKind{
		track.Text:    trackerv1.ContentKind_CONTENT_KIND_TEXT,
		track.Lossy:   trackerv1.ContentKind_CONTENT_KIND_LOSSY_TEXT,
		track.Binary:  trackerv1.ContentKind_CONTENT_KIND_BINARY,
		track.Omitted: trackerv1.ContentKind_CONTENT_KIND_OMITTED,
	}
	endings = map[track.LineEnding]trackerv1.LineEnding{
		track.LF:    trackerv1.LineEnding_LINE_ENDING_LF,
		track.CRLF:  trackerv1.LineEnding_LINE_ENDING_CRLF,
		track.CR:    trackerv1.LineEnding_LINE_ENDING_CR,
		track.Mixed: trackerv1.LineEnding_LINE_ENDING_MIXED,
	}
	uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

func requestOf(in *trackerv1.TrackChangeRequest) (track.Request, error) {
	r := track.Request{Path: rawpath.Join(in.Path, in.RawPath), RequestID: in.RequestId}
	if r.Path == "" {
		return r, rpcerr.Field("path", "is empty: give the absolute path of a file")
	}
	if in.RequestId != "" && !uuid.MatchString(in.RequestId) {
		return r, rpcerr.Field("request_id", "%q is not a UUID", in.RequestId)
	}
	if _, known := trackerv1.ChangeType_name[int32(in.ChangeType)]; !known {
		return r, rpcerr.Field("change_type", "%d is not a change type of this version", in.ChangeType)
	}
	if in.ChangeType == trackerv1.ChangeType_CHANGE_TYPE_MOVED {
		if r.OldPath = rawpath.Join(in.OldPath, in.RawOldPath); r.OldPath == "" {
			return r, rpcerr.Field("old_path", "is empty: a MOVED change has a former path")
		}
	}
	return r, nil
}

func responseOf(r track.Result) *trackerv1.TrackChangeResponse {
	out := &trackerv1.TrackChangeResponse{
		Outcome: trackerv1.TrackOutcome_TRACK_OUTCOME_UNCHANGED, Version: versionOf(r.Version), OldVersionId: r.OldVersion,
	}
	if r.Recorded {
		out.Outcome = trackerv1.TrackOutcome_TRACK_OUTCOME_RECORDED
		out.ChangeId, out.ChangeType, out.Diff = r.ChangeID, changeTypes[r.Type], diffOf(r.Diff)
	}
	return out
}

func versionOf(v *track.Version) *trackerv1.Version {
	if v == nil {
		return nil
	}
	return &trackerv1.Version{
		VersionId: v.ID, ContentHash: string(v.Hash), LineCount: v.LineCount, SizeBytes: v.Size,
		Kind: kinds[v.Kind], LineEnding: endings[v.EOL], ObserveTime: timeOf(v.Observed), ModifyTime: timeOf(v.Mtime),
	}
}

func timeOf(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// diffOf makes a diff fit for a proto string, which is UTF-8.
func diffOf(d textdiff.Diff) *trackerv1.UnifiedDiff {
	return &trackerv1.UnifiedDiff{
		Text: textdiff.Valid(d.Text), LinesAdded: d.Added, LinesRemoved: d.Removed, Truncated: d.Truncated,
	}
}
