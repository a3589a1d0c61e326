package rpc

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/sqlitetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

type following struct {
	t      *testing.T
	stream grpc.ServerStreamingClient[queryv1.GetDiffsSinceResponse]
	token  string
}

// follow follows a history, since a token or from its beginning.
func follow(ctx context.Context, t *testing.T, client queryv1.QueryServiceClient, token string, filter *queryv1.DiffFilter) *following {
	t.Helper()
	req := &queryv1.GetDiffsSinceRequest{Follow: true, Filter: filter, Since: &queryv1.GetDiffsSinceRequest_SinceTime{SinceTime: &timestamppb.Timestamp{}}}
	if token != "" {
		req.Since = &queryv1.GetDiffsSinceRequest_ResumeToken{ResumeToken: token}
	}
	stream, err := client.GetDiffsSince(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return &following{t: t, stream: stream}
}

// next returns the next event: the id of a step, 0 for a heartbeat.
func (f *following) next() int64 {
	f.t.Helper()
	item, err := f.stream.Recv()
	if err != nil {
		f.t.Fatal(err)
	}
	if item.Heartbeat != (item.Diff == nil) || item.ResumeToken == "" {
		f.t.Errorf("an event is %v", item)
	}
	f.token = item.ResumeToken
	return item.GetDiff().GetChangeId()
}

func (f *following) want(ids ...int64) {
	f.t.Helper()
	for _, id := range ids {
		if got := f.next(); got != id {
			f.t.Fatalf("event %d came, want %d", got, id)
		}
	}
}

// end returns how the stream ended.
func (f *following) end() codes.Code {
	f.t.Helper()
	for {
		if _, err := f.stream.Recv(); err != nil {
			return status.Code(err)
		}
	}
}

func TestFollow(t *testing.T) {
	path, db := sqlitetest.New(t)
	server, client := serve(t, path)
	step(t, db, "/a", "", sqlitetest.TimeMicros)
	step(t, db, "/b", "", sqlitetest.TimeSeconds)
	all := follow(t.Context(), t, client, "", nil)
	some := follow(t.Context(), t, client, "", &queryv1.DiffFilter{PathPrefix: "/b"})
	all.want(1, 2, 0)
	some.want(2, 0)
	step(t, db, "/a", "", sqlitetest.TimeSeconds) // case 47: at the same time as another
	step(t, db, "/b", "", sqlitetest.TimeMicros)  // case 34: at an earlier one
	all.want(3, 4)
	some.want(4)
	token := all.token
	step(t, db, "/b", "", sqlitetest.TimeMicros)
	all.want(5)
	again := follow(t.Context(), t, client, token, nil)
	again.want(5, 0)
	if err := server.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*following{all, some, again} {
		if code := f.end(); code != codes.Unavailable {
			t.Errorf("a stream of a server that stops ended with %v", code)
		}
	}
}

// A token of a heartbeat continues after what the filter has left out.
func TestFollowHeartbeatToken(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	step(t, db, "/a", "", sqlitetest.TimeMicros)
	f := follow(t.Context(), t, client, "", &queryv1.DiffFilter{PathPrefix: "/b"})
	f.want(0)
	step(t, db, "/b", "", sqlitetest.TimeMicros)
	again := follow(t.Context(), t, client, f.token, nil)
	again.want(2, 0)
}

func TestFollowEndsWithItsCaller(t *testing.T) {
	path, _ := sqlitetest.New(t)
	_, client := serve(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	f := follow(ctx, t, client, "", nil)
	f.want(0)
	cancel()
	if code := f.end(); code != codes.Canceled {
		t.Errorf("it ended with %v", code)
	}
}

func replace(t *testing.T, path, with string) {
	t.Helper()
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.Rename(with, path); err != nil {
		t.Fatal(err)
	}
}

func TestFollowReplacedDatabase(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	step(t, db, "/a", "", sqlitetest.TimeMicros)
	f := follow(t.Context(), t, client, "", nil)
	f.want(1, 0)
	other, otherDB := sqlitetest.New(t)
	for range 3 {
		step(t, otherDB, "/other", "", sqlitetest.TimeMicros)
	}
	db.Close()
	otherDB.Close()
	replace(t, path, other)
	if code := f.end(); code != codes.Aborted {
		t.Errorf("case 60: a follower of a database that was replaced ended with %v", code)
	}
	follow(t.Context(), t, client, "", nil).want(1, 2, 3, 0)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	gone := follow(t.Context(), t, client, "", nil)
	if code := gone.end(); code != codes.Unavailable {
		t.Errorf("case 60: a follower of a database that was removed ended with %v", code)
	}
}

// An older copy that is put in place, and has overtaken before anybody looked, would
// keep from a follower what it recorded under the ids that were given already.
func TestFollowRestoredDatabase(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	step(t, db, "/a", "", sqlitetest.TimeMicros)
	copied := path + ".copy"
	exec(t, db, "VACUUM INTO ?", copied)
	step(t, db, "/a", "", sqlitetest.TimeMicros)
	f := follow(t.Context(), t, client, "", nil)
	f.want(1, 2, 0)
	restored, err := sql.Open("sqlite3", "file:"+copied)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		step(t, restored, "/b", "", sqlitetest.TimeSeconds)
	}
	restored.Close()
	db.Close()
	replace(t, path, copied)
	item, err := f.stream.Recv()
	for err == nil && item.Heartbeat {
		item, err = f.stream.Recv()
	}
	if status.Code(err) != codes.Aborted {
		t.Errorf("case 60: a follower of a database that was restored got %v, %v", item, err)
	}
	follow(t.Context(), t, client, "", nil).want(1, 2, 3, 4, 0)
}

// Who does not read keeps nobody from resetting the log, and gets everything in the end.
func TestFollowSlowly(t *testing.T) {
	path, db := sqlitetest.New(t)
	_, client := serve(t, path)
	slow := follow(t.Context(), t, client, "", nil)
	quick := follow(t.Context(), t, client, "", nil)
	slow.want(0)
	quick.want(0)
	const steps = 400
	exec(t, db, fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO content_diffs (file_path, change_type, diff_content, timestamp) SELECT '/a', 'modified', zeroblob(20000), ? FROM n`, steps), sqlitetest.TimeMicros)
	for id := range int64(steps) {
		quick.want(id + 1)
	}
	var busy int
	if err := db.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, new(int), new(int)); err != nil || busy != 0 {
		t.Errorf("case 50: the log cannot be reset while a follower does not read: %d, %v", busy, err)
	}
	for id := range int64(steps) {
		slow.want(id + 1)
	}
}
