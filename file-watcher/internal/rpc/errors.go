package rpc

import (
	"google.golang.org/grpc/codes"

	"github.com/obby/go-services/file-watcher/internal/watch"
	"github.com/obby/go-services/internal/rpcerr"
)

// table maps the errors of package watch to statuses.
var table = rpcerr.Table{
	{Is: watch.ErrInvalidRoot, Code: codes.InvalidArgument, Reason: "INVALID_ROOT", Field: "path"},
	{Is: watch.ErrInvalidPattern, Code: codes.InvalidArgument, Reason: "INVALID_PATTERN", Field: "patterns"},
	{Is: watch.ErrInvalidToken, Code: codes.InvalidArgument, Reason: "INVALID_RESUME_TOKEN", Field: "resume_token"},
	{Is: watch.ErrRootMissing, Code: codes.NotFound, Reason: "ROOT_MISSING"},
	{Is: watch.ErrRootUnreadable, Code: codes.PermissionDenied, Reason: "ROOT_UNREADABLE"},
	{Is: watch.ErrLimit, Code: codes.ResourceExhausted, Reason: "SYSTEM_LIMIT"},
	{Is: watch.ErrUnknownWatch, Code: codes.NotFound, Reason: "WATCH_NOT_FOUND"},
	{Is: watch.ErrShuttingDown, Code: codes.Unavailable, Reason: "SHUTTING_DOWN"},
}

// fail returns the status of err, nil for nil.
func (s *Server) fail(err error) error { return table.Status(s.log, err) }
