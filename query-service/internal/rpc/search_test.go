package rpc

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlitetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

// noted returns a client of a database with one indexed note, at /n/milk.md.
func noted(t *testing.T, text string) queryv1.QueryServiceClient {
	t.Helper()
	path, db := sqlitetest.New(t)
	exec(t, db, "INSERT INTO file_versions (id, file_path, content_hash, content, timestamp) VALUES (7, '/n/milk.md', ?, ?, '2024-03-05T10:11:12Z')", sqlitetest.Hash(text), text)
	exec(t, db, "INSERT INTO obby_search (rowid, file_path, content) SELECT id, file_path, content FROM file_versions")
	exec(t, db, "INSERT INTO obby_indexed (file_path, version_id) VALUES ('/n/milk.md', 7)")
	exec(t, db, "INSERT INTO content_diffs (id, file_path, change_type, new_version_id, timestamp) VALUES (3, '/n/milk.md', 'created', 7, '2024-03-05T10:11:12Z')")
	_, client := serve(t, path)
	return client
}

func TestSearchContent(t *testing.T) {
	client := noted(t, "one\nbuy Milk\nthree\nfour\n")
	at := timestamppb.New(time.Date(2024, 3, 5, 10, 11, 12, 0, time.UTC))
	mark := func(start, end int32) []*queryv1.Highlight { return []*queryv1.Highlight{{Start: start, End: end}} }
	want := &queryv1.SearchContentResponse{Results: []*queryv1.SearchResult{{
		Path: "/n/milk.md", VersionId: 7, ObserveTime: at, PathHighlights: mark(3, 7),
		Snippet: "one\nbuy Milk\nthree\nfour\n", Highlights: mark(8, 12),
		Lines: []*queryv1.MatchLine{
			{LineNumber: 1, Text: "one"}, {LineNumber: 2, Text: "buy Milk", Highlights: mark(4, 8)}, {LineNumber: 3, Text: "three"},
		},
	}}}
	for mode, text := range map[queryv1.SearchMode]string{
		queryv1.SearchMode_SEARCH_MODE_UNSPECIFIED: "milk",
		queryv1.SearchMode_SEARCH_MODE_PLAIN:       `"milk`,
		queryv1.SearchMode_SEARCH_MODE_ADVANCED:    "mil* NOT bread",
		queryv1.SearchMode_SEARCH_MODE_SUBSTRING:   "MILK",
	} {
		got, err := client.SearchContent(t.Context(), &queryv1.SearchContentRequest{
			Query: text, Mode: mode, ContextLines: 1, Extensions: []string{"MD"}, PathGlob: "n/*.md", PathPrefix: "/", StartTime: at,
		})
		if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(&queryv1.SearchResult{}, "score")); diff != "" || err != nil {
			t.Errorf("%v: %v (-want +got):\n%s", mode, err, diff)
		}
	}
}

// Whatever is typed in plain mode is answered (cases 52 and 53).
func TestSearchContentPlain(t *testing.T) {
	client := noted(t, "it's C++ in a/b, x-y and foo 🎉")
	for _, text := range []string{
		"", " ", `"`, `""`, "(foo", "foo)", "foo AND", "NOT foo", "foo OR", "*", "foo*", "^foo", "foo.bar", "it's", "a/b", "C++", "x=1", "x-y",
		"a:b", "a\x00b", "---", "NEAR(a b)", "{a b}:c", "a + b", "検索", "🎉", strings.Repeat("é", 1000), strings.Repeat("a ", 500),
	} {
		for _, mode := range []queryv1.SearchMode{queryv1.SearchMode_SEARCH_MODE_PLAIN, queryv1.SearchMode_SEARCH_MODE_SUBSTRING} {
			if _, err := client.SearchContent(t.Context(), &queryv1.SearchContentRequest{Query: text, Mode: mode}); err != nil {
				t.Errorf("case 52: %v: %q gave %v", mode, text, err)
			}
		}
	}
}

func TestSearchContentRefuses(t *testing.T) {
	client := noted(t, "milk")
	early, late := timestamppb.New(time.Unix(1, 0)), timestamppb.New(time.Unix(2, 0))
	for _, tc := range []struct {
		field, position string
		req             *queryv1.SearchContentRequest
	}{
		{"query", "7", &queryv1.SearchContentRequest{Query: "é milk AND", Mode: queryv1.SearchMode_SEARCH_MODE_ADVANCED}},
		{"query", "", &queryv1.SearchContentRequest{Query: strings.Repeat("x", 1001), Mode: queryv1.SearchMode_SEARCH_MODE_ADVANCED}},
		{"mode", "", &queryv1.SearchContentRequest{Mode: 77}},
		{"path_glob", "", &queryv1.SearchContentRequest{PathGlob: "# x"}},
		{"path_glob", "", &queryv1.SearchContentRequest{PathGlob: strings.Repeat("x", 1001)}},
		{"extensions", "", &queryv1.SearchContentRequest{Extensions: []string{"a/b"}}},
		{"extensions", "", &queryv1.SearchContentRequest{Extensions: strings.Split(strings.Repeat("md ", 50)+"md", " ")}},
		{"start_time", "", &queryv1.SearchContentRequest{StartTime: late, EndTime: early}},
		{"max_lines", "", &queryv1.SearchContentRequest{MaxLines: -1}},
		{"context_lines", "", &queryv1.SearchContentRequest{ContextLines: -1}},
		{"page_token", "", &queryv1.SearchContentRequest{PageToken: "!!"}},
	} {
		_, err := client.SearchContent(t.Context(), tc.req)
		st := status.Convert(err)
		bad, _ := detail[*errdetails.BadRequest](st)
		info, _ := detail[*errdetails.ErrorInfo](st)
		if st.Code() != codes.InvalidArgument || bad.GetFieldViolations()[0].GetField() != tc.field || info.GetMetadata()["position"] != tc.position {
			t.Errorf("%v gave %v, %v", tc.req, err, st.Details())
		}
		if tc.position != "" && !strings.Contains(st.Message(), "position "+tc.position) {
			t.Errorf("the message does not say where: %s", st.Message())
		}
	}
}

