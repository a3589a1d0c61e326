package rpcerr

import (
	"net/http"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
)

// WriteHTTP answers an HTTP request with a status error, as google.rpc.Status in
// JSON. It is for errors that are met before or beyond the gRPC server; code is the
// HTTP status.
func WriteHTTP(w http.ResponseWriter, code int, err error) {
	body, marshalErr := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(status.Convert(err).Proto())
	if marshalErr != nil { // only for details that are not known
		body = []byte(`{"code":13,"message":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // nobody is left to tell
}
