package rpc

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/internal/servicetest"
	"github.com/obby/go-services/internal/sqlitetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/query"
	"github.com/obby/go-services/query-service/internal/store"
)

var update = flag.Bool("update", false, "write the golden files")

// Stored times without an offset are local: the golden files need one zone.
func TestMain(m *testing.M) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	time.Local = zone
	os.Exit(m.Run())
}

// serve answers from the database at path, which need not be there.
func serve(t *testing.T, path string) (*Server, queryv1.QueryServiceClient) {
	t.Helper()
	opened := make(chan struct{}, 1)
	history := store.New(path, slog.New(slog.DiscardHandler), func(error) {
		select {
		case opened <- struct{}{}:
		default:
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- history.Run(ctx) }() // stopped by the cleanup below
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run the store: %v", err)
		}
	})
	<-opened
	server := New(history, service.NewInfo("query-service"), time.Local, slog.New(slog.DiscardHandler))
	server.now = func() time.Time { return time.Date(2024, 3, 6, 12, 0, 0, 0, time.Local) }
	conn := servicetest.Dial(t, func(r grpc.ServiceRegistrar) { queryv1.RegisterQueryServiceServer(r, server) })
	return server, queryv1.NewQueryServiceClient(conn)
}

func exec(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// since collects a stream.
func since(t *testing.T, client queryv1.QueryServiceClient, req *queryv1.GetDiffsSinceRequest) ([]*queryv1.GetDiffsSinceResponse, error) {
	t.Helper()
	stream, err := client.GetDiffsSince(t.Context(), req)
	if err != nil {
		return nil, err
	}
	var items []*queryv1.GetDiffsSinceResponse
	for {
		item, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return items, err
		}
		items = append(items, item)
	}
}

// call runs any of the methods, named by its request.
func call(t *testing.T, client queryv1.QueryServiceClient, req proto.Message) (proto.Message, error) {
	t.Helper()
	switch req := req.(type) {
	case *queryv1.GetRecentDiffsRequest:
		return client.GetRecentDiffs(t.Context(), req)
	case *queryv1.GetDiffsSinceRequest:
		items, err := since(t, client, req)
		all := &queryv1.GetRecentDiffsResponse{}
		for _, item := range items {
			all.Diffs = append(all.Diffs, item.Diff)
		}
		return all, err
	case *queryv1.GetFileVersionsRequest:
		return client.GetFileVersions(t.Context(), req)
	case *queryv1.GetVersionContentRequest:
		return client.GetVersionContent(t.Context(), req)
	case *queryv1.SearchContentRequest:
		return client.SearchContent(t.Context(), req)
	case *queryv1.GetTopicFilesRequest:
		return client.GetTopicFiles(t.Context(), req)
	case *queryv1.GetTimeAnalysisRequest:
		return client.GetTimeAnalysis(t.Context(), req)
	case *queryv1.GetActivityStatsRequest:
		return client.GetActivityStats(t.Context(), req)
	}
	t.Fatalf("no method for %T", req)
	return nil, nil
}

// everyMethod has a request of each method that answers from the database.
var everyMethod = []proto.Message{
	&queryv1.GetRecentDiffsRequest{},
	&queryv1.GetDiffsSinceRequest{
		Since: &queryv1.GetDiffsSinceRequest_SinceTime{SinceTime: timestamp(time.Date(2024, 3, 5, 9, 11, 12, 500_000_000, time.UTC))},
		View:  queryv1.DiffView_DIFF_VIEW_BASIC,
	},
	&queryv1.GetFileVersionsRequest{Path: sqlitetest.NotePath},
	&queryv1.GetVersionContentRequest{VersionId: sqlitetest.PlanVersion},
	&queryv1.SearchContentRequest{Query: "cafe"},
	&queryv1.GetTopicFilesRequest{Topic: "GO"},
	&queryv1.GetTimeAnalysisRequest{StartTime: timestamp(time.Date(2024, 3, 4, 23, 0, 0, 0, time.UTC)), PathPrefix: "/home/ann/notes"},
	&queryv1.GetActivityStatsRequest{},
}

