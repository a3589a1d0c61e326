package rpc

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/obby/go-services/internal/service"
	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
	"github.com/obby/go-services/sse-hub/internal/access"
	"github.com/obby/go-services/sse-hub/internal/hub"
)

func TestPublishAndSubscribe(t *testing.T) {
	w := dial(t, plenty, 15*time.Second)
	none := w.publish(t, &ssev1.PublishRequest{Topic: "a"})
	if none.Receivers != 0 || none.Duplicate {
		t.Errorf("case 61: %v", none)
	}
	epoch, _, _ := strings.Cut(none.EventId, "-")
	stream := w.subscribe(t, &ssev1.SubscribeRequest{Topics: []string{"a", "b", "a"}})
	same(t, ready(epoch+"-1"), next(t, stream))
	// CR stays CR: only the SSE format knows lines.
	first := w.publish(t, &ssev1.PublishRequest{Topic: "b", Data: []byte("x\r\ny"), EventType: "created", IdempotencyKey: "k"})
	if first.Receivers != 1 {
		t.Errorf("%d receivers", first.Receivers)
	}
	again := w.publish(t, &ssev1.PublishRequest{Topic: "b", Data: []byte("z"), IdempotencyKey: "k"})
	if diff := cmp.Diff(&ssev1.PublishResponse{EventId: first.EventId, Receivers: 1, Duplicate: true}, again, protocmp.Transform()); diff != "" {
		t.Errorf("case 44 (-want +got):\n%s", diff)
	}
	w.publish(t, &ssev1.PublishRequest{Topic: "a"})
	same(t, event(epoch+"-2", "b", "created", "x\r\ny"), next(t, stream))
	same(t, event(epoch+"-3", "a", "message", ""), next(t, stream))
}

func TestSubscribeFromTheHistory(t *testing.T) {
	w := dial(t, hub.Retention{Events: 3, Bytes: 1 << 20, Age: time.Hour}, 15*time.Second)
	var ids []string
	for i := range 5 {
		ids = append(ids, w.publish(t, &ssev1.PublishRequest{Topic: "t", Data: fmt.Append(nil, i)}).EventId)
	}
	epoch, _, _ := strings.Cut(ids[0], "-")
	held := func(from int) (items []*ssev1.SubscribeResponse) {
		for i := from; i < 5; i++ {
			items = append(items, event(ids[i], "t", "message", fmt.Sprint(i)))
		}
		return items
	}
	for _, tc := range []struct {
		name string
		req  *ssev1.SubscribeRequest
		want []*ssev1.SubscribeResponse // after ready
	}{
		{"case 39: the newest", &ssev1.SubscribeRequest{LastCount: 2}, held(3)},
		{"case 40: after an id", &ssev1.SubscribeRequest{LastEventId: ids[2]}, held(3)},
		{"case 41: expired", &ssev1.SubscribeRequest{LastEventId: ids[0]},
			[]*ssev1.SubscribeResponse{reset(ssev1.ResetReason_RESET_REASON_EXPIRED, ids[4], ids[2])}},
		{"case 42: another epoch", &ssev1.SubscribeRequest{LastEventId: "x-3"},
			[]*ssev1.SubscribeResponse{reset(ssev1.ResetReason_RESET_REASON_EPOCH, ids[4], ids[2])}},
		{"case 42: and the newest instead", &ssev1.SubscribeRequest{LastEventId: "x-3", LastCount: 1},
			append([]*ssev1.SubscribeResponse{reset(ssev1.ResetReason_RESET_REASON_EPOCH, ids[3], ids[2])}, held(4)...)},
		{"case 42: the future", &ssev1.SubscribeRequest{LastEventId: epoch + "-6"},
			[]*ssev1.SubscribeResponse{reset(ssev1.ResetReason_RESET_REASON_FUTURE, ids[4], ids[2])}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.req.Topics = []string{"t"}
			stream := w.subscribe(t, tc.req)
			same(t, ready(ids[4]), next(t, stream))
			for _, want := range tc.want {
				same(t, want, next(t, stream))
			}
		})
	}
}

