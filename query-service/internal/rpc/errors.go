package rpc

import (
	"google.golang.org/grpc/codes"

	"github.com/obby/go-services/internal/rpcerr"
	"github.com/obby/go-services/query-service/internal/query"
)

// table is what each error of the domain is to a caller. What is wrong with a
// field of the request becomes an rpcerr.Field where the field is read.
var table = rpcerr.Table{
	{Is: query.ErrUnavailable, Code: codes.Unavailable, Reason: "DATABASE_UNAVAILABLE"},
	{Is: query.ErrBusy, Code: codes.Unavailable, Reason: "DATABASE_BUSY"},
	{Is: errStopping, Code: codes.Unavailable, Reason: "SERVER_STOPPING"},
	{Is: query.ErrDamaged, Code: codes.DataLoss, Reason: "DATABASE_DAMAGED"},
	{Is: query.ErrPathNotFound, Code: codes.NotFound, Reason: "PATH_NOT_FOUND"},
	{Is: query.ErrVersionNotFound, Code: codes.NotFound, Reason: "VERSION_NOT_FOUND"},
	{Is: query.ErrContentNotKept, Code: codes.FailedPrecondition, Reason: "CONTENT_NOT_KEPT"},
	{Is: query.ErrBinary, Code: codes.FailedPrecondition, Reason: "CONTENT_BINARY"},
	{Is: query.ErrNoIndex, Code: codes.FailedPrecondition, Reason: "NO_SEARCH_INDEX"},
	{Is: query.ErrContentTooLarge, Code: codes.ResourceExhausted, Reason: "CONTENT_TOO_LARGE"},
	{Is: query.ErrDiffTooLarge, Code: codes.ResourceExhausted, Reason: "DIFF_TOO_LARGE"},
	{Is: query.ErrReplaced, Code: codes.Aborted, Reason: "DATABASE_REPLACED"},
}