// Old rows are served by every query, whether or not a content-tracker has seen
// the file.
func TestLegacy(t *testing.T) {
	t.Run("not adopted", func(t *testing.T) {
		_, client := serve(t, sqlitetest.Legacy(t))
		golden(t, client, "legacy.golden")
	})
	t.Run("adopted", func(t *testing.T) {
		path := sqlitetest.Legacy(t)
		db := sqlitetest.Adopted(t, path)
		exec(t, db, `INSERT INTO obby_search (rowid, file_path, content) SELECT v.id, v.file_path, v.content
			FROM file_versions v JOIN file_states s ON s.file_path = v.file_path AND s.content_hash = v.content_hash`)
		_, client := serve(t, path)
		golden(t, client, "adopted.golden")
	})
}

func golden(t *testing.T, client queryv1.QueryServiceClient, name string) {
	t.Helper()
	var got strings.Builder
	for _, req := range everyMethod {
		fmt.Fprintf(&got, "%s %s\n", req.ProtoReflect().Descriptor().Name(), text(t, req))
		resp, err := call(t, client, req)
		if err != nil {
			fmt.Fprintf(&got, "%v: %s\n\n", status.Code(err), status.Convert(err).Message())
			continue
		}
		if found, ok := resp.(*queryv1.SearchContentResponse); ok {
			for _, r := range found.Results {
				r.Score = 0 // its last digits are the machine's
			}
		}
		fmt.Fprintf(&got, "%s\n\n", text(t, resp))
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// text is stable, unlike protojson's.
func text(t *testing.T, m proto.Message) string {
	t.Helper()
	raw, err := protojson.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	return indented.String()
}

func TestNoDatabase(t *testing.T) {
	_, client := serve(t, filepath.Join(t.TempDir(), "none.db"))
	for _, req := range everyMethod {
		_, err := call(t, client, req)
		st := status.Convert(err)
		if st.Code() != codes.Unavailable || !strings.Contains(st.Message(), "start the content-tracker") {
			t.Errorf("%T gave %v", req, err)
		}
		if _, ok := detail[*errdetails.RetryInfo](st); !ok {
			t.Errorf("%T gave no RetryInfo: %v", req, st.Details())
		}
	}
}

func detail[T any](st *status.Status) (T, bool) {
	for _, d := range st.Details() {
		if d, ok := d.(T); ok {
			return d, true
		}
	}
	var none T
	return none, false
}

func TestServerInfo(t *testing.T) {
	_, client := serve(t, sqlitetest.Legacy(t))
	info, err := client.GetServerInfo(t.Context(), &queryv1.GetServerInfoRequest{})
	if err != nil || info.Version == "" || info.InstanceId == "" || !cmp.Equal(info.ApiVersions, []string{"obby.query.v1"}) || info.StartTime == nil {
		t.Errorf("info is %v, %v", info, err)
	}
}

func TestTable(t *testing.T) {
	for _, tc := range []struct {
		err    error
		code   codes.Code
		reason string
	}{
		{query.ErrUnavailable, codes.Unavailable, "DATABASE_UNAVAILABLE"},
		{query.ErrBusy, codes.Unavailable, "DATABASE_BUSY"},
		{errStopping, codes.Unavailable, "SERVER_STOPPING"},
		{query.ErrDamaged, codes.DataLoss, "DATABASE_DAMAGED"},
		{query.ErrPathNotFound, codes.NotFound, "PATH_NOT_FOUND"},
		{query.ErrVersionNotFound, codes.NotFound, "VERSION_NOT_FOUND"},
		{query.ErrContentNotKept, codes.FailedPrecondition, "CONTENT_NOT_KEPT"},
		{query.ErrBinary, codes.FailedPrecondition, "CONTENT_BINARY"},
		{query.ErrDiffTooLarge, codes.ResourceExhausted, "DIFF_TOO_LARGE"},
		{query.ErrReplaced, codes.Aborted, "DATABASE_REPLACED"},
		{query.ErrNoIndex, codes.FailedPrecondition, "NO_SEARCH_INDEX"},
		{query.ErrContentTooLarge, codes.ResourceExhausted, "CONTENT_TOO_LARGE"},
	} {
		st := status.Convert(table.Status(slog.New(slog.DiscardHandler), fmt.Errorf("asked: %w", tc.err)))
		info, _ := detail[*errdetails.ErrorInfo](st)
		if st.Code() != tc.code || info.GetReason() != tc.reason || info.GetDomain() != "obby.dev" {
			t.Errorf("%v became %v %v", tc.err, st, info)
		}
	}
	if len(table) != 12 {
		t.Errorf("the table has %d rows, the test 12", len(table))
	}
}
