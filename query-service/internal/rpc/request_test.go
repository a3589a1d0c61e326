package rpc

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/sqlitetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

func TestInvalidRequests(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	exec(t, db, "INSERT INTO content_diffs (file_path, change_type, timestamp) VALUES ('/a', 'created', 1), ('/b', 'created', 1)")
	page, err := client.GetRecentDiffs(t.Context(), &queryv1.GetRecentDiffsRequest{PageSize: 1})
	if err != nil || page.NextPageToken == "" {
		t.Fatalf("first page: %v, %v", page, err)
	}
	day := time.Date(2024, 3, 5, 0, 0, 0, 0, time.UTC)
	from, to := timestamppb.New(day.Add(1)), timestamppb.New(day)
	reversed := &queryv1.DiffFilter{StartTime: from, EndTime: to}
	broken := &timestamppb.Timestamp{Nanos: -1}
	resume := func(token string) *queryv1.GetDiffsSinceRequest {
		return &queryv1.GetDiffsSinceRequest{Since: &queryv1.GetDiffsSinceRequest_ResumeToken{ResumeToken: token}}
	}
	for _, tc := range []struct {
		name, field string
		req         proto.Message
	}{
		{"case 43: reversed filter", "filter.start_time", &queryv1.GetRecentDiffsRequest{Filter: reversed}},
		{"case 43: reversed filter of a stream", "filter.start_time", &queryv1.GetDiffsSinceRequest{Filter: reversed}},
		{"case 43: reversed analysis", "start_time", &queryv1.GetTimeAnalysisRequest{StartTime: from, EndTime: to}},
		{"case 43: reversed statistics", "start_time", &queryv1.GetActivityStatsRequest{StartTime: from, EndTime: to}},
		{"case 43: a start after now", "start_time", &queryv1.GetActivityStatsRequest{StartTime: timestamppb.New(day.AddDate(1, 0, 0))}},
		{"a time out of range", "filter.end_time", &queryv1.GetRecentDiffsRequest{Filter: &queryv1.DiffFilter{EndTime: broken}}},
		{"another time out of range", "end_time", &queryv1.GetTimeAnalysisRequest{EndTime: broken}},
		{"case 48: unknown zone", "time_zone", &queryv1.GetTimeAnalysisRequest{TimeZone: "Mars/Olympus"}},
		{"too many buckets", "bucket_size", &queryv1.GetTimeAnalysisRequest{StartTime: timestamppb.New(time.Unix(0, 0)), BucketSize: queryv1.BucketSize_BUCKET_SIZE_HOUR}},
		{"unknown bucket size", "bucket_size", &queryv1.GetTimeAnalysisRequest{BucketSize: 77}},
		{"case 49: negative page", "page_size", &queryv1.GetRecentDiffsRequest{PageSize: -1}},
		{"case 49: negative page of versions", "page_size", &queryv1.GetFileVersionsRequest{Path: "/a", PageSize: -1}},
		{"case 49: negative page of results", "page_size", &queryv1.SearchContentRequest{PageSize: -1}},
		{"case 49: negative page of topics", "page_size", &queryv1.GetTopicFilesRequest{Topic: "go", PageSize: -1}},
		{"case 49: negative list", "list_size", &queryv1.GetActivityStatsRequest{ListSize: -1}},
		{"unspecified type", "filter.change_types", &queryv1.GetRecentDiffsRequest{Filter: &queryv1.DiffFilter{ChangeTypes: []queryv1.ChangeType{0}}}},
		{"unknown view", "view", &queryv1.GetRecentDiffsRequest{View: 77}},
		{"no path", "path", &queryv1.GetFileVersionsRequest{}},
		{"relative path", "path", &queryv1.GetFileVersionsRequest{Path: "a.md"}},
		{"relative prefix", "path_prefix", &queryv1.SearchContentRequest{PathPrefix: "notes"}},
		{"no version", "version_id", &queryv1.GetVersionContentRequest{}},
		{"no topic", "topic", &queryv1.GetTopicFilesRequest{}},
		{"long query", "query", &queryv1.SearchContentRequest{Query: strings.Repeat("x", 1001)}},
		{"token that is none", "page_token", &queryv1.GetRecentDiffsRequest{PageToken: "!!"}},
		{"token of other arguments", "page_token", &queryv1.GetRecentDiffsRequest{PageToken: page.NextPageToken, View: queryv1.DiffView_DIFF_VIEW_BASIC}},
		{"token of another method", "page_token", &queryv1.SearchContentRequest{PageToken: page.NextPageToken}},
		{"nowhere to begin", "since", &queryv1.GetDiffsSinceRequest{}},
		{"resume token that is none", "resume_token", resume("!!")},
		{"resume token that is empty", "resume_token", resume("")},
		{"resume token of another method", "resume_token", resume(page.NextPageToken)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := call(t, client, tc.req)
			st := status.Convert(err)
			bad, ok := detail[*errdetails.BadRequest](st)
			if st.Code() != codes.InvalidArgument || !ok || bad.FieldViolations[0].Field != tc.field || bad.FieldViolations[0].Description == "" {
				t.Errorf("got %v %v, want INVALID_ARGUMENT for %s", err, st.Details(), tc.field)
			}
			if info, ok := detail[*errdetails.ErrorInfo](st); !ok || info.Domain != "obby.dev" {
				t.Errorf("ErrorInfo is %v", info)
			}
		})
	}
}

