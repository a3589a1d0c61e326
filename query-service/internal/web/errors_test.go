package web

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/sqlitetest"
)

// said is an error in either form: google.rpc.Status as JSON, or Connect's, whose
// code is a word and whose details have their values as base64.
type said struct {
	Code    any
	Message string
	Details []struct {
		Type    string // Connect's
		AnyType string `json:"@type"`
	}
}

// askDirectly is ask without following redirects.
func (s *site) askDirectly(t *testing.T, method, path, body, kind string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// Every refusal is JSON with a sentence and an ErrorInfo, and has the HTTP status
// that says what is wrong: none is a text, a page or a redirect.
func TestEveryErrorHasDetails(t *testing.T) {
	s := serve(t, sqlitetest.Legacy(t))
	const call = procedurePath + "GetRecentDiffs"
	for _, tc := range []struct {
		method, path, body, kind string
		code                     int
	}{
		{"GET", "/api/v1//diffs", "", "", 404},
		{"GET", "/api/v1/../v1/diffs", "", "", 404},
		{"GET", "/api/v1/./diffs", "", "", 404},
		{"GET", "/api/v1/topics//files", "", "", 404},
		{"GET", strings.TrimSuffix(procedurePath, "/"), "", "", 404},
		{"GET", "/api" + strings.TrimSuffix(procedurePath, "/"), "", "", 404},
		{"GET", "/api/v1/versions/9223372036854775808", "", "", 400},
		{"GET", "/api/v1/topics/%2F..%2F/files?page_size=-1", "", "", 400},
		{"GET", "/api/v1/diffs?a;b", "", "", 400},
		{"GET", "/api/v1/diff", "", "", 400},
		{"GET", "/api/v1/files", "", "", 400},
		{"PUT", "/api/v1/diffs", "", "", 405},
		{"POST", "/api/v1/diffs", "{}", "application/json", 405},
		{"POST", call, "{", "application/json", 400},
		{"POST", call, "", "application/json", 400},
		{"POST", call, `{"nope":1}`, "application/json", 400},
		{"POST", call, `{"pageSize":-1}`, "application/json", 400},
		{"POST", call, "\xff", "application/proto", 400},
		{"POST", procedurePath + "Nope", `{}`, "application/json", 404},
		{"POST", procedurePath + "a/GetRecentDiffs", `{}`, "application/json", 404},
		{"POST", call, `{}`, "text/plain", 415},
		{"POST", call, `{}`, "application/connect+json", 415},
		{"POST", call, `{}`, "", 415},
		{"POST", call, "", "application/grpc", 505},
		{"PUT", call, `{}`, "application/json", 405},
		{"GET", call, "", "", 405},
		{"GET", call, "", "application/json", 405},
		{"GET", call + "?connect=v1&encoding=text&message={}", "", "", 415},
		{"GET", call + "?connect=v1&encoding=json&base64=1&message=!", "", "", 400},
		{"GET", call + "?connect=v1&encoding=json&message={", "", "", 400},
		{"GET", call + "?connect=v1&%zz", "", "", 400},
		{"GET", procedurePath + "GetDiffsSince?connect=v1&encoding=json&message={}", "", "", 405},
		{"POST", procedurePath + "GetDiffsSince", `{}`, "application/json", 415},
	} {
		t.Run(tc.method+" "+tc.path+" "+tc.kind+" "+tc.body, func(t *testing.T) {
			resp, body := s.askDirectly(t, tc.method, tc.path, tc.body, tc.kind)
			var got said
			if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != tc.code || got.Message == "" || len(got.Details) == 0 {
				t.Fatalf("%s, %v: %q, want %d and details", resp.Status, err, body, tc.code)
			}
			info := got.Details[0]
			if !strings.HasSuffix(info.AnyType+info.Type, "google.rpc.ErrorInfo") {
				t.Errorf("its first detail is %+v", info)
			}
			if allow := resp.Header.Get("Allow"); (allow != "") != (tc.code == 405) {
				t.Errorf("Allow is %q", allow)
			}
		})
	}
}

// What vanguard says as a text comes as the other errors do.
func TestTextsBecomeStatuses(t *testing.T) {
	s := serve(t, sqlitetest.Legacy(t))
	resp, body := s.get(t, "/api/v1/diffs", "X-Server-Timeout", "soon")
	wantStatus(t, resp, body, 400, 3, "CALL_NOT_UNDERSTOOD")
	resp, body = s.ask(t, "POST", procedurePath+"GetRecentDiffs", "{}", "Content-Type", "application/json", "Connect-Timeout-Ms", "-1")
	wantStatus(t, resp, body, 400, 3, "CALL_NOT_UNDERSTOOD")
}

// An answer that has no form in JSON, such as a time before the year 1, is the
// service's mistake: its cause goes to the log and not out.
func TestAnswerWithoutJSON(t *testing.T) {
	var log strings.Builder
	_, err := newCodec(slog.New(slog.NewTextHandler(&log, nil)))(nil).MarshalAppend(nil, &timestamppb.Timestamp{Seconds: 1 << 60})
	var got *connect.Error
	if !errors.As(err, &got) || got.Code() != connect.CodeInternal || len(got.Details()) != 1 || got.Details()[0].Type() != "google.rpc.ErrorInfo" {
		t.Fatalf("it is %v", err)
	}
	if got.Message() != "internal error; the service's log has the cause" || !strings.Contains(log.String(), "out of range") {
		t.Errorf("it says %q, and the log %q", got.Message(), log.String())
	}
}
