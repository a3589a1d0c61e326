package web

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statusv1 "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/sqlitetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

// call is a REST call and the same over gRPC.
type call struct {
	method, path string
	ask          func(t *testing.T, s *site) (proto.Message, error)
}

var noon = timestamppb.New(time.Date(2024, 3, 5, 12, 0, 0, 0, time.UTC))

// calls has each method that has a path, in the forms that a person writes.
var calls = []call{
	{"GetRecentDiffs", "/api/v1/diffs?page_size=3", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.GetRecentDiffs(t.Context(), &queryv1.GetRecentDiffsRequest{PageSize: 3})
	}},
	{"GetRecentDiffs", "/api/v1/diffs?view=DIFF_VIEW_BASIC&pageSize=5&filter.change_types=CHANGE_TYPE_CREATED&filter.change_types=3" +
		"&filter.pathPrefix=/home/ann/notes&filter.end_time=2024-03-05T13:00:00%2B01:00", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.GetRecentDiffs(t.Context(), &queryv1.GetRecentDiffsRequest{
			View: queryv1.DiffView_DIFF_VIEW_BASIC, PageSize: 5, Filter: &queryv1.DiffFilter{
				PathPrefix: "/home/ann/notes", EndTime: noon,
				ChangeTypes: []queryv1.ChangeType{queryv1.ChangeType_CHANGE_TYPE_CREATED, queryv1.ChangeType_CHANGE_TYPE_DELETED},
			},
		})
	}},
	{"GetFileVersions", "/api/v1/versions?path=" + url.QueryEscape(sqlitetest.PlanPath), func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.GetFileVersions(t.Context(), &queryv1.GetFileVersionsRequest{Path: sqlitetest.PlanPath})
	}},
	{"GetVersionContent", "/api/v1/versions/3", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.GetVersionContent(t.Context(), &queryv1.GetVersionContentRequest{VersionId: sqlitetest.PlanVersion})
	}},
	{"GetDiff", "/api/v1/diff?old.version_id=1&new.versionId=2&context_lines=0", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.GetDiff(t.Context(), &queryv1.GetDiffRequest{
			Old: &queryv1.DiffSide{Content: &queryv1.DiffSide_VersionId{VersionId: 1}},
			New: &queryv1.DiffSide{Content: &queryv1.DiffSide_VersionId{VersionId: 2}}, ContextLines: proto.Int32(0),
		})
	}},
	{"ListFiles", "/api/v1/files?path=/home/ann/notes&as_of_time=2024-03-05T12:00:00Z", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.ListFiles(t.Context(), &queryv1.ListFilesRequest{Path: "/home/ann/notes", AsOfTime: noon})
	}},
	{"ListLabels", "/api/v1/labels", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.ListLabels(t.Context(), &queryv1.ListLabelsRequest{})
	}},
	{"SearchContent", "/api/v1/search?query=caf%C3%A9+go&extensions=.md&extensions=txt", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.SearchContent(t.Context(), &queryv1.SearchContentRequest{Query: "café go", Extensions: []string{".md", "txt"}})
	}},
	{"SearchHistory", "/api/v1/search/history?text=milk&ignore_case=true", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.SearchHistory(t.Context(), &queryv1.SearchHistoryRequest{Text: "milk", IgnoreCase: true})
	}},
	{"GetTopicFiles", "/api/v1/topics/go/files", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.GetTopicFiles(t.Context(), &queryv1.GetTopicFilesRequest{Topic: "go"})
	}},
	{"GetTimeAnalysis", "/api/v1/time-analysis?start_time=2024-03-05T00:00:00Z&end_time=2024-03-06T00:00:00.5Z&time_zone=Europe/Berlin&bucket_size=BUCKET_SIZE_HOUR",
		func(t *testing.T, s *site) (proto.Message, error) {
			return s.grpc.GetTimeAnalysis(t.Context(), &queryv1.GetTimeAnalysisRequest{
				StartTime: timestamppb.New(noon.AsTime().Add(-12 * time.Hour)), EndTime: timestamppb.New(noon.AsTime().Add(12*time.Hour + 500*time.Millisecond)),
				TimeZone: "Europe/Berlin", BucketSize: queryv1.BucketSize_BUCKET_SIZE_HOUR,
			})
		}},
	{"GetActivityStats", "/api/v1/activity?list_size=2&end_time=2024-03-06T00:00:00Z", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.GetActivityStats(t.Context(), &queryv1.GetActivityStatsRequest{ListSize: 2, EndTime: timestamppb.New(noon.AsTime().Add(12 * time.Hour))})
	}},
	{"GetServerInfo", "/api/v1/server-info", func(t *testing.T, s *site) (proto.Message, error) {
		return s.grpc.GetServerInfo(t.Context(), &queryv1.GetServerInfoRequest{})
	}},
}

