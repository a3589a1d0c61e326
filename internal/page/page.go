// Package page is the paging of every list method: sizes with a default and a
// maximum, and opaque tokens that belong to the arguments they were made for
// (google AIP-158).
package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	"google.golang.org/protobuf/proto"

	"github.com/obby/go-services/internal/rpcerr"
)

// argsBytes is how much of the arguments' SHA-256 a token carries: enough to
// notice a mistake; a token grants nothing, so nobody gains by forging one.
const argsBytes = 8

// Size returns the page size in force: def for 0, at most limit.
func Size(requested int32, def, limit int) (int, error) {
	switch {
	case requested < 0:
		return 0, rpcerr.Field("page_size", "%d is negative: use 0 for the default of %d", requested, def)
	case requested == 0:
		return def, nil
	}
	return min(int(requested), limit), nil
}

// Token returns the token that continues after cursor. args is the request
// without its page_size and page_token: see Args.
func Token(cursor any, args []byte) (string, error) {
	text, err := json.Marshal(cursor)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(bytes.Clone(args), text...)), nil
}

// Parse reads a token of Token into cursor and reports whether there was one.
func Parse(token string, args []byte, cursor any) (bool, error) {
	if token == "" {
		return false, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < argsBytes || json.Unmarshal(raw[argsBytes:], cursor) != nil {
		return false, rpcerr.Field("page_token", "not a token of this method: use next_page_token of the page before")
	}
	if !bytes.Equal(raw[:argsBytes], args) {
		return false, rpcerr.Field("page_token", "belongs to a request with other arguments: repeat those, or leave the token empty")
	}
	return true, nil
}

// Args fingerprints a request for Token and Parse. Its fields page_size and
// page_token do not count.
func Args(request proto.Message) []byte {
	clone := proto.Clone(request)
	m := clone.ProtoReflect()
	for _, name := range []string{"page_size", "page_token"} {
		if field := m.Descriptor().Fields().ByTextName(name); field != nil {
			m.Clear(field)
		}
	}
	text, err := proto.MarshalOptions{Deterministic: true}.Marshal(clone)
	if err != nil { // only for a string that is not UTF-8, which never got past gRPC
		text = nil
	}
	sum := sha256.Sum256(append([]byte(m.Descriptor().FullName()), text...))
	return sum[:argsBytes]
}
