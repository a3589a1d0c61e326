package rpc

import (
	"fmt"
	"log/slog"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/file-watcher/internal/watch"
)

func TestStatusOfEveryError(t *testing.T) {
	s := &Server{log: slog.New(slog.DiscardHandler)}
	for _, tc := range []struct {
		err    error
		code   codes.Code
		reason string
	}{
		{watch.ErrInvalidRoot, codes.InvalidArgument, "INVALID_ROOT"},
		{watch.ErrInvalidPattern, codes.InvalidArgument, "INVALID_PATTERN"},
		{watch.ErrInvalidToken, codes.InvalidArgument, "INVALID_RESUME_TOKEN"},
		{watch.ErrRootMissing, codes.NotFound, "ROOT_MISSING"},
		{watch.ErrRootUnreadable, codes.PermissionDenied, "ROOT_UNREADABLE"},
		{watch.ErrLimit, codes.ResourceExhausted, "SYSTEM_LIMIT"},
		{watch.ErrUnknownWatch, codes.NotFound, "WATCH_NOT_FOUND"},
		{watch.ErrShuttingDown, codes.Unavailable, "SHUTTING_DOWN"},
	} {
		st := status.Convert(s.fail(fmt.Errorf("watch x: %w", tc.err)))
		info, _ := st.Details()[0].(*errdetails.ErrorInfo)
		if st.Code() != tc.code || info.GetReason() != tc.reason {
			t.Errorf("%v: status is %v %v, want %v %s", tc.err, st.Code(), info, tc.code, tc.reason)
		}
	}
	if err := s.fail(nil); err != nil {
		t.Errorf("nil became %v", err)
	}
}
