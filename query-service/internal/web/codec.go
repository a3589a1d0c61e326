package web

import (
	"errors"
	"log/slog"

	"connectrpc.com/connect"
	"connectrpc.com/vanguard"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/obby/go-services/internal/rpcerr"
)

// codec is JSON in which what cannot be read is the caller's mistake, and what cannot
// be written the service's. Both errors have details, as those of gRPC have.
type codec struct {
	vanguard.JSONCodec
	log *slog.Logger
}

// newCodec returns a maker of codecs that write zeros and empty lists, so that a
// script finds every field, and leave out what is not set; they refuse what they do
// not know.
func newCodec(log *slog.Logger) func(vanguard.TypeResolver) vanguard.Codec {
	return func(types vanguard.TypeResolver) vanguard.Codec {
		return codec{vanguard.JSONCodec{
			MarshalOptions:   protojson.MarshalOptions{Resolver: types, EmitDefaultValues: true},
			UnmarshalOptions: protojson.UnmarshalOptions{Resolver: types},
		}, log}
	}
}

// Unmarshal implements vanguard.Codec.
func (c codec) Unmarshal(data []byte, message proto.Message) error {
	if err := c.JSONCodec.Unmarshal(data, message); err != nil {
		return c.detailed(rpcerr.Field("body", "is not the JSON of %s: %v", message.ProtoReflect().Descriptor().Name(), err))
	}
	return nil
}

// MarshalAppend implements vanguard.Codec.
func (c codec) MarshalAppend(base []byte, message proto.Message) ([]byte, error) {
	data, err := c.JSONCodec.MarshalAppend(base, message)
	if err != nil {
		return nil, c.detailed(err)
	}
	return data, nil
}

// detailed returns an error in the form that vanguard hands on whole.
func (c codec) detailed(err error) error {
	said := status.Convert(table.Status(c.log, err))
	handed := connect.NewError(connect.Code(said.Code()), errors.New(said.Message()))
	for _, any := range said.Proto().Details {
		if detail, err := connect.NewErrorDetail(any); err == nil { // an Any is taken as it is
			handed.AddDetail(detail)
		}
	}
	return handed
}
