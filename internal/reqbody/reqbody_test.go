package reqbody_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/internal/reqbody"
)

// serve says of each request how long its body is; at /wait it gives a word to
// release and waits for one back, and says then whether the call had ended before.
func serve(t *testing.T, timeout time.Duration, release chan struct{}) (addr string) {
	t.Helper()
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			release <- struct{}{}
			<-release
			fmt.Fprint(w, r.Context().Err())
			return
		}
		data, err := io.ReadAll(r.Body)
		fmt.Fprint(w, r.ContentLength, len(data), err)
	})
	server := httptest.NewServer(reqbody.Reader{Timeout: timeout, Refuse: func(w http.ResponseWriter, code int, err error) {
		http.Error(w, err.Error(), code)
	}}.Before(next))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// send writes a request by hand and returns its answer, for which read waits.
func send(t *testing.T, addr, request string) (read func() (code int, body string)) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprint(conn, strings.ReplaceAll(request, "\n", "\r\n"))
	return func() (int, string) {
		t.Helper()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
}

func TestBodies(t *testing.T) {
	addr := serve(t, time.Minute, nil)
	most, more := strings.Repeat("x", reqbody.Most), strings.Repeat("x", reqbody.Most+1)
	for name, tc := range map[string]struct {
		rest string
		code int
		want string
	}{
		"none":             {"\n", 200, "0 0 <nil>"},
		"some":             {"Content-Length: 2\n\n{}", 200, "2 2 <nil>"},
		"in chunks":        {"Transfer-Encoding: chunked\n\n1\n{\n1\n}\n0\n\n", 200, "2 2 <nil>"},
		"none, in chunks":  {"Transfer-Encoding: chunked\n\n0\n\n", 200, "0 0 <nil>"},
		"the longest":      {fmt.Sprintf("Content-Length: %d\n\n%s", len(most), most), 200, "65536 65536 <nil>"},
		"longer":           {fmt.Sprintf("Content-Length: %d\n\n%s", len(more), more), 413, "at most 65536 bytes"},
		"longer, by parts": {fmt.Sprintf("Transfer-Encoding: chunked\n\n%x\n%s\n0\n\n", len(more), more), 413, "at most 65536 bytes"},
		"broken":           {"Transfer-Encoding: chunked\n\nzz\n", 400, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			code, body := send(t, addr, "POST / HTTP/1.1\nHost: x\n"+tc.rest)()
			if code != tc.code || !strings.Contains(body, tc.want) {
				t.Errorf("%d %q, want %d %q", code, body, tc.code, tc.want)
			}
		})
	}
}

// Who sends no body is answered after a while; who has sent it may wait for longer.
func TestSlow(t *testing.T) {
	release := make(chan struct{})
	addr := serve(t, 50*time.Millisecond, release)
	waiting := send(t, addr, "POST /wait HTTP/1.1\nHost: x\nContent-Length: 1\n\nx")
	<-release
	for range 2 { // one after the other: it has waited for longer than a body may take
		code, body := send(t, addr, "POST / HTTP/1.1\nHost: x\nContent-Length: 100\n\nx")()
		if code != http.StatusRequestTimeout || !strings.Contains(body, "has not come in 50ms") {
			t.Errorf("%d %q", code, body)
		}
	}
	close(release)
	if code, body := waiting(); code != 200 || body != "<nil>" {
		t.Errorf("a call whose body was there: %d %q", code, body)
	}
}