func TestErrors(t *testing.T) {
	w := dial(t, plenty, 15*time.Second)
	publish := func(req *ssev1.PublishRequest) error {
		_, err := w.Publish(t.Context(), req)
		return err
	}
	subscribe := func(req *ssev1.SubscribeRequest) error {
		_, err := w.subscribe(t, req).Recv()
		return err
	}
	check := func(name string, err error, code codes.Code, reason, field string) {
		t.Run(name, func(t *testing.T) {
			st := status.Convert(err)
			var gotReason, gotField string
			for _, d := range st.Details() {
				switch d := d.(type) {
				case *errdetails.ErrorInfo:
					gotReason = d.Reason
				case *errdetails.BadRequest:
					gotField = d.FieldViolations[0].Field
				}
			}
			if st.Code() != code || gotReason != reason || gotField != field {
				t.Errorf("status is %v, reason %q, field %q", st, gotReason, gotField)
			}
		})
	}
	const invalid = codes.InvalidArgument
	check("case 53: topic", publish(&ssev1.PublishRequest{}), invalid, "INVALID_FIELD", "topic")
	check("case 7: event type", publish(&ssev1.PublishRequest{Topic: "t", EventType: "a\nb"}), invalid, "INVALID_FIELD", "event_type")
	check("case 11: data", publish(&ssev1.PublishRequest{Topic: "t", Data: []byte("\xff")}), invalid, "INVALID_FIELD", "data")
	check("key", publish(&ssev1.PublishRequest{Topic: "t", IdempotencyKey: strings.Repeat("k", 256)}), invalid, "INVALID_FIELD", "idempotency_key")
	check("case 19: size", publish(&ssev1.PublishRequest{Topic: "t", Data: make([]byte, 8<<20)}), codes.ResourceExhausted, "DATA_TOO_LARGE", "")
	check("case 54: topics", subscribe(&ssev1.SubscribeRequest{}), invalid, "INVALID_FIELD", "topics")
	check("count", subscribe(&ssev1.SubscribeRequest{Topics: []string{"t"}, LastCount: -1}), invalid, "INVALID_FIELD", "last_count")
	w.Close()
	check("case 65: publish", publish(&ssev1.PublishRequest{Topic: "t"}), codes.Unavailable, "SERVER_STOPPING", "")
	check("case 65: subscribe", subscribe(&ssev1.SubscribeRequest{Topics: []string{"t"}}), codes.Unavailable, "SERVER_STOPPING", "")
}

// Every row of the table, with the words of the error.
func TestTable(t *testing.T) {
	for cause, want := range map[error]codes.Code{
		hub.ErrTooLarge: codes.ResourceExhausted, hub.ErrOvertaken: codes.Aborted, hub.ErrStopping: codes.Unavailable,
		hub.ErrReplaced: codes.AlreadyExists, hub.ErrHistory: codes.Unavailable, access.ErrToken: codes.Unauthenticated,
		access.ErrKeys: codes.Unavailable, errExpired: codes.Unauthenticated, errNotGranted: codes.PermissionDenied,
	} {
		err := fmt.Errorf("wrapped: %w", cause)
		New(nil, nil, service.Info{}, slog.New(slog.DiscardHandler)).status(&err)
		if st := status.Convert(err); st.Code() != want || !strings.Contains(st.Message(), cause.Error()) {
			t.Errorf("%v became %v", cause, st)
		}
	}
}

func TestHeartbeat(t *testing.T) {
	w := dial(t, plenty, time.Millisecond)
	stream := w.subscribe(t, &ssev1.SubscribeRequest{Topics: []string{"t"}})
	ready := next(t, stream).GetReady()
	if item := next(t, stream); item.GetHeartbeat().GetEventId() != ready.EventId {
		t.Errorf("got %v, want a heartbeat at %s", item, ready.EventId)
	}
	// Case 48: the cursor moves past what the subscriber does not want.
	other := w.publish(t, &ssev1.PublishRequest{Topic: "other"})
	for item := next(t, stream); item.GetHeartbeat().GetEventId() != other.EventId; item = next(t, stream) {
		if item.GetHeartbeat() == nil {
			t.Fatalf("got %v", item)
		}
	}
}

// Case 65: what was acknowledged is delivered, then the stream ends.
func TestStop(t *testing.T) {
	w := dial(t, plenty, 15*time.Second)
	stream := w.subscribe(t, &ssev1.SubscribeRequest{Topics: []string{"t"}})
	next(t, stream)
	w.publish(t, &ssev1.PublishRequest{Topic: "t", Data: []byte("last words")})
	w.Close()
	if item := next(t, stream); string(item.GetEvent().GetData()) != "last words" {
		t.Errorf("got %v", item)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("ended with %v", err)
	}
}

// Case 62: a client that never reads is told so, and holds nobody up.
func TestClientThatDoesNotRead(t *testing.T) {
	w := dial(t, hub.Retention{Events: 4, Bytes: 1 << 30, Age: time.Hour}, 15*time.Second)
	stuck := w.subscribe(t, &ssev1.SubscribeRequest{Topics: []string{"t"}})
	next(t, stuck)
	data := []byte(strings.Repeat("x", 1<<20))
	for w.slow(t) == 0 {
		w.publish(t, &ssev1.PublishRequest{Topic: "t", Data: data})
	}
	var err error
	for err == nil {
		_, err = stuck.Recv()
	}
	if status.Code(err) != codes.Aborted {
		t.Errorf("ended with %v", err)
	}
	w.subscribers(t, 0)
}

