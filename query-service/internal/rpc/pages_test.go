package rpc

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/page"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/sqlitetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
)

// clientLimit is what a client that leaves its options alone receives.
const clientLimit = 4 << 20

func step(t *testing.T, db *sql.DB, path, diff string, at any) {
	t.Helper()
	exec(t, db, "INSERT INTO content_diffs (file_path, change_type, diff_content, timestamp) VALUES (?, 'modified', ?, ?)",
		rawpath.Encode(path), diff, at)
}

func TestRecentDiffsPages(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	for i := range 105 {
		step(t, db, fmt.Sprint("/", i), strings.Repeat("x", i<<12), sqlitetest.TimeMicros)
	}
	for _, size := range []int32{0, 1, 7, 105, 1 << 30} {
		t.Run(fmt.Sprint("case 49: pages of ", size), func(t *testing.T) {
			req := &queryv1.GetRecentDiffsRequest{PageSize: size}
			want := int64(105)
			for more := true; more; {
				page, err := client.GetRecentDiffs(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				if most := map[int32]int{0: 50, 1: 1, 7: 7}[size]; most > 0 && len(page.Diffs) > most {
					t.Errorf("a page has %d steps", len(page.Diffs))
				}
				if n := proto.Size(page); n > clientLimit-512<<10 {
					t.Errorf("case 51: a page has %d bytes", n)
				}
				for _, d := range page.Diffs {
					if d.ChangeId != want {
						t.Fatalf("step %d came, want %d", d.ChangeId, want)
					}
					want--
				}
				req.PageToken, more = page.NextPageToken, page.NextPageToken != ""
			}
			if want != 0 {
				t.Errorf("%d steps did not come", want)
			}
		})
	}
}

func TestDiffsSinceResume(t *testing.T) {
	path, db := sqlitetest.New(t)
	server, client := serve(t, path)
	for range 10 {
		step(t, db, "/a", "", sqlitetest.TimeSeconds)
	}
	at, _ := time.ParseInLocation(time.DateTime, sqlitetest.TimeSeconds, time.Local)
	req := &queryv1.GetDiffsSinceRequest{Since: &queryv1.GetDiffsSinceRequest_SinceTime{SinceTime: timestamppb.New(at)}}
	all, err := since(t, client, req)
	if err != nil || len(all) != 10 {
		t.Fatalf("case 47: %d steps since their time, %v", len(all), err)
	}
	for i, item := range all {
		rest, err := since(t, client, &queryv1.GetDiffsSinceRequest{
			Since:  &queryv1.GetDiffsSinceRequest_ResumeToken{ResumeToken: item.ResumeToken},
			Filter: &queryv1.DiffFilter{PathPrefix: "/a"},
		})
		if err != nil || len(rest) != 10-i-1 || len(rest) > 0 && rest[0].Diff.ChangeId != item.Diff.ChangeId+1 {
			t.Errorf("case 47: after step %d came %v, %v", item.Diff.ChangeId, rest, err)
		}
	}
	for name, at := range map[string]query.Position{"a step to come": {ID: 11}, "another database": {ID: 1, Database: "other"}} {
		token, err := page.Token(at, resumeArgs)
		if err != nil {
			t.Fatal(err)
		}
		_, err = since(t, client, &queryv1.GetDiffsSinceRequest{Since: &queryv1.GetDiffsSinceRequest_ResumeToken{ResumeToken: token}})
		if status.Code(err) != codes.InvalidArgument {
			t.Errorf("case 60: a token of %s gave %v", name, err)
		}
	}
	if err := server.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := since(t, client, req); status.Code(err) != codes.Unavailable {
		t.Errorf("a stream of a server that stops ended with %v", err)
	}
}

// After a restore from a backup ids are given again: a token of before would leave steps
// out.
func TestResumeAfterRestore(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	insert := func(n int, day string) {
		for i := range n {
			step(t, db, "/a", "", fmt.Sprintf("2024-03-%s 10:00:%02d", day, i))
		}
	}
	insert(10, "05")
	resume := func(token string) ([]*queryv1.GetDiffsSinceResponse, error) {
		return since(t, client, &queryv1.GetDiffsSinceRequest{Since: &queryv1.GetDiffsSinceRequest_ResumeToken{ResumeToken: token}})
	}
	all, err := since(t, client, &queryv1.GetDiffsSinceRequest{Since: &queryv1.GetDiffsSinceRequest_SinceTime{SinceTime: &timestamppb.Timestamp{}}})
	if err != nil || len(all) != 10 {
		t.Fatalf("%d steps, %v", len(all), err)
	}
	follower := follow(t.Context(), t, client, all[9].ResumeToken, nil)
	follower.want(0)
	exec(t, db, "DELETE FROM content_diffs WHERE id > 5") // what the backup lacks
	exec(t, db, "UPDATE sqlite_sequence SET seq = 5 WHERE name = 'content_diffs'")
	insert(10, "06")
	for name, token := range map[string]string{"a step": all[9].ResumeToken, "a heartbeat": follower.token} {
		if items, err := resume(token); status.Code(err) != codes.InvalidArgument {
			t.Errorf("case 60: with the token of %s of before came %d of 10 steps, %v", name, len(items), err)
		}
	}
	if items, err := resume(all[4].ResumeToken); err != nil || len(items) != 10 {
		t.Errorf("with the token of a step that the backup has came %d of 10 steps, %v", len(items), err)
	}
	exec(t, db, "DELETE FROM content_diffs WHERE id = 5")
	if items, err := resume(all[4].ResumeToken); err != nil || len(items) != 10 {
		t.Errorf("with the token of a step that was removed came %d of 10 steps, %v", len(items), err)
	}
}

func TestLargeDiff(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	step(t, db, "/"+strings.Repeat("\xff", 4000), strings.Repeat("é", clientLimit), 1)
	items, err := since(t, client, &queryv1.GetDiffsSinceRequest{Since: &queryv1.GetDiffsSinceRequest_SinceTime{SinceTime: &timestamppb.Timestamp{}}})
	if err != nil || len(items) != 1 || !items[0].Diff.Truncated || proto.Size(items[0]) > clientLimit-512<<10 {
		t.Errorf("case 51: %d items, %v, the first of %d bytes", len(items), err, proto.Size(items[0]))
	}
}

func TestForeignBytes(t *testing.T) {
	path, db := sqlitetest.New(t)
	const file = "/caf\xe9/\xff.md"
	step(t, db, file, "caf\xe9", 1)
	exec(t, db, "INSERT INTO file_versions (file_path, content_hash, content, timestamp, change_description) VALUES (?, ?, ?, 1, ?)",
		rawpath.Encode(file), sqlitetest.Hash(""), "caf\xe9", "d\xe9j\xe0")
	exec(t, db, "INSERT INTO semantic_analysis (file_path, summary, topics, keywords, timestamp) VALUES (?, ?, 'go', ?, 1)", rawpath.Encode(file), "\xe9", "\xe9")
	_, client := serve(t, path)
	for _, req := range []proto.Message{
		&queryv1.GetRecentDiffsRequest{Filter: &queryv1.DiffFilter{RawPathPrefix: []byte("/caf\xe9")}},
		&queryv1.GetFileVersionsRequest{RawPath: []byte(file)},
		&queryv1.GetTopicFilesRequest{Topic: "go"},
		&queryv1.GetTimeAnalysisRequest{StartTime: timestamppb.New(time.Unix(0, 0)), BucketSize: queryv1.BucketSize_BUCKET_SIZE_WEEK, RawPathPrefix: []byte(file)},
		&queryv1.GetActivityStatsRequest{RawPathPrefix: []byte(file)},
	} {
		resp, err := call(t, client, req)
		if err != nil {
			t.Errorf("case 31: %T gave %v", req, err)
			continue
		}
		if got := rawPaths(resp); len(got) > 0 && !slices.Contains(got, file) {
			t.Errorf("case 31: %T gave the paths %q", req, got)
		}
	}
}

func rawPaths(m proto.Message) (paths []string) {
	switch m := m.(type) {
	case *queryv1.GetRecentDiffsResponse:
		paths = append(paths, string(m.Diffs[0].RawPath))
	case *queryv1.GetFileVersionsResponse:
		paths = append(paths, string(m.Versions[0].RawPath))
	case *queryv1.GetTopicFilesResponse:
		paths = append(paths, string(m.Files[0].RawPath))
	case *queryv1.GetActivityStatsResponse:
		paths = append(paths, string(m.ByFile[0].RawName))
	}
	return paths
}

func TestTimeAnalysis(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	a, err := client.GetTimeAnalysis(t.Context(), &queryv1.GetTimeAnalysisRequest{})
	if err != nil || a.TimeZone != "Europe/Berlin" || len(a.Buckets) != 8 || !cmp.Equal(a.EndTime.AsTime().Sub(a.StartTime.AsTime()), 7*24*time.Hour) {
		t.Errorf("case 43: of an empty database the last 7 days are %v, %v", a, err)
	}
	step(t, db, "/a", "", "2024-03-10 01:30:00-05:00")
	step(t, db, "/a", "", "2024-03-10 03:30:00-04:00")
	day := time.Date(2024, 3, 10, 5, 0, 0, 0, time.UTC)
	a, err = client.GetTimeAnalysis(t.Context(), &queryv1.GetTimeAnalysisRequest{
		StartTime: timestamppb.New(day), EndTime: timestamppb.New(day.Add(23 * time.Hour)),
		TimeZone: "America/New_York", BucketSize: queryv1.BucketSize_BUCKET_SIZE_HOUR,
	})
	if err != nil || len(a.Buckets) != 23 || a.Buckets[1].Counts.Changes != 1 || a.Buckets[2].Counts.Changes != 1 || a.Total.Changes != 2 || a.Total.Files != 1 {
		t.Errorf("case 48: the day that clocks go forward in New York is %v, %v", a, err)
	}
}