func TestSearchContentPages(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	exec(t, db, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100)
		INSERT INTO file_versions (file_path, content_hash, content, timestamp) SELECT '/' || i, printf('%064d', i), 'needle 針', 1 FROM n`)
	exec(t, db, "INSERT INTO obby_search (rowid, file_path, content) SELECT id, file_path, content FROM file_versions")
	exec(t, db, "INSERT INTO obby_indexed (file_path, version_id) SELECT file_path, id FROM file_versions")
	for _, text := range []string{"needle", "針", "needle 針"} {
		req := &queryv1.SearchContentRequest{Query: text, PageSize: 90}
		seen := map[int64]bool{}
		for more := true; more; {
			page, err := client.SearchContent(t.Context(), req)
			if err != nil || len(page.Results) == 0 {
				t.Fatalf("%s: page of %d results, %v", text, len(page.Results), err)
			}
			for _, r := range page.Results {
				seen[r.VersionId] = true
			}
			req.PageToken, more = page.NextPageToken, page.NextPageToken != ""
		}
		if len(seen) != 1000 {
			t.Errorf("%s: %d results came, want the best 1,000", text, len(seen))
		}
	}
	first, err := client.SearchContent(t.Context(), &queryv1.SearchContentRequest{Query: "needle"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.SearchContent(t.Context(), &queryv1.SearchContentRequest{Query: "needle", MaxLines: 1, PageToken: first.NextPageToken})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("a token with other arguments gave %v", err)
	}
}

func TestSearchHistory(t *testing.T) {
	client := noted(t, "milk Milk\n")
	got, err := client.SearchHistory(t.Context(), &queryv1.SearchHistoryRequest{Text: "MILK", IgnoreCase: true, Path: "/n/milk.md"})
	if err != nil || len(got.Matches) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	m := got.Matches[0]
	text := fmt.Sprint(m.Path, " ", m.FirstVersion.VersionId, m.LastVersion.VersionId, m.LastVersion.Current, m.Present, m.Truncated)
	at := timestamppb.New(time.Date(2024, 3, 5, 10, 11, 12, 0, time.UTC))
	want := []*queryv1.TextChange{{ChangeId: 3, ObserveTime: at, CountAfter: 2, NewVersionId: 7}}
	if diff := cmp.Diff(want, m.Changes, protocmp.Transform()); diff != "" || text != "/n/milk.md 7 7 true true false" {
		t.Errorf("%s with changes (-want +got):\n%s", text, diff)
	}
	for field, req := range map[string]*queryv1.SearchHistoryRequest{
		"text":        {},
		"path":        {Text: "a", Path: "b"},
		"path_prefix": {Text: "a", PathPrefix: "b"},
		"path_glob":   {Text: "a", PathGlob: " "},
		"page_size":   {Text: "a", PageSize: -1},
		"page_token":  {Text: "a", PageToken: "!!"},
	} {
		_, err := client.SearchHistory(t.Context(), req)
		bad, _ := detail[*errdetails.BadRequest](status.Convert(err))
		if status.Code(err) != codes.InvalidArgument || bad.GetFieldViolations()[0].GetField() != field {
			t.Errorf("%v gave %v, want INVALID_ARGUMENT for %s", req, err, field)
		}
	}
	_, err = client.SearchHistory(t.Context(), &queryv1.SearchHistoryRequest{Text: strings.Repeat("é", 1001)})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("1,001 characters gave %v", err)
	}
}

func TestSearchHistoryPages(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprintf("/caf\xe9/%d", i))
		exec(t, db, "INSERT INTO file_versions (file_path, content_hash, content, timestamp) VALUES (?, ?, 'needle', 1)", rawpath.Encode(want[i]), sqlitetest.Hash(""))
	}
	var got []string
	req := &queryv1.SearchHistoryRequest{Text: "needle", PageSize: 2, RawPathPrefix: []byte("/caf\xe9")}
	for more := true; more; {
		page, err := client.SearchHistory(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Matches {
			got = append(got, string(m.RawPath))
		}
		req.PageToken, more = page.NextPageToken, page.NextPageToken != ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("case 31: page by page (-want +got):\n%s", diff)
	}
}

func TestTopicFilesByContent(t *testing.T) {
	client := noted(t, "on go and golang")
	req := &queryv1.GetTopicFilesRequest{Topic: "Go"}
	got, err := client.GetTopicFiles(t.Context(), req)
	if err != nil || got.Source != queryv1.TopicSource_TOPIC_SOURCE_CONTENT || len(got.Files) != 1 || got.Files[0].EntryCount != 0 || got.Files[0].LatestTime == nil {
		t.Errorf("case 58: without summaries the files are %v, %v", got, err)
	}
	_, legacy := serve(t, sqlitetest.Legacy(t))
	if got, err := legacy.GetTopicFiles(t.Context(), req); err != nil || got.Source != queryv1.TopicSource_TOPIC_SOURCE_SUMMARIES {
		t.Errorf("case 58: with summaries the source is %v, %v", got.GetSource(), err)
	}
}
