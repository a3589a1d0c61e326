package rpcerr_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statusv1 "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/obby/go-services/internal/rpcerr"
)

var (
	errGone = errors.New("no such thing")
	errBusy = errors.New("database locked")
	errOdd  = errors.New("odd path")
	table   = rpcerr.Table{
		{Is: errGone, Code: codes.NotFound, Reason: "THING_NOT_FOUND"},
		{Is: errBusy, Code: codes.Unavailable, Reason: "DATABASE_BUSY"},
		{Is: errOdd, Code: codes.InvalidArgument, Reason: "ODD_PATH", Field: "path"},
	}
)

func TestStatus(t *testing.T) {
	for _, tc := range []struct {
		name, reason, text string
		err                error
		code               codes.Code
	}{
		{"sentinel", "THING_NOT_FOUND", "open x: no such thing", fmt.Errorf("open x: %w", errGone), codes.NotFound},
		{"unavailable", "DATABASE_BUSY", "database locked", errBusy, codes.Unavailable},
		{"field", "INVALID_FIELD", "page_size: -1 is negative", rpcerr.Field("page_size", "%d is negative", -1), codes.InvalidArgument},
		{"cancelled", "CANCELED", "context canceled", context.Canceled, codes.Canceled},
		{"deadline", "DEADLINE_EXCEEDED", "context deadline exceeded", context.DeadlineExceeded, codes.DeadlineExceeded},
		{"unknown", "INTERNAL", "internal error; the service's log has the cause", errors.New("secret path"), codes.Internal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st := status.Convert(table.Status(slog.New(slog.DiscardHandler), tc.err))
			if st.Code() != tc.code || st.Message() != tc.text {
				t.Errorf("status is %v %q, want %v %q", st.Code(), st.Message(), tc.code, tc.text)
			}
			info, ok := st.Details()[0].(*errdetails.ErrorInfo)
			if !ok || info.Reason != tc.reason || info.Domain != rpcerr.Domain {
				t.Errorf("details are %v, want ErrorInfo %s", st.Details(), tc.reason)
			}
		})
	}
}

func TestStatusDetails(t *testing.T) {
	discard := slog.New(slog.DiscardHandler)
	for _, err := range []error{rpcerr.Field("path", "is empty"), errOdd} {
		bad := status.Convert(table.Status(discard, err)).Details()[1].(*errdetails.BadRequest)
		if got := bad.FieldViolations[0].Field; got != "path" {
			t.Errorf("violation of %v names %q, want path", err, got)
		}
	}
	retry := status.Convert(table.Status(discard, errBusy)).Details()[1].(*errdetails.RetryInfo)
	if retry.RetryDelay.AsDuration() <= 0 {
		t.Errorf("retry delay is %v, want more than 0", retry.RetryDelay)
	}
	if err := table.Status(discard, nil); err != nil {
		t.Errorf("nil became %v", err)
	}
	own := status.Error(codes.Aborted, "mine")
	if err := table.Status(discard, own); err != own {
		t.Errorf("a status became %v", err)
	}
}

func TestUnknownCauseIsLogged(t *testing.T) {
	var log bytes.Buffer
	err := table.Status(slog.New(slog.NewTextHandler(&log, nil)), errors.New("secret path"))
	if !strings.Contains(log.String(), "secret path") {
		t.Errorf("log %q lacks the cause", log.String())
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("status %v shows the cause", err)
	}
}

func TestWriteHTTP(t *testing.T) {
	w := httptest.NewRecorder()
	rpcerr.WriteHTTP(w, http.StatusBadGateway, table.Status(slog.New(slog.DiscardHandler), fmt.Errorf("at x: %w", errBusy)))
	var got statusv1.Status
	if err := protojson.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if w.Code != 502 || w.Header().Get("Content-Type") != "application/json" || got.Code != int32(codes.Unavailable) || got.Message != "at x: database locked" || len(got.Details) != 2 {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}
