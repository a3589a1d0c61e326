package rpc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/content-tracker/internal/rpc"
	"github.com/obby/go-services/content-tracker/internal/store"
	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/internal/servicetest"
	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// serve runs the real server over a real database and folder.
func serve(t *testing.T) (client trackerv1.ContentTrackerServiceClient, root string) {
	t.Helper()
	client, root, _ = serveServer(t)
	return client, root
}

func serveServer(t *testing.T) (client trackerv1.ContentTrackerServiceClient, root string, server *rpc.Server) {
	t.Helper()
	root = t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "obby.db"), false, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := slog.New(slog.DiscardHandler)
	tracker := track.New(db, track.Config{Roots: []string{root}, MaxContent: 1 << 20, Workers: 4}, log)
	server = rpc.New(tracker, service.NewInfo("content-tracker"), []string{"reconcile"}, log)
	return trackerv1.NewContentTrackerServiceClient(servicetest.Dial(t, server.Register)), root, server
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTrackChange(t *testing.T) {
	client, root := serve(t)
	path := write(t, filepath.Join(root, "a.md"), "one\r\n")
	created, err := client.TrackChange(t.Context(), &trackerv1.TrackChangeRequest{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	v := created.Version
	if created.Outcome != trackerv1.TrackOutcome_TRACK_OUTCOME_RECORDED || created.ChangeId == 0 || v.LineCount != 1 || v.SizeBytes != 5 ||
		v.LineEnding != trackerv1.LineEnding_LINE_ENDING_CRLF || v.Kind != trackerv1.ContentKind_CONTENT_KIND_TEXT || created.Diff.LinesAdded != 1 {
		t.Errorf("created: %v", created)
	}
	same, err := client.TrackChange(t.Context(), &trackerv1.TrackChangeRequest{Path: path})
	if err != nil || same.Outcome != trackerv1.TrackOutcome_TRACK_OUTCOME_UNCHANGED || same.Version.VersionId != v.VersionId || same.Diff != nil {
		t.Errorf("unchanged: %v, %v", same, err)
	}
	if err := os.Rename(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	moved, err := client.TrackChange(t.Context(), &trackerv1.TrackChangeRequest{
		Path: path + "2", OldPath: path, ChangeType: trackerv1.ChangeType_CHANGE_TYPE_MOVED,
	})
	if err != nil || moved.ChangeType != trackerv1.ChangeType_CHANGE_TYPE_MOVED || moved.OldVersionId != v.VersionId {
		t.Errorf("moved: %v, %v", moved, err)
	}
	odd := write(t, filepath.Join(root, "caf\xe9.md"), "x\n")
	if raw, err := client.TrackChange(t.Context(), &trackerv1.TrackChangeRequest{RawPath: []byte(odd)}); err != nil || raw.ChangeId == 0 {
		t.Errorf("case 31: %v, %v", raw, err)
	}
}

func TestInvalid(t *testing.T) {
	client, root := serve(t)
	path := write(t, filepath.Join(root, "a.md"), "x\n")
	for name, tc := range map[string]struct {
		in     *trackerv1.TrackChangeRequest
		code   codes.Code
		reason string
	}{
		"empty":            {&trackerv1.TrackChangeRequest{}, codes.InvalidArgument, "INVALID_FIELD"},
		"relative":         {&trackerv1.TrackChangeRequest{Path: "a.md"}, codes.InvalidArgument, "INVALID_PATH"},
		"request id":       {&trackerv1.TrackChangeRequest{Path: path, RequestId: "1"}, codes.InvalidArgument, "INVALID_FIELD"},
		"moved from where": {&trackerv1.TrackChangeRequest{Path: path, ChangeType: trackerv1.ChangeType_CHANGE_TYPE_MOVED}, codes.InvalidArgument, "INVALID_FIELD"},
		"unknown type":     {&trackerv1.TrackChangeRequest{Path: path, ChangeType: 77}, codes.InvalidArgument, "INVALID_FIELD"},
		"directory":        {&trackerv1.TrackChangeRequest{Path: root}, codes.InvalidArgument, "NOT_A_REGULAR_FILE"},
		"outside":          {&trackerv1.TrackChangeRequest{Path: "/etc/hostname"}, codes.PermissionDenied, "OUTSIDE_ROOTS"},
		"never":            {&trackerv1.TrackChangeRequest{Path: path + "x"}, codes.NotFound, "NEVER_RECORDED"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.TrackChange(t.Context(), tc.in)
			expectStatus(t, err, tc.code, tc.reason)
		})
	}
}

func expectStatus(t *testing.T, err error, code codes.Code, reason string) {
	t.Helper()
	st := status.Convert(err)
	if st.Code() != code || len(st.Details()) == 0 || st.Details()[0].(*errdetails.ErrorInfo).Reason != reason {
		t.Errorf("status is %v %v, want %v %s", err, st.Details(), code, reason)
	}
}

func TestBatch(t *testing.T) { // case 36
	client, root := serve(t)
	var items []*trackerv1.TrackChangeRequest
	for _, name := range []string{"a", "b", "a", "missing", "c"} {
		if name != "missing" {
			write(t, filepath.Join(root, name), name+"\n")
		}
		items = append(items, &trackerv1.TrackChangeRequest{Path: filepath.Join(root, name)})
	}
	stream, err := client.TrackBatch(t.Context(), &trackerv1.TrackBatchRequest{Items: items})
	if err != nil {
		t.Fatal(err)
	}
	recorded, answered := 0, map[int32]int{}
	for {
		answer, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		answered[answer.Index]++
		if answer.Result.GetOutcome() == trackerv1.TrackOutcome_TRACK_OUTCOME_RECORDED {
			recorded++
		}
		if (answer.Index == 3) != (codes.Code(answer.Status.Code) == codes.NotFound) {
			t.Errorf("case 36: item %d has status %v", answer.Index, answer.Status)
		}
	}
	if len(answered) != len(items) || recorded != 3 {
		t.Errorf("case 36: answered %v, recorded %d", answered, recorded)
	}
	for name, n := range map[string]int{"none": 0, "too many": 10_001} {
		stream, err := client.TrackBatch(t.Context(), &trackerv1.TrackBatchRequest{Items: make([]*trackerv1.TrackChangeRequest, n)})
		if err == nil {
			_, err = stream.Recv()
		}
		if status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBatchCancelled(t *testing.T) { // case 36
	client, root := serve(t)
	items := make([]*trackerv1.TrackChangeRequest, 2000)
	for i := range items {
		items[i] = &trackerv1.TrackChangeRequest{Path: write(t, filepath.Join(root, "a"), "x\n")}
	}
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := client.TrackBatch(ctx, &trackerv1.TrackBatchRequest{Items: items})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		_, err = stream.Recv()
	}
	if status.Code(err) != codes.Canceled {
		t.Errorf("case 36: the cancelled batch ended with %v", err)
	}
}

func TestGetContentHash(t *testing.T) {
	client, root := serve(t)
	path := write(t, filepath.Join(root, "a"), "a\r\nb")
	byPath, err := client.GetContentHash(t.Context(), &trackerv1.GetContentHashRequest{Source: &trackerv1.GetContentHashRequest_Path{Path: path}})
	if err != nil {
		t.Fatal(err)
	}
	byContent, err := client.GetContentHash(t.Context(), &trackerv1.GetContentHashRequest{Source: &trackerv1.GetContentHashRequest_Content{Content: []byte("a\nb")}})
	if err != nil || byPath.ContentHash != byContent.ContentHash || byPath.LineCount != 2 || byPath.SizeBytes != 4 {
		t.Errorf("hashes are %v and %v, %v", byPath, byContent, err)
	}
	_, err = client.GetContentHash(t.Context(), &trackerv1.GetContentHashRequest{})
	expectStatus(t, err, codes.InvalidArgument, "INVALID_FIELD")
	_, err = client.GetContentHash(t.Context(), &trackerv1.GetContentHashRequest{Source: &trackerv1.GetContentHashRequest_Path{Path: path + "x"}})
	expectStatus(t, err, codes.NotFound, "FILE_NOT_FOUND")
}

func TestGenerateDiff(t *testing.T) {
	client, root := serve(t)
	tracked, err := client.TrackChange(t.Context(), &trackerv1.TrackChangeRequest{Path: write(t, filepath.Join(root, "a"), "old\n")})
	if err != nil {
		t.Fatal(err)
	}
	given := func(text string) *trackerv1.DiffSide {
		return &trackerv1.DiffSide{Source: &trackerv1.DiffSide_Content{Content: []byte(text)}}
	}
	stored := &trackerv1.DiffSide{Source: &trackerv1.DiffSide_VersionId{VersionId: tracked.Version.VersionId}}
	resp, err := client.GenerateDiff(t.Context(), &trackerv1.GenerateDiffRequest{Old: stored, New: given("new\n"), Path: "a.md"})
	if err != nil || resp.Diff.Text != "--- a/a.md\n+++ b/a.md\n@@ -1 +1 @@\n-old\n+new\n" {
		t.Errorf("diff is %v, %v", resp, err)
	}
	none := int32(0)
	resp, err = client.GenerateDiff(t.Context(), &trackerv1.GenerateDiffRequest{Old: given("a\nb\n"), New: given("a\nc\n"), ContextLines: &none})
	if err != nil || !strings.Contains(resp.Diff.Text, "@@ -2 +2 @@\n-b\n+c\n") {
		t.Errorf("diff without context is %v, %v", resp, err)
	}
	wide := int32(1001)
	for name, tc := range map[string]struct {
		in     *trackerv1.GenerateDiffRequest
		code   codes.Code
		reason string
	}{
		"no side":      {&trackerv1.GenerateDiffRequest{Old: stored}, codes.InvalidArgument, "INVALID_FIELD"},
		"wide context": {&trackerv1.GenerateDiffRequest{Old: stored, New: stored, ContextLines: &wide}, codes.InvalidArgument, "INVALID_FIELD"},
		"no version": {&trackerv1.GenerateDiffRequest{Old: stored, New: &trackerv1.DiffSide{Source: &trackerv1.DiffSide_VersionId{VersionId: 99}}},
			codes.NotFound, "VERSION_NOT_FOUND"},
	} {
		_, err := client.GenerateDiff(t.Context(), tc.in)
		t.Run(name, func(t *testing.T) { expectStatus(t, err, tc.code, tc.reason) })
	}
}

func TestReconcile(t *testing.T) {
	client, root := serve(t)
	write(t, filepath.Join(root, ".obbywatch"), "*.md\n")
	write(t, filepath.Join(root, "a.md"), "x\n")
	stream, err := client.Reconcile(t.Context(), &trackerv1.ReconcileRequest{})
	if err != nil {
		t.Fatal(err)
	}
	var last *trackerv1.ReconcileResponse
	for {
		progress, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = progress
	}
	if !last.GetDone() || last.Path != root || last.FilesSeen != 1 || last.ChangesRecorded != 1 {
		t.Errorf("the last report is %v", last)
	}
	stream, err = client.Reconcile(t.Context(), &trackerv1.ReconcileRequest{Path: "/elsewhere"})
	if err == nil {
		_, err = stream.Recv()
	}
	expectStatus(t, err, codes.InvalidArgument, "NOT_A_ROOT")
}

func TestGetServerInfo(t *testing.T) {
	client, _ := serve(t)
	info, err := client.GetServerInfo(t.Context(), &trackerv1.GetServerInfoRequest{})
	if err != nil || info.ApiVersions[0] != "obby.tracker.v1" || info.InstanceId == "" || info.StartTime == nil || info.Version == "" {
		t.Errorf("info is %v, %v", info, err)
	}
}
