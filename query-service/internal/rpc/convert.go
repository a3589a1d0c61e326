package rpc

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/rawpath"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

var storedTypes = map[queryv1.ChangeType]query.ChangeType{
	queryv1.ChangeType_CHANGE_TYPE_CREATED:  query.Created,
	queryv1.ChangeType_CHANGE_TYPE_MODIFIED: query.Modified,
	queryv1.ChangeType_CHANGE_TYPE_DELETED:  query.Deleted,
	queryv1.ChangeType_CHANGE_TYPE_MOVED:    query.Moved,
}

var changeTypes = map[query.ChangeType]queryv1.ChangeType{
	query.Created:  queryv1.ChangeType_CHANGE_TYPE_CREATED,
	query.Modified: queryv1.ChangeType_CHANGE_TYPE_MODIFIED,
	query.Deleted:  queryv1.ChangeType_CHANGE_TYPE_DELETED,
	query.Moved:    queryv1.ChangeType_CHANGE_TYPE_MOVED,
}

var contentKinds = map[query.Kind]queryv1.ContentKind{
	query.Text:    queryv1.ContentKind_CONTENT_KIND_TEXT,
	query.Lossy:   queryv1.ContentKind_CONTENT_KIND_LOSSY_TEXT,
	query.Binary:  queryv1.ContentKind_CONTENT_KIND_BINARY,
	query.Omitted: queryv1.ContentKind_CONTENT_KIND_OMITTED,
}

// all converts every item of a list.
func all[From, To any](items []From, convert func(From) To) []To {
	converted := make([]To, len(items))
	for i, item := range items {
		converted[i] = convert(item)
	}
	return converted
}

// timestamp leaves a zero time unset.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func diff(d query.Diff) *queryv1.Diff {
	path, rawPath := rawpath.Split(d.Path)
	oldPath, rawOldPath := rawpath.Split(d.OldPath)
	return &queryv1.Diff{
		ChangeId: d.ID, Path: path, RawPath: rawPath, OldPath: oldPath, RawOldPath: rawOldPath,
		ChangeType: changeTypes[d.Type], OldVersionId: d.OldVersion, NewVersionId: d.NewVersion,
		LinesAdded: d.Added, LinesRemoved: d.Removed, ObserveTime: timestamp(d.Observed),
		Diff: d.Text, Truncated: d.Truncated,
	}
}

func version(v query.Version) *queryv1.Version {
	path, rawPath := rawpath.Split(v.Path)
	return &queryv1.Version{
		VersionId: v.ID, Path: path, RawPath: rawPath, ContentHash: v.Hash, LineCount: v.Lines, SizeBytes: v.Bytes,
		Kind: contentKinds[v.Kind], ObserveTime: timestamp(v.Observed), ModifyTime: timestamp(v.ModTime),
		Description: v.Description, Current: v.Current, Label: v.Label, Pinned: v.Pinned,
	}
}

func topicFile(f query.TopicFile) *queryv1.TopicFile {
	path, rawPath := rawpath.Split(f.Path)
	return &queryv1.TopicFile{
		Path: path, RawPath: rawPath, EntryCount: f.Entries, LatestTime: timestamp(f.Latest), Summary: f.Summary,
	}
}

func counts(c query.Counts) *queryv1.ActivityCounts {
	return &queryv1.ActivityCounts{Changes: c.Changes, Files: c.Files, LinesAdded: c.Added, LinesRemoved: c.Removed}
}

// gap leaves out one that is between no two steps.
func gap(r query.Range) *queryv1.QuietGap {
	if r == (query.Range{}) {
		return nil
	}
	return &queryv1.QuietGap{StartTime: timestamppb.New(r.From), EndTime: timestamppb.New(r.To)}
}

// streak leaves out one of no day.
func streak(s query.Streak) *queryv1.Streak {
	if s.Days == 0 {
		return nil
	}
	return &queryv1.Streak{StartDate: s.First.Format(time.DateOnly), EndDate: s.Last.Format(time.DateOnly), Days: s.Days}
}

func bucket(b query.Bucket) *queryv1.TimeBucket {
	return &queryv1.TimeBucket{
		StartTime: timestamppb.New(b.From), EndTime: timestamppb.New(b.To), Counts: counts(b.Counts),
	}
}

func term(t query.TermCount) *queryv1.TermCount {
	return &queryv1.TermCount{Term: t.Term, Count: t.Count}
}

func typeCounts(n query.Named) *queryv1.ChangeTypeCounts {
	return &queryv1.ChangeTypeCounts{ChangeType: changeTypes[query.ChangeType(n.Name)], Counts: counts(n.Counts)}
}

func namedCounts(n query.Named) *queryv1.NamedCounts {
	name, rawName := rawpath.Split(n.Name)
	return &queryv1.NamedCounts{Name: name, RawName: rawName, Counts: counts(n.Counts)}
}