func TestNotFound(t *testing.T) {
	_, client := serve(t, sqlitetest.Legacy(t))
	for _, tc := range []struct {
		reason string
		code   codes.Code
		req    proto.Message
	}{
		{"PATH_NOT_FOUND", codes.NotFound, &queryv1.GetFileVersionsRequest{Path: "/never"}},
		{"VERSION_NOT_FOUND", codes.NotFound, &queryv1.GetVersionContentRequest{VersionId: 1000}},
		{"NO_SEARCH_INDEX", codes.FailedPrecondition, &queryv1.SearchContentRequest{Query: "milk"}},
	} {
		_, err := call(t, client, tc.req)
		info, _ := detail[*errdetails.ErrorInfo](status.Convert(err))
		if status.Code(err) != tc.code || info.GetReason() != tc.reason {
			t.Errorf("%T gave %v, %v, want %v %s", tc.req, err, info, tc.code, tc.reason)
		}
	}
}

// A bound at the least time that a Timestamp can bear is a bound, not an open one.
func TestEarliestBound(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	step(t, db, "/a", "", sqlitetest.TimeSeconds)
	least := timestamppb.New(time.Time{})
	if r, err := client.GetRecentDiffs(t.Context(), &queryv1.GetRecentDiffsRequest{Filter: &queryv1.DiffFilter{EndTime: least}}); err != nil || len(r.Diffs) != 0 {
		t.Errorf("before the year 1 are the steps %v, %v", r, err)
	}
	if r, err := client.GetActivityStats(t.Context(), &queryv1.GetActivityStatsRequest{EndTime: least}); err != nil || r.Total.Changes != 0 {
		t.Errorf("before the year 1 the activity is %v, %v", r, err)
	}
	if r, err := client.ListFiles(t.Context(), &queryv1.ListFilesRequest{Path: "/", AsOfTime: least}); err != nil || len(r.Files) != 0 {
		t.Errorf("in the year 1 are the files %v, %v", r, err)
	}
	if r, err := client.GetTimeAnalysis(t.Context(), &queryv1.GetTimeAnalysisRequest{EndTime: least}); err != nil || r.StartTime.CheckValid() != nil {
		t.Errorf("the days before the year 1 are %v, %v", r, err)
	}
	if r, err := client.GetRecentDiffs(t.Context(), &queryv1.GetRecentDiffsRequest{Filter: &queryv1.DiffFilter{StartTime: least}}); err != nil || len(r.Diffs) != 1 {
		t.Errorf("since the year 1 are the steps %v, %v", r, err)
	}
}

func TestChangeTypesAreASet(t *testing.T) {
	types := make([]queryv1.ChangeType, 1000)
	for i := range types {
		types[i] = queryv1.ChangeType_CHANGE_TYPE_CREATED + queryv1.ChangeType(i%2)
	}
	filter, err := readFilter(&queryv1.DiffFilter{ChangeTypes: types})
	if diff := cmp.Diff([]query.ChangeType{query.Created, query.Modified}, filter.Types); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
