package rpc

import (
	"io/fs"

	"google.golang.org/grpc/codes"

	"github.com/obby/go-services/content-tracker/internal/track"
	"github.com/obby/go-services/internal/rpcerr"
)

// statuses says which status each error of the domain gets.
var statuses = rpcerr.Table{
	{Is: track.ErrInvalidPath, Code: codes.InvalidArgument, Reason: "INVALID_PATH", Field: "path"},
	{Is: track.ErrNotRegular, Code: codes.InvalidArgument, Reason: "NOT_A_REGULAR_FILE", Field: "path"},
	{Is: track.ErrNoRoot, Code: codes.InvalidArgument, Reason: "NOT_A_ROOT", Field: "path"},
	{Is: track.ErrOutsideRoots, Code: codes.PermissionDenied, Reason: "OUTSIDE_ROOTS"},
	{Is: track.ErrUnreadable, Code: codes.PermissionDenied, Reason: "UNREADABLE"},
	{Is: track.ErrReadFailed, Code: codes.Unavailable, Reason: "READ_FAILED"},
	{Is: track.ErrNotFound, Code: codes.NotFound, Reason: "NEVER_RECORDED"},
	{Is: fs.ErrNotExist, Code: codes.NotFound, Reason: "FILE_NOT_FOUND"},
	{Is: track.ErrNoVersion, Code: codes.NotFound, Reason: "VERSION_NOT_FOUND"},
	{Is: track.ErrNoPolicy, Code: codes.FailedPrecondition, Reason: "NO_POLICY"},
	{Is: track.ErrNothingThen, Code: codes.NotFound, Reason: "NOTHING_THEN"},
	{Is: track.ErrInTheWay, Code: codes.FailedPrecondition, Reason: "IN_THE_WAY"},
	{Is: track.ErrNoContent, Code: codes.FailedPrecondition, Reason: "CONTENT_NOT_STORED"},
	{Is: track.ErrRootWaiting, Code: codes.FailedPrecondition, Reason: "ROOT_WAITING"},
	{Is: track.ErrKeepsChanging, Code: codes.Aborted, Reason: "FILE_KEEPS_CHANGING"},
	{Is: track.ErrDiffTooLarge, Code: codes.ResourceExhausted, Reason: "DIFF_TOO_LARGE"},
	{Is: track.ErrFull, Code: codes.ResourceExhausted, Reason: "DISK_FULL"},
	{Is: errStopping, Code: codes.Unavailable, Reason: "STOPPING"},
	{Is: track.ErrReplaced, Code: codes.Unavailable, Reason: "DATABASE_REPLACED"},
	{Is: track.ErrBusy, Code: codes.Unavailable, Reason: "DATABASE_BUSY"},
}
