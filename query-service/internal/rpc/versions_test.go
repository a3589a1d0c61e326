package rpc

import (
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/sqlitetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

func TestListFiles(t *testing.T) {
	_, client := serve(t, sqlitetest.Legacy(t))
	var got []string
	for req := (&queryv1.ListFilesRequest{Path: "/", PageSize: 1}); ; {
		page, err := client.ListFiles(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Files {
			got = append(got, v.Path)
		}
		if req.PageToken = page.NextPageToken; page.NextPageToken == "" {
			break
		}
	}
	all, err := client.ListFiles(t.Context(), &queryv1.ListFilesRequest{Path: "/"})
	if err != nil || len(all.Files) < 2 || len(all.Files) != len(got) {
		t.Errorf("one page has %d files, pages of one %d: %v", len(all.GetFiles()), len(got), err)
	}
	early, err := client.ListFiles(t.Context(), &queryv1.ListFilesRequest{Path: "/", AsOfTime: timestamppb.New(time.Unix(0, 0))})
	if err != nil || len(early.Files) != 0 {
		t.Errorf("in 1970 there were %v, %v", early, err)
	}
	for name, req := range map[string]*queryv1.ListFilesRequest{
		"no path": {}, "relative": {Path: "a"}, "no time": {Path: "/", AsOfTime: &timestamppb.Timestamp{Nanos: -1}}, "no size": {Path: "/", PageSize: -1},
		"no token": {Path: "/", PageToken: "x"},
	} {
		if _, err := client.ListFiles(t.Context(), req); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestListLabels(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	exec(t, db, `INSERT INTO file_versions (file_path, content_hash, timestamp) VALUES ('/a', ?, ?), ('/b', ?, ?)`,
		sqlitetest.Hash("a"), sqlitetest.TimeMicros, sqlitetest.Hash("b"), sqlitetest.TimeMicros)
	exec(t, db, `INSERT INTO obby_labels (version_id, label, pinned) VALUES (1, 'one', 1), (2, 'two', 0)`)
	first, err := client.ListLabels(t.Context(), &queryv1.ListLabelsRequest{PageSize: 1})
	if err != nil || len(first.Versions) != 1 || first.Versions[0].Label != "two" || first.Versions[0].Pinned {
		t.Fatalf("the first page is %v, %v", first, err)
	}
	second, err := client.ListLabels(t.Context(), &queryv1.ListLabelsRequest{PageSize: 1, PageToken: first.NextPageToken})
	if err != nil || len(second.Versions) != 1 || second.Versions[0].Label != "one" || !second.Versions[0].Pinned || second.NextPageToken != "" {
		t.Errorf("the second page is %v, %v", second, err)
	}
	if _, err := client.ListLabels(t.Context(), &queryv1.ListLabelsRequest{PathPrefix: "a"}); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a relative prefix: %v", err)
	}
}
