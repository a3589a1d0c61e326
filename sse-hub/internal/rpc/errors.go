package rpc

import (
	"errors"

	"google.golang.org/grpc/codes"

	"github.com/obby/go-services/internal/rpcerr"
	"github.com/obby/go-services/sse-hub/internal/hub"
)

// table is what each error of the domain is to a caller.
var table = rpcerr.Table{
	{Is: hub.ErrTooLarge, Code: codes.ResourceExhausted, Reason: "DATA_TOO_LARGE"},
	{Is: hub.ErrOvertaken, Code: codes.Aborted, Reason: "SUBSCRIBER_OVERTAKEN"},
	{Is: hub.ErrStopping, Code: codes.Unavailable, Reason: "SERVER_STOPPING"},
}

// status makes of a method's error the status that its caller gets.
func (s *Server) status(err *error) {
	var invalid *hub.InvalidError
	if errors.As(*err, &invalid) {
		*err = rpcerr.Field(invalid.Field, "%s", invalid.Reason)
	}
	*err = table.Status(s.log, *err)
}
