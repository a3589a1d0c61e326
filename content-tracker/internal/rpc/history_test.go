package rpc_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	trackerv1 "github.com/obby/go-services/proto/gen/obby/tracker/v1"
)

// received collects a stream.
func received[T any](t *testing.T, stream grpc.ServerStreamingClient[T], err error) (all []*T, _ error) {
	t.Helper()
	for err == nil {
		var item *T
		if item, err = stream.Recv(); err == nil {
			all = append(all, item)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return all, err
}

// edited tracks a file with some contents, one after the other.
func edited(t *testing.T, client trackerv1.ContentTrackerServiceClient, path string, texts ...string) (versions []int64) {
	t.Helper()
	for _, text := range texts {
		tracked, err := client.TrackChange(t.Context(), &trackerv1.TrackChangeRequest{Path: write(t, path, text)})
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, tracked.Version.VersionId)
	}
	return versions
}

func TestRestore(t *testing.T) {
	client, root := serve(t)
	path := filepath.Join(root, "a")
	versions := edited(t, client, path, "old\n", "new\n")
	stream, err := client.Restore(t.Context(), &trackerv1.RestoreRequest{VersionId: versions[0]})
	items, err := received(t, stream, err)
	if err != nil || len(items) != 1 || items[0].Outcome != trackerv1.RestoreOutcome_RESTORE_OUTCOME_WRITTEN || items[0].ChangeId != 3 {
		t.Fatalf("restored %v, %v", items, err)
	}
	if body, err := os.ReadFile(path); err != nil || string(body) != "old\n" {
		t.Errorf("the file has %q, %v", body, err)
	}
	stream, err = client.Restore(t.Context(), &trackerv1.RestoreRequest{Path: root, AsOfTime: timestamppb.Now()})
	if items, err := received(t, stream, err); err != nil || len(items) != 1 || items[0].Outcome != trackerv1.RestoreOutcome_RESTORE_OUTCOME_UNCHANGED {
		t.Errorf("the root as of now: %v, %v", items, err)
	}
	write(t, path, strings.Repeat("x", 2<<20))
	stream, err = client.Restore(t.Context(), &trackerv1.RestoreRequest{VersionId: versions[0]})
	if items, err := received(t, stream, err); err != nil || len(items) != 1 || codes.Code(items[0].Status.Code) != codes.FailedPrecondition {
		t.Errorf("over a file too large to be on record: %v, %v", items, err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	client, root := serve(t)
	versions := edited(t, client, filepath.Join(root, "a"), "x\n")
	now := timestamppb.New(time.Now())
	for name, tc := range map[string]struct {
		in     *trackerv1.RestoreRequest
		code   codes.Code
		reason string
	}{
		"nothing named":      {&trackerv1.RestoreRequest{}, codes.InvalidArgument, "INVALID_FIELD"},
		"both named":         {&trackerv1.RestoreRequest{VersionId: 1, Path: root, AsOfTime: now}, codes.InvalidArgument, "INVALID_FIELD"},
		"no time":            {&trackerv1.RestoreRequest{Path: root}, codes.InvalidArgument, "INVALID_FIELD"},
		"no such time":       {&trackerv1.RestoreRequest{Path: root, AsOfTime: &timestamppb.Timestamp{Nanos: -1}}, codes.InvalidArgument, "INVALID_FIELD"},
		"others elsewhere":   {&trackerv1.RestoreRequest{Path: root, AsOfTime: now, Destination: root + "/b", RemoveOthers: true}, codes.InvalidArgument, "INVALID_FIELD"},
		"relative":           {&trackerv1.RestoreRequest{Path: "a", AsOfTime: now}, codes.InvalidArgument, "INVALID_PATH"},
		"relative to":        {&trackerv1.RestoreRequest{VersionId: versions[0], Destination: "b"}, codes.InvalidArgument, "INVALID_PATH"},
		"outside":            {&trackerv1.RestoreRequest{VersionId: versions[0], Destination: "/etc/b"}, codes.PermissionDenied, "OUTSIDE_ROOTS"},
		"no such version":    {&trackerv1.RestoreRequest{VersionId: 99}, codes.NotFound, "VERSION_NOT_FOUND"},
		"negative":           {&trackerv1.RestoreRequest{VersionId: -1}, codes.InvalidArgument, "INVALID_FIELD"},
		"nothing there then": {&trackerv1.RestoreRequest{Path: root + "/never", AsOfTime: now}, codes.NotFound, "NOTHING_THEN"},
	} {
		t.Run(name, func(t *testing.T) {
			stream, err := client.Restore(t.Context(), tc.in)
			_, err = received(t, stream, err)
			expectStatus(t, err, tc.code, tc.reason)
		})
	}
}

func TestApplyRetention(t *testing.T) {
	client, root := serve(t)
	edited(t, client, filepath.Join(root, "a"), "1\n", "2\n", "3\n")
	apply := func(in *trackerv1.ApplyRetentionRequest) ([]*trackerv1.ApplyRetentionResponse, error) {
		stream, err := client.ApplyRetention(t.Context(), in)
		return received(t, stream, err)
	}
	rules := []*trackerv1.RetentionRule{{Pattern: "*", Last: 1}}
	for _, dry := range []bool{true, false} {
		items, err := apply(&trackerv1.ApplyRetentionRequest{Rules: rules, DryRun: dry})
		if err != nil || len(items) != 2 || items[0].Path != filepath.Join(root, "a") || items[0].StepsRemoved != 2 ||
			items[0].VersionsRemoved != 2 || items[0].BytesRemoved == 0 || items[1].Path != "" || items[1].StepsRemoved != 2 {
			t.Errorf("dry %t: %v, %v", dry, items, err)
		}
	}
	items, err := apply(&trackerv1.ApplyRetentionRequest{Rules: rules})
	if err != nil || len(items) != 1 || items[0].StepsRemoved != 0 {
		t.Errorf("the second time: %v, %v", items, err)
	}
	_, err = apply(&trackerv1.ApplyRetentionRequest{})
	expectStatus(t, err, codes.FailedPrecondition, "NO_POLICY")
	_, err = apply(&trackerv1.ApplyRetentionRequest{Rules: []*trackerv1.RetentionRule{{Pattern: "*"}}})
	expectStatus(t, err, codes.InvalidArgument, "INVALID_FIELD")
	_, err = apply(&trackerv1.ApplyRetentionRequest{MaxBytes: -1})
	expectStatus(t, err, codes.InvalidArgument, "INVALID_FIELD")
}

func TestForget(t *testing.T) {
	client, root := serve(t)
	path := filepath.Join(root, "a")
	edited(t, client, path, "1\n", "2\n")
	gone, err := client.Forget(t.Context(), &trackerv1.ForgetRequest{Path: path, Vacuum: true})
	if err != nil || gone.Paths != 1 || gone.Versions != 2 || gone.Steps != 2 || len(gone.ExistingPaths) != 1 {
		t.Errorf("forgotten: %v, %v", gone, err)
	}
	_, err = client.Forget(t.Context(), &trackerv1.ForgetRequest{Path: path})
	expectStatus(t, err, codes.NotFound, "NEVER_RECORDED")
	_, err = client.Forget(t.Context(), &trackerv1.ForgetRequest{})
	expectStatus(t, err, codes.InvalidArgument, "INVALID_FIELD")
	_, err = client.Forget(t.Context(), &trackerv1.ForgetRequest{Path: "a"})
	expectStatus(t, err, codes.InvalidArgument, "INVALID_PATH")
}

func TestSetVersionLabel(t *testing.T) {
	client, root := serve(t)
	versions := edited(t, client, filepath.Join(root, "a"), "1\n")
	if _, err := client.SetVersionLabel(t.Context(), &trackerv1.SetVersionLabelRequest{VersionId: versions[0], Label: "release", Pinned: true}); err != nil {
		t.Error(err)
	}
	_, err := client.SetVersionLabel(t.Context(), &trackerv1.SetVersionLabelRequest{VersionId: 99, Label: "x"})
	expectStatus(t, err, codes.NotFound, "VERSION_NOT_FOUND")
	_, err = client.SetVersionLabel(t.Context(), &trackerv1.SetVersionLabelRequest{VersionId: versions[0], Label: strings.Repeat("ä", 201)})
	expectStatus(t, err, codes.InvalidArgument, "INVALID_FIELD")
}
