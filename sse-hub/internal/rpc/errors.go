package rpc

import (
	"errors"

	"google.golang.org/grpc/codes"

	"github.com/obby/go-services/internal/rpcerr"
	"github.com/obby/go-services/sse-hub/internal/access"
	"github.com/obby/go-services/sse-hub/internal/hub"
)

var (
	// errNotGranted refuses a topic that a token does not cover.
	errNotGranted = errors.New("the token does not grant this topic")
	// errExpired ends a stream whose token has run out.
	errExpired = errors.New("the token has expired: subscribe again with a new one")
)

// table is what each error of the domain is to a caller.
var table = rpcerr.Table{
	{Is: hub.ErrTooLarge, Code: codes.ResourceExhausted, Reason: "DATA_TOO_LARGE"},
	{Is: hub.ErrOvertaken, Code: codes.Aborted, Reason: "SUBSCRIBER_OVERTAKEN"},
	{Is: hub.ErrReplaced, Code: codes.AlreadyExists, Reason: "SUBSCRIBER_REPLACED"},
	{Is: hub.ErrStopping, Code: codes.Unavailable, Reason: "SERVER_STOPPING"},
	{Is: hub.ErrHistory, Code: codes.Unavailable, Reason: "HISTORY_UNAVAILABLE"},
	{Is: access.ErrToken, Code: codes.Unauthenticated, Reason: "TOKEN_NEEDED"},
	{Is: access.ErrKeys, Code: codes.Unavailable, Reason: "KEYS_UNAVAILABLE"},
	{Is: errExpired, Code: codes.Unauthenticated, Reason: "TOKEN_EXPIRED"},
	{Is: errNotGranted, Code: codes.PermissionDenied, Reason: "TOPIC_NOT_GRANTED"},
}

// status makes of a method's error the status that its caller gets.
func (s *Server) status(err *error) {
	var invalid *hub.InvalidError
	if errors.As(*err, &invalid) {
		*err = rpcerr.Field(invalid.Field, "%s", invalid.Reason)
	}
	*err = table.Status(s.log, *err)
}
