package rpc

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/sqlitetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

func versionSide(id int64) *queryv1.DiffSide {
	return &queryv1.DiffSide{Content: &queryv1.DiffSide_VersionId{VersionId: id}}
}

func timeSide(at time.Time) *queryv1.DiffSide {
	return &queryv1.DiffSide{Content: &queryv1.DiffSide_AsOfTime{AsOfTime: timestamppb.New(at)}}
}

func TestGetDiff(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	at := func(n int) time.Time { return time.Date(2024, 3, 5, 12, n, 0, 0, time.Local) }
	long := strings.Repeat("é", 1<<20) + "\n"
	for i, v := range []struct {
		path, kind string
		content    any
		blob       any
	}{
		{"/n/a", "text", "1\n2\n3\n", nil},
		{"/n/a", "text", "1\n2\n", nil},
		{"/n/b", "binary", nil, []byte{0}},
		{"/n/b", "omitted", nil, nil},
		{"/n/b", "lossy", "1\n\uFFFD\n", []byte("1\r\n\xe9\r\n")},
		{"/n/c", "text", long, nil},
	} {
		hash := sqlitetest.Hash(string(rune('a' + i)))
		exec(t, db, "INSERT INTO file_versions (file_path, content_hash, content, timestamp) VALUES (?, ?, ?, ?)", v.path, hash, v.content, at(i).Format(time.DateTime))
		exec(t, db, "INSERT INTO obby_versions (version_id, kind, eol, size_bytes, mtime_ns) VALUES (?, ?, 'lf', 1, 1)", i+1, v.kind)
		if v.blob != nil {
			exec(t, db, "INSERT INTO obby_blobs (content_hash, data) VALUES (?, ?)", hash, v.blob)
		}
	}
	for i, d := range []struct{ path, kind string }{{"/n/a", "created"}, {"/n/a", "modified"}, {"/n/a", "deleted"}} {
		version := any(i + 1)
		if d.kind == "deleted" {
			version = nil
		}
		exec(t, db, "INSERT INTO content_diffs (file_path, new_version_id, change_type, timestamp) VALUES (?, ?, ?, ?)", d.path, version, d.kind, at(i).Format(time.DateTime))
	}
	none, wide := int32(0), int32(1001)
	const removed = "--- a/n/a\n+++ b/n/a\n@@ -1,3 +1,2 @@\n 1\n 2\n-3\n"
	for name, tc := range map[string]struct {
		req  *queryv1.GetDiffRequest
		want string
	}{
		"two versions":            {&queryv1.GetDiffRequest{Old: versionSide(1), New: versionSide(2)}, removed},
		"backwards":               {&queryv1.GetDiffRequest{Old: versionSide(2), New: versionSide(1)}, "--- a/n/a\n+++ b/n/a\n@@ -1,2 +1,3 @@\n 1\n 2\n+3\n"},
		"the same":                {&queryv1.GetDiffRequest{Old: versionSide(1), New: versionSide(1)}, ""},
		"two times":               {&queryv1.GetDiffRequest{Path: "/n/a", Old: timeSide(at(0)), New: timeSide(at(1))}, removed},
		"before it existed":       {&queryv1.GetDiffRequest{Path: "/n/a", Old: timeSide(at(-1)), New: timeSide(at(1))}, "--- /dev/null\n+++ b/n/a\n@@ -0,0 +1,2 @@\n+1\n+2\n"},
		"after it was deleted":    {&queryv1.GetDiffRequest{Path: "/n/a", Old: versionSide(2), New: timeSide(at(9))}, "--- a/n/a\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-1\n-2\n"},
		"never at both times":     {&queryv1.GetDiffRequest{Path: "/n/a", Old: timeSide(at(-1)), New: timeSide(at(9))}, ""},
		"without context":         {&queryv1.GetDiffRequest{Old: versionSide(1), New: versionSide(2), ContextLines: &none}, "--- a/n/a\n+++ b/n/a\n@@ -3 +2,0 @@\n-3\n"},
		"of two paths":            {&queryv1.GetDiffRequest{Path: "/x", Old: versionSide(2), New: versionSide(1)}, "--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n 1\n 2\n+3\n"},
		"case 6: bytes, LF alike": {&queryv1.GetDiffRequest{Old: versionSide(2), New: versionSide(5)}, "--- a/n/b\n+++ b/n/b\n@@ -1,2 +1,2 @@\n 1\n-2\n+\uFFFD\n"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := client.GetDiff(t.Context(), tc.req)
			if err != nil || resp.Diff != tc.want {
				t.Errorf("%v\ngot  %q\nwant %q", err, resp.GetDiff(), tc.want)
			}
			if adds := strings.Count(tc.want, "\n+") - strings.Count(tc.want, "\n+++"); err == nil && resp.LinesAdded != int64(adds) {
				t.Errorf("+%d", resp.LinesAdded)
			}
		})
	}
	for name, tc := range map[string]struct {
		req  *queryv1.GetDiffRequest
		code codes.Code
		want string
	}{
		"no old side":         {&queryv1.GetDiffRequest{New: versionSide(1)}, codes.InvalidArgument, "old"},
		"an empty side":       {&queryv1.GetDiffRequest{Old: versionSide(1), New: &queryv1.DiffSide{}}, codes.InvalidArgument, "new"},
		"a version that none": {&queryv1.GetDiffRequest{Old: versionSide(-1), New: versionSide(1)}, codes.InvalidArgument, "-1"},
		"a time, no path":     {&queryv1.GetDiffRequest{Old: timeSide(at(0)), New: versionSide(1)}, codes.InvalidArgument, "path"},
		"a relative path":     {&queryv1.GetDiffRequest{Path: "a", Old: timeSide(at(0)), New: versionSide(1)}, codes.InvalidArgument, "absolute"},
		"too much context":    {&queryv1.GetDiffRequest{Old: versionSide(1), New: versionSide(1), ContextLines: &wide}, codes.InvalidArgument, "1000"},
		"no such version":     {&queryv1.GetDiffRequest{Old: versionSide(1), New: versionSide(99)}, codes.NotFound, "new side"},
		"no such path":        {&queryv1.GetDiffRequest{Path: "/never", Old: timeSide(at(0)), New: versionSide(1)}, codes.NotFound, "old side"},
		"binary":              {&queryv1.GetDiffRequest{Old: versionSide(1), New: versionSide(3)}, codes.FailedPrecondition, "binary"},
		"omitted":             {&queryv1.GetDiffRequest{Old: versionSide(4), New: versionSide(1)}, codes.FailedPrecondition, "not kept"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.GetDiff(t.Context(), tc.req)
			if status.Code(err) != tc.code || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	exec(t, db, "UPDATE file_versions SET content = ? WHERE id = 6", string(bytes.Repeat([]byte("x\n"), 2<<20)))
	if _, err := client.GetDiff(t.Context(), &queryv1.GetDiffRequest{Old: versionSide(6), New: versionSide(1)}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("case 51: a diff of more than 3 MiB gave %v", err)
	}
	// Bytes that are not UTF-8 grow in a message.
	exec(t, db, "UPDATE obby_blobs SET data = ? WHERE content_hash = (SELECT content_hash FROM file_versions WHERE id = 5)", bytes.Repeat([]byte("\xffx\n"), 900_000))
	if _, err := client.GetDiff(t.Context(), &queryv1.GetDiffRequest{Old: versionSide(1), New: versionSide(5)}); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("case 51: a diff that is more than 3 MiB as text gave %v", err)
	}
}

