package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"google.golang.org/grpc/codes"

	"github.com/obby/go-services/internal/reqbody"
	"github.com/obby/go-services/internal/rpcerr"
)

// What is wrong with a request before it is a call.
var (
	errPath   = errors.New("no such path")
	errMethod = errors.New("no such method")
	errType   = errors.New("no such content type")
	errCall   = errors.New("no such call")
	errSite   = errors.New("not for this site")
)

var table = rpcerr.Table{
	{Is: errPath, Code: codes.NotFound, Reason: "NO_SUCH_PATH"},
	{Is: errMethod, Code: codes.Unimplemented, Reason: "METHOD_NOT_ALLOWED"},
	{Is: errType, Code: codes.InvalidArgument, Reason: "MEDIA_TYPE_NOT_SUPPORTED"},
	{Is: errCall, Code: codes.InvalidArgument, Reason: "CALL_NOT_UNDERSTOOD"},
	{Is: reqbody.ErrTooLarge, Code: codes.ResourceExhausted, Reason: "REQUEST_TOO_LARGE"},
	{Is: reqbody.ErrSlow, Code: codes.DeadlineExceeded, Reason: "REQUEST_TOO_SLOW"},
	{Is: reqbody.ErrBroken, Code: codes.InvalidArgument, Reason: "REQUEST_BROKEN_OFF"},
	{Is: errSite, Code: codes.PermissionDenied, Reason: "SITE_NOT_ALLOWED"},
}

// refuse answers with one of the errors above and a sentence.
func refuse(w http.ResponseWriter, code int, kind error, format string, args ...any) {
	writeError(w, code, &refusal{kind, fmt.Sprintf(format, args...)})
}

func writeError(w http.ResponseWriter, code int, err error) {
	rpcerr.WriteHTTP(w, code, table.Status(slog.New(slog.DiscardHandler), err))
}

// refusal says what its kind is in a sentence of its own.
type refusal struct {
	kind     error
	sentence string
}

func (r *refusal) Error() string { return r.sentence }
func (r *refusal) Unwrap() error { return r.kind }
