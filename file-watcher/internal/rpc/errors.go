package rpc

import (
	"errors"

	"google.golang.org/grpc/codes"

	"github.com/obby/go-services/file-watcher/internal/watch"
	"github.com/obby/go-services/internal/rpcerr"
)

// table maps the errors of package watch to statuses.
var table = rpcerr.Table{
	{Is: watch.ErrRootMissing, Code: codes.NotFound, Reason: "ROOT_MISSING"},
	{Is: watch.ErrRootUnreadable, Code: codes.PermissionDenied, Reason: "ROOT_UNREADABLE"},
	{Is: watch.ErrLimit, Code: codes.ResourceExhausted, Reason: "SYSTEM_LIMIT"},
	{Is: watch.ErrUnknownWatch, Code: codes.NotFound, Reason: "WATCH_NOT_FOUND"},
	{Is: watch.ErrShuttingDown, Code: codes.Unavailable, Reason: "SHUTTING_DOWN"},
}

// fields maps the errors that blame a field of the request to that field.
var fields = []struct {
	is   error
	name string
}{
	{watch.ErrInvalidRoot, "path"},
	{watch.ErrInvalidPattern, "patterns"},
	{watch.ErrInvalidToken, "resume_token"},
}

// fail returns the status of err, nil for nil.
func (s *Server) fail(err error) error {
	for _, field := range fields {
		if errors.Is(err, field.is) {
			err = rpcerr.Field(field.name, "%v", err)
			break
		}
	}
	return table.Status(s.log, err)
}