func TestVersionsOfFilter(t *testing.T) {
	path := sqlitetest.Legacy(t)
	_, client := serve(t, path)
	resp, err := client.GetFileVersions(t.Context(), &queryv1.GetFileVersionsRequest{PageSize: 2, Filter: &queryv1.DiffFilter{PathGlob: "*.md"}})
	if err != nil || len(resp.Versions) != 2 || resp.NextPageToken == "" {
		t.Fatalf("by pattern: %v, %v", resp, err)
	}
	next, err := client.GetFileVersions(t.Context(), &queryv1.GetFileVersionsRequest{PageSize: 50, Filter: &queryv1.DiffFilter{PathGlob: "*.md"}, PageToken: resp.NextPageToken})
	if err != nil || len(next.Versions) != 4 {
		t.Errorf("the rest: %v, %v", next, err)
	}
	for name, req := range map[string]*queryv1.GetFileVersionsRequest{
		"neither path nor filter": {},
		"a filter without paths":  {Filter: &queryv1.DiffFilter{ChangeTypes: []queryv1.ChangeType{queryv1.ChangeType_CHANGE_TYPE_CREATED}}},
		"a blank pattern":         {Filter: &queryv1.DiffFilter{PathGlob: " "}},
		"a long pattern":          {Filter: &queryv1.DiffFilter{PathGlob: strings.Repeat("é", 1001)}},
		"a reversed range":        {Path: "/a", Filter: &queryv1.DiffFilter{StartTime: timestamppb.New(time.Unix(2, 0)), EndTime: timestamppb.New(time.Unix(1, 0))}},
	} {
		if _, err := client.GetFileVersions(t.Context(), req); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}
