package web

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/internal/reqbody"
	"github.com/obby/go-services/internal/sqlitetest"
)

// packed returns as many spaces, packed: a few KB.
func packed(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(bytes.Repeat([]byte(" "), size)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Nothing is unpacked, whichever way it comes: a request is short, and a short one
// could fill the memory.
func TestPackedRequests(t *testing.T) {
	s := serve(t, sqlitetest.Legacy(t))
	bomb := packed(t, 34<<20)
	for name, kind := range map[string]string{
		"Content-Encoding": "application/json", "Connect-Content-Encoding": "application/connect+json", "Grpc-Encoding": "application/grpc-web+proto",
	} {
		t.Run(kind, func(t *testing.T) {
			method, body := "GetRecentDiffs", string(bomb)
			if kind != "application/json" {
				method, body = "GetDiffsSince", string(binary.BigEndian.AppendUint32([]byte{1}, uint32(len(bomb))))+string(bomb)
			}
			resp, text := s.ask(t, http.MethodPost, procedurePath+method, body, "Content-Type", kind, name, "gzip")
			wantStatus(t, resp, text, 415, 3, "MEDIA_TYPE_NOT_SUPPORTED")
			if !strings.Contains(text, name) {
				t.Errorf("it does not name the header: %s", text)
			}
		})
	}
	message := url.QueryEscape(base64.RawURLEncoding.EncodeToString(bomb))
	resp, text := s.get(t, procedurePath+"GetRecentDiffs?connect=v1&encoding=json&base64=1&compression=gzip&message="+message)
	if blamed := wantStatus(t, resp, text, 400, 3, "INVALID_FIELD"); blamed.GetFieldViolations()[0].GetField() != "compression" {
		t.Errorf("it blames %v", blamed)
	}
	if resp, text = s.get(t, "/api/v1/diffs?page_size=1", "Content-Encoding", "br"); resp.StatusCode != 200 {
		t.Errorf("a GET that names a packing of no body: %s %s", resp.Status, text)
	}
}

// raw writes a request by hand and returns its answer.
func (s *site) raw(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, request)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// A body of which nobody says how long it is counts as one that says it.
func TestChunkedBodies(t *testing.T) {
	s := serve(t, sqlitetest.Legacy(t))
	const head = "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	resp, body := s.raw(t, fmt.Sprintf(head, "GET", "/api/v1/diffs?page_size=1")+"2\r\n{}\r\n0\r\n\r\n")
	if blamed := wantStatus(t, resp, body, 400, 3, "INVALID_FIELD"); blamed.GetFieldViolations()[0].GetField() != "body" {
		t.Errorf("it blames %v", blamed)
	}
	if resp, body = s.raw(t, fmt.Sprintf(head, "POST", procedurePath+"GetRecentDiffs")+"2\r\n{}\r\n0\r\n\r\n"); resp.StatusCode != 200 {
		t.Errorf("a call: %s %s", resp.Status, body)
	}
	long := strings.Repeat(" ", reqbody.Most+1)
	resp, body = s.raw(t, fmt.Sprintf(head, "POST", procedurePath+"GetRecentDiffs")+fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(long), long))
	wantStatus(t, resp, body, 413, 8, "REQUEST_TOO_LARGE")
}

// A body that does not come is not waited for without end, wherever it goes.
func TestSlowBodies(t *testing.T) {
	s := serve(t, sqlitetest.Legacy(t), func(server *Server) { server.timeout = 50 * time.Millisecond })
	for _, line := range []string{"POST " + procedurePath + "GetRecentDiffs", "GET /api/v1/diffs", "POST /nowhere"} {
		resp, body := s.raw(t, line+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
		wantStatus(t, resp, body, 408, 4, "REQUEST_TOO_SLOW")
	}
}
