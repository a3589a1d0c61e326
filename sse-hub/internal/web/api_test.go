package web

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
)

// queryService is a server that says what it was asked.
type queryService struct {
	addr    string
	entered chan struct{} // gets a word for each call of /api/wait
	release chan struct{} // lets such calls end
}

func startQuery(t *testing.T) *queryService {
	t.Helper()
	q := &queryService{entered: make(chan struct{}, maxFollows), release: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", r.Header.Get("X-Request-Id"))
		w.Header().Set("Vary", "Origin")
		if r.URL.Path == "/api/wait" {
			_, _ = io.WriteString(w, "begun\n")
			_ = http.NewResponseController(w).Flush()
			q.entered <- struct{}{}
			select {
			case <-q.release:
			case <-r.Context().Done():
			}
			return
		}
		w.WriteHeader(http.StatusTeapot)
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %q\n", r.Method, r.RequestURI, r.Host, body)
		_ = r.Header.Write(w)
	}))
	t.Cleanup(server.Close)
	q.addr = strings.TrimPrefix(server.URL, "http://")
	return q
}

// with sets the address of the query-service.
func (q *queryService) with(s *setup) {
	s.web.Query, s.web.Origins = q.addr, []string{friend}
}

// A call reaches the query-service as it was made, but for what it must not know.
func TestAPI(t *testing.T) {
	q := startQuery(t)
	s := serve(t, q.with)
	const path = "/api/v1/topics/a%2Fb/files?page_size=%&x;y=%zz&b+c=%20"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader("a body"))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Origin": friend, "Cookie": "obby_token=secret", "Authorization": "Bearer secret", "Sec-Fetch-Site": "cross-site",
		"Referer": friend + "/private", "Connection": "X-Request-Id, Upgrade", "Upgrade": "h2c",
		"X-Request-Id": "mine", "Connect-Protocol-Version": "1", "Content-Type": "application/json",
	} {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusTeapot {
		t.Fatalf("%s, %v", resp.Status, err)
	}
	first, headers, _ := strings.Cut(string(text), "\n")
	if want := fmt.Sprintf("POST %s %s %q", path, "localhost", "a body"); first != want {
		t.Errorf("it was asked %s, want %s", first, want)
	}
	for _, want := range []string{"X-Request-Id: mine", "Connect-Protocol-Version: 1", "Content-Type: application/json"} {
		if !strings.Contains(headers, want) {
			t.Errorf("it did not get %s: %s", want, headers)
		}
	}
	for _, secret := range []string{"secret", friend, "private", "Sec-Fetch", "h2c"} {
		if strings.Contains(headers, secret) {
			t.Errorf("it got %s: %s", secret, headers)
		}
	}
	h := resp.Header
	if h.Get("X-Request-Id") != "mine" || h.Get("Access-Control-Allow-Origin") != friend || len(h.Values("Vary")) != 1 || !strings.Contains(h.Get("Access-Control-Expose-Headers"), "X-Request-Id") {
		t.Errorf("headers are %v", h)
	}
}

func TestAPIErrors(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := closed.Addr().String()
	closed.Close()
	for name, tc := range map[string]struct {
		query   string
		code    int
		content []string
	}{
		"nobody answers": {gone, 502, []string{`"code":14`, `"QUERY_SERVICE_UNREACHABLE"`, "--http " + gone, `"obby.dev"`}},
		"it is off":      {"", 404, []string{`"code":5`, `"NO_QUERY_SERVICE"`, "--query-http"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(s *setup) { s.web.Query = tc.query })
			resp, body := s.ask(t, "GET", "/api/v1/diffs", "X-Request-Id", "mine")
			if resp.StatusCode != tc.code || resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("X-Request-Id") != "mine" {
				t.Errorf("%s %v", resp.Status, resp.Header)
			}
			for _, part := range tc.content {
				if !strings.Contains(strings.ReplaceAll(body, `": `, `":`), part) {
					t.Errorf("%s lacks %s", body, part)
				}
			}
		})
	}
	s := serve(t, startQuery(t).with)
	if resp, body := s.ask(t, "GET", "/api/v1/diffs", "Origin", stranger); resp.StatusCode != 403 {
		t.Errorf("another site: %s %s", resp.Status, body)
	}
	if resp, _ := s.ask(t, "OPTIONS", "/api/v1/diffs", "Origin", friend); resp.StatusCode != 204 || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "Connect-Protocol-Version") {
		t.Errorf("a preflight: %s %v", resp.Status, resp.Header)
	}
}

