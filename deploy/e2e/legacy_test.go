package e2e

import (
	"database/sql"
	"errors"
	"io"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/sqlitetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

// epoch is before every readable row of the fixture.
var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// A file that the Python backend made is adopted as it is, and every question is
// answered from its rows.
func TestAdoptedDatabase(t *testing.T) {
	path := sqlitetest.Legacy(t)
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables := []string{
		"file_versions", "content_diffs", "file_changes", "events", "file_states", "semantic_entries", "semantic_topics",
		"semantic_keywords", "semantic_analysis", "migration_log",
	}
	before := sqlitetest.Dump(t, db, tables...)
	w := startWorld(t, path)
	if after := sqlitetest.Dump(t, db, tables...); after != before {
		t.Errorf("adopting changed the file\nbefore:\n%s\nafter:\n%s", before, after)
	}
	const folder = "/home/ann/notes"
	ctx := t.Context()

	recent, err := w.query.GetRecentDiffs(ctx, &queryv1.GetRecentDiffsRequest{Filter: &queryv1.DiffFilter{PathPrefix: folder}})
	if err != nil || len(recent.Diffs) == 0 {
		t.Errorf("recent diffs: %v, %v", recent, err)
	}
	stream, err := w.query.GetDiffsSince(ctx, &queryv1.GetDiffsSinceRequest{Since: &queryv1.GetDiffsSinceRequest_SinceTime{SinceTime: timestamppb.New(epoch)}})
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		steps++
	}
	if steps < len(recent.GetDiffs()) {
		t.Errorf("diffs since the beginning: %d, fewer than the recent %d", steps, len(recent.Diffs))
	}
	versions, err := w.query.GetFileVersions(ctx, &queryv1.GetFileVersionsRequest{Path: sqlitetest.NotePath})
	if err != nil || len(versions.Versions) != 2 {
		t.Errorf("versions: %v, %v", versions, err)
	}
	content, err := w.query.GetVersionContent(ctx, &queryv1.GetVersionContentRequest{VersionId: sqlitetest.NoteSecond})
	if err != nil || string(content.Content) != sqlitetest.NoteSecondText {
		t.Errorf("content: %v, %v", content, err)
	}
	topic, err := w.query.GetTopicFiles(ctx, &queryv1.GetTopicFilesRequest{Topic: "go"})
	if err != nil || len(topic.Files) == 0 {
		t.Errorf("files of topic go: %v, %v", topic, err)
	}
	analysis, err := w.query.GetTimeAnalysis(ctx, &queryv1.GetTimeAnalysisRequest{
		StartTime: timestamppb.New(epoch), EndTime: timestamppb.New(epoch.AddDate(1, 0, 0)), TimeZone: "Europe/Berlin",
		BucketSize: queryv1.BucketSize_BUCKET_SIZE_WEEK,
	})
	if err != nil || analysis.Total.Changes == 0 || len(analysis.Topics) == 0 {
		t.Errorf("time analysis: %v, %v", analysis, err)
	}
	stats, err := w.query.GetActivityStats(ctx, &queryv1.GetActivityStatsRequest{PathPrefix: folder})
	if err != nil || stats.Total.Changes == 0 || len(stats.ByFile) == 0 {
		t.Errorf("activity: %v, %v", stats, err)
	}
	eventually(t, "the old texts are indexed and found", func() bool {
		found, err := w.query.SearchContent(ctx, &queryv1.SearchContentRequest{Query: "milk"})
		return err == nil && len(found.Results) == 1 && found.Results[0].Path == sqlitetest.NotePath
	})
}