// Clients that leave take with them all that was there for them.
func TestNothingIsLeftBehind(t *testing.T) {
	w := dial(t, plenty, 15*time.Second)
	w.publish(t, &ssev1.PublishRequest{Topic: "t"}) // the connection stands
	before := runtime.NumGoroutine()
	const n = 50
	ctx, cancel := context.WithCancel(t.Context())
	for range n {
		stream, err := w.SSEHubServiceClient.Subscribe(ctx, &ssev1.SubscribeRequest{Topics: []string{"t"}})
		if err != nil {
			t.Fatal(err)
		}
		next(t, stream)
	}
	w.subscribers(t, n)
	if resp := w.publish(t, &ssev1.PublishRequest{Topic: "t"}); resp.Receivers != n {
		t.Errorf("%d receivers, want %d", resp.Receivers, n)
	}
	cancel()
	w.subscribers(t, 0)
	for limit := time.Now().Add(30 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

func TestGetServerInfo(t *testing.T) {
	w := dial(t, plenty, 15*time.Second)
	info, err := w.GetServerInfo(t.Context(), &ssev1.GetServerInfoRequest{})
	if err != nil || info.InstanceId == "" || !info.StartTime.IsValid() || !cmp.Equal(info.ApiVersions, []string{"obby.sse.v1"}) {
		t.Errorf("info is %v, %v", info, err)
	}
}

// grants is an Access that knows tokens by name.
type grants map[string]*access.Grant

func (g grants) Verify(token string) (*access.Grant, error) {
	if grant := g[token]; grant != nil {
		return grant, nil
	}
	return nil, fmt.Errorf("%w: unknown", access.ErrToken)
}

// outage is an Access whose keys are out of reach.
type outage struct{}

func (outage) Verify(string) (*access.Grant, error) {
	return nil, fmt.Errorf("%w: no connection to the secret place", access.ErrKeys)
}

// Case 70: when a token cannot be judged, the caller is to try again; where the keys
// are is for the log.
func TestKeysOutOfReach(t *testing.T) {
	w := dial(t, plenty, 15*time.Second)
	var log bytes.Buffer
	w.server.access, w.server.log = outage{}, slog.New(slog.NewTextHandler(&log, nil))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer x")
	_, err := w.Publish(ctx, &ssev1.PublishRequest{Topic: "t"})
	if status.Code(err) != codes.Unavailable || strings.Contains(err.Error(), "secret place") {
		t.Errorf("publish: %v", err)
	}
	if !strings.Contains(log.String(), "token cannot be verified") || !strings.Contains(log.String(), "secret place") {
		t.Errorf("the log says %q", &log)
	}
}

// Cases 46 and 69: over gRPC as over HTTP a token says what may be read, and for
// how long.
func TestTokens(t *testing.T) {
	w := dial(t, plenty, 15*time.Second)
	soon := access.NewGrant("ann", time.Now().Add(300*time.Millisecond), []string{"a.*"}, []string{"a.b"})
	w.server.access = grants{"good": soon}
	with := func(token string) context.Context {
		return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
	}
	for _, tc := range []struct {
		name string
		call func() error
		want codes.Code
	}{
		{"no token", func() error { _, err := w.Publish(t.Context(), &ssev1.PublishRequest{Topic: "a.b"}); return err }, codes.Unauthenticated},
		{"a bad token", func() error { _, err := w.Publish(with("x"), &ssev1.PublishRequest{Topic: "a.b"}); return err }, codes.Unauthenticated},
		{"a topic not granted", func() error { _, err := w.Publish(with("good"), &ssev1.PublishRequest{Topic: "a.c"}); return err }, codes.PermissionDenied},
		{"a topic granted", func() error { _, err := w.Publish(with("good"), &ssev1.PublishRequest{Topic: "a.b"}); return err }, codes.OK},
		{"case 46: more than is granted", func() error {
			stream, err := w.SSEHubServiceClient.Subscribe(with("good"), &ssev1.SubscribeRequest{Topics: []string{"a.>"}})
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		}, codes.PermissionDenied},
	} {
		if err := tc.call(); status.Code(err) != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
	stream, err := w.SSEHubServiceClient.Subscribe(with("good"), &ssev1.SubscribeRequest{Topics: []string{"a.*"}})
	if err != nil {
		t.Fatal(err)
	}
	next(t, stream)
	if _, err := stream.Recv(); status.Code(err) != codes.Unauthenticated || !strings.Contains(err.Error(), "expired") {
		t.Errorf("case 69: the stream ends with %v", err)
	}
	w.subscribers(t, 0)
}

// Case 63: the newest stream of a client wins.
func TestReplaced(t *testing.T) {
	w := dial(t, plenty, 15*time.Second)
	older := w.subscribe(t, &ssev1.SubscribeRequest{Topics: []string{"t"}, ClientId: "c"})
	next(t, older)
	newer := w.subscribe(t, &ssev1.SubscribeRequest{Topics: []string{"t"}, ClientId: "c"})
	next(t, newer)
	if _, err := older.Recv(); status.Code(err) != codes.AlreadyExists {
		t.Errorf("the older one ends with %v", err)
	}
	w.publish(t, &ssev1.PublishRequest{Topic: "t", Data: []byte("x")})
	if item := next(t, newer); string(item.GetEvent().GetData()) != "x" {
		t.Errorf("got %v", item)
	}
}
