// Package rpcerr turns a domain's errors into gRPC statuses.
//
// Each service keeps one Table that maps its sentinel errors to codes; nothing
// else in a service builds a status. Every status carries google.rpc.ErrorInfo;
// a FieldError adds google.rpc.BadRequest naming the field; UNAVAILABLE adds
// google.rpc.RetryInfo. An error that no row knows becomes INTERNAL with a fixed
// text: its cause goes to the log and never to a caller. Long values that an error
// quotes are cut, or it would not reach the caller: see cut.
package rpcerr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Domain is the google.rpc.ErrorInfo domain of every error.
const Domain = "obby.dev"

// retryAfter is what RetryInfo asks of a caller that met UNAVAILABLE. A guess:
// longer than a database transaction, shorter than a person's patience.
const retryAfter = time.Second

// FieldError says that a field of the request is not usable. It answers
// INVALID_ARGUMENT in every service.
type FieldError struct {
	Field       string            // proto name of the field, such as "page_size"
	Description string            // what is wrong and what is allowed
	Metadata    map[string]string // of the ErrorInfo, for programs; may be nil
}

// Field returns a FieldError.
func Field(field, format string, args ...any) error {
	return &FieldError{Field: field, Description: fmt.Sprintf(format, args...)}
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Description }

// Row maps one sentinel to a code.
type Row struct {
	Is     error      // compared with errors.Is
	Code   codes.Code // what the caller gets
	Reason string     // ErrorInfo reason, UPPER_SNAKE_CASE
	Field  string     // the request's field that is to blame; empty: none
}

// Table maps a service's errors; the first row that matches wins.
type Table []Row

// Status returns the gRPC status error of err, nil for nil. An err that is a
// status already is returned as it is.
func (t Table) Status(log *slog.Logger, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	var field *FieldError
	switch {
	case errors.As(err, &field):
		return build(codes.InvalidArgument, "INVALID_FIELD", err, field.Metadata, blame(field.Field, field.Description))
	case errors.Is(err, context.Canceled):
		return build(codes.Canceled, "CANCELED", err, nil)
	case errors.Is(err, context.DeadlineExceeded):
		return build(codes.DeadlineExceeded, "DEADLINE_EXCEEDED", err, nil)
	}
	for _, row := range t {
		if errors.Is(err, row.Is) {
			return row.status(err)
		}
	}
	log.Error("request met an unexpected error", "err", err)
	return build(codes.Internal, "INTERNAL", errors.New("internal error; the service's log has the cause"), nil)
}

func (r Row) status(err error) error {
	switch {
	case r.Code == codes.Unavailable:
		return build(r.Code, r.Reason, err, nil, &errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)})
	case r.Field != "":
		return build(r.Code, r.Reason, err, nil, blame(r.Field, err.Error()))
	}
	return build(r.Code, r.Reason, err, nil)
}

func blame(field, description string) *errdetails.BadRequest {
	return &errdetails.BadRequest{
		FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: field, Description: cut(description)}},
	}
}

func build(code codes.Code, reason string, err error, metadata map[string]string, details ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{Domain: Domain, Reason: reason, Metadata: metadata}
	message := cut(err.Error())
	st, detailErr := status.New(code, message).WithDetails(append([]protoadapt.MessageV1{info}, details...)...)
	if detailErr != nil { // only for a message that cannot be marshalled
		return status.Error(code, message)
	}
	return st.Err()
}