// Every path of the contract gives what gRPC gives, an error too.
func TestEveryPath(t *testing.T) {
	t.Run("not adopted", func(t *testing.T) { compareAll(t, serve(t, legacy(t))) })
	t.Run("adopted", func(t *testing.T) {
		path := legacy(t)
		db := sqlitetest.Adopted(t, path)
		exec(t, db, `INSERT INTO obby_search (rowid, file_path, content) SELECT v.id, v.file_path, v.content
			FROM file_versions v JOIN file_states s ON s.file_path = v.file_path AND s.content_hash = v.content_hash`)
		compareAll(t, serve(t, path))
	})
	have := map[string]bool{}
	for _, c := range calls {
		have[c.method] = true
	}
	methods := queryv1.File_obby_query_v1_query_proto.Services().Get(0).Methods()
	for i := range methods.Len() {
		if m := methods.Get(i); proto.HasExtension(m.Options(), annotations.E_Http) && !have[string(m.Name())] {
			t.Errorf("no call of %s is tested", m.Name())
		}
	}
}

func compareAll(t *testing.T, s *site) {
	for _, c := range calls {
		t.Run(c.path, func(t *testing.T) {
			want, err := c.ask(t, s)
			resp, body := s.get(t, c.path)
			if err != nil {
				wantSame(t, resp, body, err)
				return
			}
			got := want.ProtoReflect().New().Interface()
			if err := protojson.Unmarshal([]byte(body), got); err != nil || resp.StatusCode != 200 {
				t.Fatalf("%s, %v: %s", resp.Status, err, body)
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("gRPC (-) and HTTP (+) differ:\n%s", diff)
			}
		})
	}
}

// wantSame checks that an error is the status that gRPC gave.
func wantSame(t *testing.T, resp *http.Response, body string, err error) {
	t.Helper()
	var got statusv1.Status
	if jsonErr := protojson.Unmarshal([]byte(body), &got); jsonErr != nil {
		t.Fatalf("%s: %v: %s", resp.Status, jsonErr, body)
	}
	if diff := cmp.Diff(status.Convert(err).Proto(), &got, protocmp.Transform()); diff != "" || resp.StatusCode < 400 {
		t.Errorf("%s; gRPC (-) and HTTP (+) differ:\n%s", resp.Status, diff)
	}
}

// wantStatus checks an error's codes and the reason of its ErrorInfo, and returns its
// further details.
func wantStatus(t *testing.T, resp *http.Response, body string, httpCode int, code int32, reason string) (blamed *errdetails.BadRequest) {
	t.Helper()
	var got statusv1.Status
	if err := protojson.Unmarshal([]byte(body), &got); err != nil || resp.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s %s is no status: %v: %s", resp.Status, resp.Header.Get("Content-Type"), err, body)
	}
	info := &errdetails.ErrorInfo{}
	for _, detail := range got.Details {
		switch one, _ := detail.UnmarshalNew(); one := one.(type) {
		case *errdetails.ErrorInfo:
			info = one
		case *errdetails.BadRequest:
			blamed = one
		}
	}
	if resp.StatusCode != httpCode || got.Code != code || info.Reason != reason || info.Domain != "obby.dev" {
		t.Errorf("%s %s, want %d, code %d and reason %s", resp.Status, body, httpCode, code, reason)
	}
	return blamed
}

func TestErrors(t *testing.T) {
	s := serve(t, legacy(t))
	for path, want := range map[string]struct {
		http   int
		code   int32
		reason string
	}{
		"/api/v1/versions/999":                {404, 5, "VERSION_NOT_FOUND"},
		"/api/v1/versions?path=/nowhere":      {404, 5, "PATH_NOT_FOUND"},
		"/api/v1/search?query=go":             {400, 9, "NO_SEARCH_INDEX"},
		"/api/v1/diffs?page_token=made%20up":  {400, 3, "INVALID_FIELD"},
		"/api/v1":                             {404, 5, "NO_SUCH_PATH"},
		"/api/v1/diffs/":                      {404, 5, "NO_SUCH_PATH"},
		"/api/v1/versions/1/2":                {404, 5, "NO_SUCH_PATH"},
		"/":                                   {404, 5, "NO_SUCH_PATH"},
		"/obby.query.v1.QueryService/Nothing": {404, 5, "NO_SUCH_PATH"},
	} {
		t.Run(path, func(t *testing.T) {
			resp, body := s.get(t, path)
			wantStatus(t, resp, body, want.http, want.code, want.reason)
		})
	}
	resp, body := serveNothing(t).get(t, "/api/v1/diffs")
	wantStatus(t, resp, body, 503, 14, "DATABASE_UNAVAILABLE")
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		resp, body := s.ask(t, method, "/api/v1/diffs", "")
		wantStatus(t, resp, body, 405, 12, "METHOD_NOT_ALLOWED")
		if allow := resp.Header.Get("Allow"); allow != "GET, HEAD, OPTIONS" {
			t.Errorf("allowed is %q", allow)
		}
	}
	if resp, body := s.ask(t, "HEAD", "/api/v1/diffs", ""); resp.StatusCode != 200 || body != "" || resp.ContentLength <= 0 {
		t.Errorf("HEAD: %s, length %d, %q", resp.Status, resp.ContentLength, body)
	}
}

