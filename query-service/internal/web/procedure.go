package web

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/obby/go-services/internal/rpcerr"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

// The content types of calls by name: of an ordinary method, of one that answers
// with a stream, and of either.
var (
	plainTypes  = map[string]bool{"application/json": true, "application/proto": true}
	streamTypes = map[string]bool{"application/connect+json": true, "application/connect+proto": true}
	eitherTypes = map[string]bool{
		"application/grpc-web": true, "application/grpc-web+proto": true, "application/grpc-web+json": true,
		"application/grpc": true, "application/grpc+proto": true, "application/grpc+json": true,
	}
)

// encodings are the headers that say how a body, or a message in it, is packed.
var encodings = []string{"Content-Encoding", "Connect-Content-Encoding", "Grpc-Encoding"}

// procedures takes calls by name, as Connect, gRPC-Web and gRPC make them. What is
// wrong with the call itself is said here: vanguard would say it in a text, or not.
type procedures struct {
	methods protoreflect.MethodDescriptors
	calls   http.Handler
}

// ServeHTTP implements http.Handler.
func (p *procedures) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := p.methods.ByName(protoreflect.Name(path.Base(r.URL.Path)))
	if method == nil || strings.Count(r.URL.Path, "/") != 2 {
		refusePath(w, r)
		return
	}
	streams := method.IsStreamingServer()
	if r.Method == http.MethodGet && !streams && r.URL.Query().Get("connect") == "v1" {
		if err := asPost(r); err != nil {
			writeError(w, http.StatusBadRequest, err)
			return
		}
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST, OPTIONS")
		refuse(w, http.StatusMethodNotAllowed, errMethod, "%s is not a method of %s: use POST, or the path below /api/v1/ that the contract names", r.Method, r.URL.Path)
		return
	}
	if !p.understands(w, r, streams) {
		return
	}
	if err := readable(r, method.Input()); err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	p.calls.ServeHTTP(w, r)
}

// understands prepares the headers for vanguard, or refuses the call and returns
// false. Connect's version may be left out, as its specification says, where the
// content type tells that it is no REST call.
func (p *procedures) understands(w http.ResponseWriter, r *http.Request, streams bool) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	switch {
	case streams && !streamTypes[kind] && !eitherTypes[kind]:
		refuse(w, http.StatusUnsupportedMediaType, errType, "%s answers with a stream: its content type is application/connect+json or application/grpc-web+proto, not %q", r.URL.Path, kind)
		return false
	case !streams && !plainTypes[kind] && !eitherTypes[kind]:
		refuse(w, http.StatusUnsupportedMediaType, errType, "the content type of %s is application/json, application/proto or application/grpc-web+proto, not %q", r.URL.Path, kind)
		return false
	case strings.HasPrefix(kind, "application/grpc") && !strings.HasPrefix(kind, "application/grpc-web") && r.ProtoMajor < 2:
		refuse(w, http.StatusHTTPVersionNotSupported, errType, "gRPC needs HTTP/2: by HTTP/1.1 there are application/json and application/grpc-web+proto")
		return false
	}
	for _, header := range encodings {
		if value := r.Header.Get(header); value != "" && value != "identity" {
			// A few KB can be packed that fill the memory, and no request is long.
			refuse(w, http.StatusUnsupportedMediaType, errType, "%s: %s: requests are not unpacked: send it as it is", header, value)
			return false
		}
	}
	if plainTypes[kind] {
		r.Header.Set("Connect-Protocol-Version", "1")
	}
	r.Header.Set("Content-Type", kind)
	return true
}

// readable looks at a message that vanguard hands on as it is, for gRPC would call it
// the service's mistake, and at one that is not there.
func readable(r *http.Request, input protoreflect.MessageDescriptor) error {
	switch r.Header.Get("Content-Type") {
	case "application/json":
		if r.ContentLength == 0 {
			return rpcerr.Field("body", "is empty: {} is a request without fields")
		}
	case "application/proto":
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		if err := proto.Unmarshal(data, dynamicpb.NewMessage(input)); err != nil {
			return rpcerr.Field("body", "is not the bytes of %s: %v", input.Name(), err)
		}
		r.Body = io.NopCloser(bytes.NewReader(data))
	}
	return nil
}

// asPost makes a call by Connect's GET, whose message is a parameter, one by POST.
func asPost(r *http.Request) error {
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return rpcerr.Field("query", "the part of the URL after ? cannot be read: %v", err)
	}
	message := []byte(given.Get("message"))
	if given.Get("base64") == "1" {
		if message, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(string(message), "=")); err != nil {
			return rpcerr.Field("message", "is not base64 for URLs: %v", err)
		}
	}
	if packed := given.Get("compression"); packed != "" && packed != "identity" {
		return rpcerr.Field("compression", "is %q: requests are not unpacked: send it as it is", packed)
	}
	if r.ContentLength != 0 {
		return rpcerr.Field("body", "a GET request takes none: the message is a parameter of the URL")
	}
	r.Method, r.URL.RawQuery = http.MethodPost, ""
	r.Header.Set("Content-Type", "application/"+given.Get("encoding"))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(message)), int64(len(message))
	return nil
}

func methods() protoreflect.MethodDescriptors {
	return queryv1.File_obby_query_v1_query_proto.Services().ByName("QueryService").Methods()
}