// The history holds what any topic may tell: only a token for everything opens it.
func TestAPIAccess(t *testing.T) {
	s := locked(t, serve, startQuery(t).with)
	for name, tc := range map[string]struct {
		code    int
		reason  string
		headers []string
	}{
		"nobody":                  {401, "TOKEN_NEEDED", nil},
		"no good token":           {401, "TOKEN_NEEDED", []string{"Authorization", "Bearer x"}},
		"an expired token":        {401, "TOKEN_NEEDED", []string{"Authorization", "Bearer " + token(t, -time.Second, ">")}},
		"a token for a topic":     {403, "TOKEN_NOT_SUFFICIENT", []string{"Authorization", "Bearer " + token(t, time.Hour, "changes.>", "*")}},
		"a token for everything":  {418, "", []string{"Authorization", "Bearer " + token(t, time.Hour, "a", ">")}},
		"the same as a cookie":    {418, "", []string{"Cookie", "obby_token=" + token(t, time.Hour, ">")}},
		"a cookie, from a friend": {418, "", []string{"Cookie", "obby_token=" + token(t, time.Hour, ">"), "Origin", friend}},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := s.ask(t, "GET", "/api/v1/diffs", tc.headers...)
			if resp.StatusCode != tc.code || !strings.Contains(body, tc.reason) {
				t.Errorf("%s %s, want %d %s", resp.Status, body, tc.code, tc.reason)
			}
			if (resp.Header.Get("WWW-Authenticate") != "") != (tc.code == 401) {
				t.Errorf("WWW-Authenticate is %q", resp.Header.Get("WWW-Authenticate"))
			}
		})
	}
}

// wait makes a call that the query-service answers in part, and returns that part
// and a channel that gets how the rest ended.
func (q *queryService) wait(t *testing.T, s *site, headers ...string) (begun string, ended <-chan error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/wait", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(resp.Body)
	if begun, err = lines.ReadString('\n'); err != nil {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	<-q.entered
	end := make(chan error, 1)
	go func() { // ends with the call
		_, err := lines.ReadByte()
		resp.Body.Close()
		end <- err
	}()
	return begun, end
}

const streamType = "application/connect+json"

// A stream's parts go out as they come; it ends with the token, and when the hub
// stops, which an ordinary call does not.
func TestAPIStreams(t *testing.T) {
	q := startQuery(t)
	s := serve(t, q.with)
	begun, stream := q.wait(t, s, "Content-Type", streamType)
	_, web := q.wait(t, s, "Content-Type", "application/grpc-web+proto")
	_, call := q.wait(t, s)
	if begun != "begun\n" {
		t.Errorf("the first part is %q", begun)
	}
	s.Close()
	if err := s.server.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []<-chan error{stream, web} {
		if err := <-stream; err == io.EOF {
			t.Error("the stream ended as if it were complete")
		}
	}
	select {
	case err := <-call:
		t.Errorf("an ordinary call was cut off: %v", err)
	default:
	}
	close(q.release)
	if err := <-call; err != io.EOF {
		t.Errorf("an ordinary call ended with %v", err)
	}
	resp, body := s.ask(t, "POST", "/api/v1/diffs", "Content-Type", streamType)
	if resp.StatusCode != 503 || !strings.Contains(body, "SERVER_STOPPING") {
		t.Errorf("a stream that comes late: %s %s", resp.Status, body)
	}
}

func TestAPIStreamEndsWithItsToken(t *testing.T) {
	q := startQuery(t)
	s := locked(t, serve, q.with)
	_, stream := q.wait(t, s, "Content-Type", streamType, "Authorization", "Bearer "+token(t, time.Second, ">"))
	if err := <-stream; err == io.EOF {
		t.Error("the stream ended as if it were complete")
	}
}
