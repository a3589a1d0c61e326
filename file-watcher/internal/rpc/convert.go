package rpc

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/file-watcher/internal/watch"
	"github.com/obby/go-services/internal/rawpath"
	"github.com/obby/go-services/internal/rpcerr"
	watcherv1 "github.com/obby/go-services/proto/gen/obby/watcher/v1"
)

var states = map[watch.State]watcherv1.WatchState{
	watch.Starting: watcherv1.WatchState_WATCH_STATE_STARTING,
	watch.Active:   watcherv1.WatchState_WATCH_STATE_ACTIVE,
	watch.Waiting:  watcherv1.WatchState_WATCH_STATE_WAITING,
}

var methods = map[watch.Method]watcherv1.WatchMethod{
	watch.Auto:   watcherv1.WatchMethod_WATCH_METHOD_UNSPECIFIED, // only in a request
	watch.Notify: watcherv1.WatchMethod_WATCH_METHOD_NOTIFY,
	watch.Poll:   watcherv1.WatchMethod_WATCH_METHOD_POLL,
}

var types = map[watch.Type]watcherv1.ChangeType{
	watch.Created:  watcherv1.ChangeType_CHANGE_TYPE_CREATED,
	watch.Modified: watcherv1.ChangeType_CHANGE_TYPE_MODIFIED,
	watch.Deleted:  watcherv1.ChangeType_CHANGE_TYPE_DELETED,
	watch.Renamed:  watcherv1.ChangeType_CHANGE_TYPE_RENAMED,
}

var reasons = map[watch.Reason]watcherv1.ResyncReason{
	watch.TokenExpired: watcherv1.ResyncReason_RESYNC_REASON_TOKEN_EXPIRED,
	watch.Restarted:    watcherv1.ResyncReason_RESYNC_REASON_RESTARTED,
	watch.SlowConsumer: watcherv1.ResyncReason_RESYNC_REASON_SLOW_CONSUMER,
}

// text makes valid UTF-8 of what may hold bytes of a path or a pattern file: a
// message with anything else cannot be sent.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func texts(all []string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = text(s)
	}
	return out
}

// timestamp returns nil for times that protobuf does not have: a file's may be
// beyond the year 9999.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if ts := timestamppb.New(t); ts.IsValid() {
		return ts
	}
	return nil
}

func watchOf(s watch.Status) *watcherv1.Watch {
	w := &watcherv1.Watch{
		WatchId:        s.ID,
		State:          states[s.State],
		Method:         methods[s.Method],
		StatusMessage:  text(s.Message),
		Debounce:       durationpb.New(s.Debounce),
		Patterns:       &watcherv1.PatternSet{Watch: texts(s.Patterns.Watch), Ignore: texts(s.Patterns.Ignore)},
		CreateTime:     timestamppb.New(s.Started),
		DirectoryCount: int64(s.Directories),
		FileCount:      int64(s.Files),
	}
	w.Path, w.RawPath = rawpath.Split(s.Path)
	return w
}

func (s *Server) itemOf(item watch.Item) *watcherv1.StreamEventsResponse {
	resp := &watcherv1.StreamEventsResponse{ResumeToken: item.Token}
	switch item.Kind {
	case watch.Ready:
		resp.Item = &watcherv1.StreamEventsResponse_Ready{Ready: &watcherv1.Ready{InstanceId: s.info.InstanceID}}
	case watch.Heartbeat:
		resp.Item = &watcherv1.StreamEventsResponse_Heartbeat{Heartbeat: &watcherv1.Heartbeat{}}
	case watch.Change:
		resp.Item = &watcherv1.StreamEventsResponse_Event{Event: eventOf(item.Event)}
	case watch.Snapshot:
		resp.Item = &watcherv1.StreamEventsResponse_SnapshotFile{SnapshotFile: fileOf(item.File)}
	case watch.SnapshotEnd:
		resp.Item = &watcherv1.StreamEventsResponse_SnapshotEnd{SnapshotEnd: &watcherv1.SnapshotEnd{FileCount: int64(item.Files)}}
	case watch.Lost:
		resync := &watcherv1.Resync{Reason: reasons[item.Resync.Reason], WatchId: item.Resync.Watch}
		resync.Path, resync.RawPath = rawpath.Split(item.Resync.Path)
		resp.Item = &watcherv1.StreamEventsResponse_Resync{Resync: resync}
	}
	return resp
}

func fileOf(f watch.File) *watcherv1.SnapshotFile {
	file := &watcherv1.SnapshotFile{WatchId: f.Watch, SizeBytes: f.Size, ModifyTime: timestamp(f.ModTime)}
	file.Path, file.RawPath = rawpath.Split(f.Path)
	return file
}

func eventOf(e *watch.Event) *watcherv1.Event {
	event := &watcherv1.Event{
		WatchId:     e.Watch,
		ChangeType:  types[e.Type],
		Kind:        watcherv1.EntryKind_ENTRY_KIND_FILE,
		ObserveTime: timestamppb.New(e.Time),
		Initial:     e.Initial,
	}
	event.Path, event.RawPath = rawpath.Split(e.Path)
	event.OldPath, event.RawOldPath = rawpath.Split(e.OldPath)
	if e.Type != watch.Deleted {
		event.ModifyTime = timestamp(e.ModTime)
		event.SizeBytes = &e.Size
	}
	if e.Directory {
		event.Kind, event.SizeBytes = watcherv1.EntryKind_ENTRY_KIND_DIRECTORY, nil
	}
	return event
}

func patternsOf(p *watcherv1.PatternSet) *watch.Patterns {
	if p == nil {
		return nil
	}
	return &watch.Patterns{Watch: p.GetWatch(), Ignore: p.GetIgnore()}
}

func debounceOf(d *durationpb.Duration) (time.Duration, error) {
	delay := d.AsDuration()
	if !d.IsValid() || delay < 0 || delay > watch.MaxDebounce {
		return 0, rpcerr.Field("debounce", "%v is not between 0 and %v", delay, watch.MaxDebounce)
	}
	return delay, nil
}

func filterOf(req *watcherv1.StreamEventsRequest) (watch.Filter, error) {
	f := watch.Filter{
		Watches: req.GetWatchIds(),
		Prefix:  rawpath.Join(req.GetPathPrefix(), req.GetRawPathPrefix()),
	}
	if f.Prefix != "" && !strings.HasPrefix(f.Prefix, "/") {
		return f, rpcerr.Field("path_prefix", "%q is not an absolute path", f.Prefix)
	}
	for _, wanted := range req.GetChangeTypes() {
		t, ok := typeOf(wanted)
		if !ok {
			return f, rpcerr.Field("change_types", "%v is no type of event", wanted)
		}
		f.Types = append(f.Types, t)
	}
	return f, nil
}

func typeOf(wanted watcherv1.ChangeType) (watch.Type, bool) { return keyOf(types, wanted) }

func methodOf(wanted watcherv1.WatchMethod) (watch.Method, error) {
	method, ok := keyOf(methods, wanted)
	if !ok {
		return method, rpcerr.Field("method", "%v is no way to watch", wanted)
	}
	return method, nil
}

// keyOf returns the key under which value is found in names.
func keyOf[K, V comparable](names map[K]V, value V) (key K, ok bool) {
	for k, v := range names {
		if v == value {
			return k, true
		}
	}
	return key, false
}

func required(field, value string) error {
	if value == "" {
		return rpcerr.Field(field, "is required")
	}
	return nil
}
