package web

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/obby/go-services/internal/reqbody"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

const procedurePath = "/obby.query.v1.QueryService/"

// frame puts the five bytes before a message that Connect's streams and gRPC-Web
// have, and frames takes a body of them apart.
func frame(message string) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))) + message
}

func frames(t *testing.T, body string) (flags []byte, messages []string) {
	t.Helper()
	for body != "" {
		size := int(binary.BigEndian.Uint32([]byte(body[1:5])))
		if len(body) < 5+size {
			t.Fatalf("a frame of %d bytes is cut: %q", size, body)
		}
		flags, messages = append(flags, body[0]), append(messages, body[5:5+size])
		body = body[5+size:]
	}
	return flags, messages
}

// Connect, by hand as curl does it: with and without its header, also below /api,
// where the hub passes it on.
func TestConnect(t *testing.T) {
	s := serve(t, legacy(t))
	for _, path := range []string{procedurePath, "/api" + procedurePath} {
		for _, headers := range [][]string{nil, {"Connect-Protocol-Version", "1"}, {"Content-Type", "application/json; charset=utf-8"}} {
			resp, body := s.ask(t, http.MethodPost, path+"GetVersionContent", `{"versionId":"1"}`, append([]string{"Content-Type", "application/json"}, headers...)...)
			var got struct{ Version struct{ VersionID string } }
			if err := json.Unmarshal([]byte(body), &got); err != nil || got.Version.VersionID != "1" {
				t.Errorf("%s with %v: %s %s", path, headers, resp.Status, body)
			}
		}
		resp, body := s.get(t, path+"GetVersionContent?connect=v1&encoding=json&base64=1&message="+base64.RawURLEncoding.EncodeToString([]byte(`{"versionId":1}`)))
		if resp.StatusCode != 200 || !strings.Contains(body, `"versionId"`) {
			t.Errorf("GET %s: %s %s", path, resp.Status, body)
		}
	}
	for body, want := range map[string]string{
		`{"versionId":"999"}`: `"code":"not_found"`,
		`{"versionIds":"1"}`:  `"code":"invalid_argument"`,
		`{"versionId":`:       `"code":"invalid_argument"`,
	} {
		resp, text := s.ask(t, http.MethodPost, procedurePath+"GetVersionContent", body, "Content-Type", "application/json")
		if resp.StatusCode < 400 || !strings.Contains(text, want) {
			t.Errorf("%s: %s %s, want %s", body, resp.Status, text, want)
		}
	}
	for name, form := range map[string]string{"application/proto": "", "application/json": "{}"} { // a request without fields
		if resp, body := s.ask(t, http.MethodPost, procedurePath+"GetServerInfo", form, "Content-Type", name); resp.StatusCode != 200 {
			t.Errorf("%s: %s %q", name, resp.Status, body)
		}
	}
	long := `{"versionId":"` + strings.Repeat("0", reqbody.Most) + `"}`
	resp, body := s.ask(t, http.MethodPost, procedurePath+"GetVersionContent", long, "Content-Type", "application/json")
	wantStatus(t, resp, body, 413, 8, "REQUEST_TOO_LARGE")
}

// A stream, by Connect and by gRPC-Web, and what is said to who asks for it as for
// another call.
func TestStreams(t *testing.T) {
	s := serve(t, legacy(t))
	const since = `{"sinceTime":"2000-01-01T00:00:00Z","view":"DIFF_VIEW_BASIC"}`
	_, body := s.ask(t, http.MethodPost, procedurePath+"GetDiffsSince", frame(since), "Content-Type", "application/connect+json")
	flags, messages := frames(t, body)
	last := len(messages) - 1
	if last < 3 || flags[last] != 2 || strings.TrimSpace(messages[last]) != "{}" || !strings.Contains(messages[0], `"resumeToken"`) {
		t.Errorf("by Connect: %q", messages)
	}
	request, err := proto.Marshal(&queryv1.GetDiffsSinceRequest{Since: &queryv1.GetDiffsSinceRequest_ResumeToken{ResumeToken: "made up"}})
	if err != nil {
		t.Fatal(err)
	}
	resp, body := s.ask(t, http.MethodPost, "/api"+procedurePath+"GetDiffsSince", frame(string(request)), "Content-Type", "application/grpc-web+proto")
	if resp.StatusCode != 200 || resp.Header.Get("Grpc-Status") != "3" || body != "" {
		t.Errorf("an error by gRPC-Web: %s %v %q", resp.Status, resp.Header, body)
	}
	if request, err = proto.Marshal(&queryv1.GetDiffsSinceRequest{Since: &queryv1.GetDiffsSinceRequest_SinceTime{SinceTime: &timestamppb.Timestamp{}}}); err != nil {
		t.Fatal(err)
	}
	_, body = s.ask(t, http.MethodPost, "/api"+procedurePath+"GetDiffsSince", frame(string(request)), "Content-Type", "application/grpc-web+proto")
	flags, messages = frames(t, body)
	if last = len(messages) - 1; last < 3 || flags[0] != 0 || flags[last] != 0x80 || !strings.Contains(strings.ToLower(messages[last]), "grpc-status: 0") {
		t.Errorf("by gRPC-Web: %v %q", flags, messages)
	}
	resp, body = s.ask(t, http.MethodPost, procedurePath+"GetDiffsSince", since, "Content-Type", "application/json")
	wantStatus(t, resp, body, 415, 3, "MEDIA_TYPE_NOT_SUPPORTED")
	if !strings.Contains(body, "application/connect+json") {
		t.Errorf("it does not say how a stream is asked for: %s", body)
	}
}

// A proxy that speaks HTTP/2 without TLS reaches gRPC itself here.
func TestGRPC(t *testing.T) {
	s := serve(t, legacy(t))
	conn, err := grpc.NewClient(strings.TrimPrefix(s.url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	resp, err := queryv1.NewQueryServiceClient(conn).GetVersionContent(t.Context(), &queryv1.GetVersionContentRequest{VersionId: 1})
	if err != nil || resp.Version.VersionId != 1 {
		t.Errorf("gRPC answers %v, %v", resp, err)
	}
}
