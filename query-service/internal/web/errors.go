package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"google.golang.org/grpc/codes"

	"github.com/obby/go-services/internal/rpcerr"
)

// What is wrong with a request before it is a call.
var (
	errPath   = errors.New("no such path")
	errMethod = errors.New("no such method")
	errSize   = errors.New("too large")
	errSite   = errors.New("not for this site")
)

var table = rpcerr.Table{
	{Is: errPath, Code: codes.NotFound, Reason: "NO_SUCH_PATH"},
	{Is: errMethod, Code: codes.Unimplemented, Reason: "METHOD_NOT_ALLOWED"},
	{Is: errSize, Code: codes.ResourceExhausted, Reason: "REQUEST_TOO_LARGE"},
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
