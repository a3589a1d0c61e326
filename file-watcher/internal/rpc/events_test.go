package rpc_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

// stream subscribes and takes the Ready.
func (s *served) stream(req *watcherv1.StreamEventsRequest) grpc.ServerStreamingClient[watcherv1.StreamEventsResponse] {
	s.t.Helper()
	stream, err := s.StreamEvents(s.t.Context(), req)
	if err != nil {
		s.t.Fatal(err)
	}
	if item := s.receive(stream); item.GetReady().GetInstanceId() != s.info.InstanceID {
		s.t.Fatalf("the first item is %v", item)
	}
	return stream
}

func (s *served) receive(stream grpc.ServerStreamingClient[watcherv1.StreamEventsResponse]) *watcherv1.StreamEventsResponse {
	s.t.Helper()
	item, err := stream.Recv()
	if err != nil {
		s.t.Fatal(err)
	}
	return item
}

func TestEvents(t *testing.T) {
	s := serve(t)
	root := s.root("r")
	watch := s.start(root)
	stream := s.stream(&watcherv1.StreamEventsRequest{})
	name := "caf\xe9.md"
	s.write(filepath.Join(root, name), "four")
	created := s.receive(stream)
	event := created.GetEvent()
	want := &watcherv1.Event{
		WatchId: watch.WatchId, ChangeType: watcherv1.ChangeType_CHANGE_TYPE_CREATED, Kind: watcherv1.EntryKind_ENTRY_KIND_FILE,
		Path: root + "/caf\uFFFD.md", RawPath: []byte(root + "/" + name), SizeBytes: new(int64(4)),
	}
	if diff := cmp.Diff(want, event, protocmp.Transform(), protocmp.IgnoreFields(want, "modify_time", "observe_time")); diff != "" {
		t.Errorf("case 35: event (-want +got):\n%s", diff)
	}
	if !event.ModifyTime.IsValid() || !event.ObserveTime.IsValid() {
		t.Errorf("its times are %v and %v", event.ModifyTime, event.ObserveTime)
	}
	if err := os.Rename(filepath.Join(root, name), filepath.Join(root, "b.md")); err != nil {
		t.Fatal(err)
	}
	renamed := s.receive(stream).GetEvent()
	if renamed.ChangeType != watcherv1.ChangeType_CHANGE_TYPE_RENAMED || renamed.Path != root+"/b.md" || string(renamed.RawOldPath) != root+"/"+name {
		t.Errorf("event is %v", renamed)
	}
	if err := os.Remove(filepath.Join(root, "b.md")); err != nil {
		t.Fatal(err)
	}
	deleted := s.receive(stream).GetEvent()
	if deleted.ChangeType != watcherv1.ChangeType_CHANGE_TYPE_DELETED || deleted.SizeBytes != nil || deleted.ModifyTime != nil {
		t.Errorf("event is %v", deleted)
	}
}

func TestResume(t *testing.T) {
	s := serve(t)
	root := s.root("r")
	watch := s.start(root)
	stream := s.stream(&watcherv1.StreamEventsRequest{})
	s.write(filepath.Join(root, "a.md"), "a")
	created := s.receive(stream)
	if err := os.Remove(filepath.Join(root, "a.md")); err != nil {
		t.Fatal(err)
	}
	deleted := s.receive(stream).GetEvent()
	t.Run("case 48: resumed, and filtered", func(t *testing.T) {
		again := s.stream(&watcherv1.StreamEventsRequest{
			ResumeToken: created.ResumeToken, PathPrefix: root, WatchIds: []string{watch.WatchId},
			ChangeTypes: []watcherv1.ChangeType{watcherv1.ChangeType_CHANGE_TYPE_DELETED},
		})
		if diff := cmp.Diff(deleted, s.receive(again).GetEvent(), protocmp.Transform()); diff != "" {
			t.Errorf("event (-want +got):\n%s", diff)
		}
	})
	t.Run("case 48: resumed from an earlier process", func(t *testing.T) {
		again := s.stream(&watcherv1.StreamEventsRequest{ResumeToken: "0123456789abcdef-7"})
		want := &watcherv1.Resync{Reason: watcherv1.ResyncReason_RESYNC_REASON_RESTARTED, WatchId: watch.WatchId, Path: root}
		if diff := cmp.Diff(want, s.receive(again).GetResync(), protocmp.Transform()); diff != "" {
			t.Errorf("resync (-want +got):\n%s", diff)
		}
	})
	t.Run("case 53: streams end when the service stops", func(t *testing.T) {
		if err := s.watcher.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if item, err := stream.Recv(); status.Code(err) != codes.Unavailable {
			t.Errorf("received %v, %v", item, err)
		}
	})
}

func TestSnapshot(t *testing.T) {
	s := serve(t)
	root := s.root("r")
	s.write(filepath.Join(root, "caf\xe9.md"), "four")
	watch := s.start(root)
	stream := s.stream(&watcherv1.StreamEventsRequest{Snapshot: true})
	want := &watcherv1.SnapshotFile{WatchId: watch.WatchId, Path: root + "/caf\uFFFD.md", RawPath: []byte(root + "/caf\xe9.md"), SizeBytes: 4}
	item := s.receive(stream)
	if diff := cmp.Diff(want, item.GetSnapshotFile(), protocmp.Transform(), protocmp.IgnoreFields(want, "modify_time")); diff != "" || item.ResumeToken != "" {
		t.Errorf("token %q, file (-want +got):\n%s", item.ResumeToken, diff)
	}
	if item = s.receive(stream); item.GetSnapshotEnd().GetFileCount() != 1 || item.ResumeToken == "" {
		t.Errorf("item is %v, want the end", item)
	}
	s.write(filepath.Join(root, "a.md"), "a")
	if item = s.receive(stream); item.GetEvent().GetPath() != root+"/a.md" {
		t.Errorf("item is %v", item)
	}
}

func TestPolled(t *testing.T) {
	s := serve(t)
	root := s.root("r")
	resp, err := s.StartWatching(t.Context(), &watcherv1.StartWatchingRequest{Path: root, Method: watcherv1.WatchMethod_WATCH_METHOD_POLL})
	if err != nil || resp.Watch.Method != watcherv1.WatchMethod_WATCH_METHOD_POLL || resp.Watch.StatusMessage == "" {
		t.Fatalf("case 45: it is %v, %v", resp, err)
	}
	stream := s.stream(&watcherv1.StreamEventsRequest{})
	s.write(filepath.Join(root, "a.md"), "a")
	if item := s.receive(stream); item.GetEvent().GetPath() != root+"/a.md" {
		t.Errorf("case 45: item is %v", item)
	}
}