// What is mistyped is refused, and the answer names the parameter.
func TestBadParameters(t *testing.T) {
	s := serve(t, legacy(t))
	for query, want := range map[string][2]string{ // the field, and a part of the sentence
		"/diffs?page_size=abc":                               {"page_size", `"abc" is not a whole number of 32 bits`},
		"/diffs?pageSize=3.5":                                {"page_size", "whole number"},
		"/diffs?page_size=99999999999":                       {"page_size", "32 bits"},
		"/diffs?page_size=":                                  {"page_size", "whole number"},
		"/diffs?page_size=-1":                                {"page_size", "negative"},
		"/diffs?page_size=1&page_size=2":                     {"page_size", "more than once"},
		"/diffs?page_size=1&pageSize=1":                      {"page_size", "more than once"},
		"/diffs?size=1":                                      {"size", "there are filter.…, view, page_size, page_token"},
		"/diffs?=1":                                          {"", "is not a parameter"},
		"/diffs?filter=x":                                    {"filter", "is a group: there are filter.path_prefix"},
		"/diffs?filter.prefix=x":                             {"filter.prefix", "there are filter.path_prefix"},
		"/diffs?view.x=1":                                    {"view.x", "view is not a group"},
		"/diffs?view=BASIC":                                  {"view", "DIFF_VIEW_UNSPECIFIED, DIFF_VIEW_BASIC, DIFF_VIEW_FULL"},
		"/diffs?view=7":                                      {"view", `"7" is not one of`},
		"/diffs?filter.change_types=created":                 {"filter.change_types", "CHANGE_TYPE_CREATED"},
		"/diffs?filter.start_time=2024-03-05":                {"filter.start_time", "2026-01-31T09:00:00Z"},
		"/diffs?filter.start_time=2024-03-05T00:00:00+01:00": {"filter.start_time", "written as %2B"},
		"/diffs?filter.path_prefix=/caf%E9":                  {"filter.path_prefix", "is not UTF-8"},
		"/diffs?filter.raw_path_prefix=%25":                  {"filter.raw_path_prefix", "is not base64"},
		"/diffs?filter.start_time=2024-03-06T00:00:00Z&filter.end_time=2024-03-05T00:00:00Z": {"filter.start_time", "after"},
		"/diffs?page_size=%":       {"query", "cannot be read"},
		"/versions/abc":            {"version_id", "whole number of 64 bits"},
		"/versions/1?version_id=2": {"version_id", "more than once"},
		"/versions?path=notes":     {"path", "absolute"},
		"/diff?old.version_id=1&old.as_of_time=2024-03-05T00:00:00Z": {"old.version_id", "old.as_of_time is given, too"},
		"/search/history?text=a&ignore_case=1":                       {"ignore_case", "neither true nor false"},
		"/activity?time_zone=x&bucket_size=1":                        {"bucket_size", "is not a parameter"},
	} {
		t.Run(query, func(t *testing.T) {
			resp, body := s.get(t, "/api/v1"+query)
			blamed := wantStatus(t, resp, body, 400, 3, "INVALID_FIELD")
			if len(blamed.GetFieldViolations()) != 1 || blamed.FieldViolations[0].Field != want[0] || !strings.Contains(blamed.FieldViolations[0].Description, want[1]) {
				t.Errorf("it blames %v, want %q of %q", blamed, want[1], want[0])
			}
		})
	}
	resp, body := s.ask(t, http.MethodGet, "/api/v1/diffs", `{"pageSize":1}`, "Content-Type", "application/json")
	if blamed := wantStatus(t, resp, body, 400, 3, "INVALID_FIELD"); blamed.GetFieldViolations()[0].GetField() != "body" {
		t.Errorf("a body: %s", body)
	}
}

// The form of values in JSON: a number of 64 bits is a string, bytes are base64, zeros
// and empty lists are there. Headers that programs send by habit change nothing.
func TestJSON(t *testing.T) {
	s := serve(t, legacy(t))
	resp, body := s.get(t, "/api/v1/versions/3", "Content-Type", "text/plain", "Accept-Encoding", "gzip", "Connect-Protocol-Version", "1")
	for _, part := range []string{
		`"versionId":"3"`, `"content":"` + base64.StdEncoding.EncodeToString([]byte(sqlitetest.PlanText)) + `"`,
		`"rawPath":""`, `"pinned":false`, `"observeTime":"2024-03-05T09:11:12.500Z"`,
	} {
		if !strings.Contains(strings.ReplaceAll(body, `": "`, `":"`), part) {
			t.Errorf("%s lacks %s: %s", resp.Status, part, body)
		}
	}
	if resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers are %v", resp.Header)
	}
	if _, body = s.get(t, "/api/v1/labels"); body != `{"versions":[],"nextPageToken":""}` && body != `{"versions":[], "nextPageToken":""}` {
		t.Errorf("nothing is %s", body)
	}
}
