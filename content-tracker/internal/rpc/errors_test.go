package rpc

import (
	"fmt"
	"io/fs"
	"log/slog"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/obby/go-services/content-tracker/internal/track"
)

func TestStatuses(t *testing.T) {
	want := map[error]codes.Code{
		track.ErrInvalidPath: codes.InvalidArgument, track.ErrNotRegular: codes.InvalidArgument, track.ErrNoRoot: codes.InvalidArgument,
		track.ErrOutsideRoots: codes.PermissionDenied, track.ErrUnreadable: codes.PermissionDenied,
		track.ErrNotFound: codes.NotFound, fs.ErrNotExist: codes.NotFound, track.ErrNoVersion: codes.NotFound,
		track.ErrNoContent: codes.FailedPrecondition, track.ErrRootWaiting: codes.FailedPrecondition,
		track.ErrNothingThen: codes.NotFound, track.ErrInTheWay: codes.FailedPrecondition, track.ErrNoPolicy: codes.FailedPrecondition,
		track.ErrReadFailed: codes.Unavailable, track.ErrReplaced: codes.Unavailable, errStopping: codes.Unavailable,
		track.ErrKeepsChanging: codes.Aborted, track.ErrFull: codes.ResourceExhausted, track.ErrDiffTooLarge: codes.ResourceExhausted, track.ErrBusy: codes.Unavailable,
	}
	for _, row := range statuses {
		err := statuses.Status(slog.New(slog.DiscardHandler), fmt.Errorf("about a file: %w", row.Is))
		if got := status.Code(err); got != want[row.Is] {
			t.Errorf("%v becomes %v, want %v", row.Is, got, want[row.Is])
		}
		delete(want, row.Is)
	}
	if len(want) > 0 {
		t.Errorf("no row for %v", want)
	}
}
