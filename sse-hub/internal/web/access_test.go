package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/obby/go-services/sse-hub/internal/access"
	"github.com/obby/go-services/sse-hub/internal/ssetest"
)

const secret = "0123456789abcdef0123456789abcdef"

// token is ann's, for what she may subscribe to.
func token(t *testing.T, lives time.Duration, subscribe ...string) string {
	t.Helper()
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "ann", "exp": float64(time.Now().Add(lives).UnixMilli()) / 1000, "obby": map[string]any{"subscribe": subscribe},
	}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func locked(t *testing.T, serve server, change func(*setup)) *site {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := access.New(access.Options{KeyFiles: []string{path}, Cookie: "obby_token"})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, func(s *setup) {
		s.web.Access, s.web.StreamsPerUser = v, 3
		s.web.Origins = []string{friend}
		if change != nil {
			change(s)
		}
	})
}

func TestAccess(t *testing.T) {
	sinks(t, map[string]func(*testing.T, server){
		"who may": testWhoMay, "tickets": testTickets, "expiry": testExpiry, "replay": testReplayIsFiltered, "streams of a user": testStreamsOfUser,
		"replaced": testReplaced,
	})
}

// Case 28: what will not get better by trying again ends an EventSource.
func testWhoMay(t *testing.T, serve server) {
	s := locked(t, serve, nil)
	good := token(t, time.Hour, "a.*", "b")
	for name, tc := range map[string]struct {
		path   string
		status int
		header []string
	}{
		"case 28: nobody":                {"/events?topic=b", 401, nil},
		"case 69: an expired token":      {"/events?topic=b", 401, []string{"Authorization", "Bearer " + token(t, -time.Second, "b")}},
		"a token in the header":          {"/events?topic=b&topic=a.x", 200, []string{"Authorization", "bearer " + good}},
		"a token in the cookie":          {"/events?topic=b", 200, []string{"Cookie", "x=y; obby_token=" + good}},
		"case 52: a pattern granted":     {"/events?topic=a.*", 200, []string{"Authorization", "Bearer " + good}},
		"case 52: a pattern beyond":      {"/events?topic=a.>", 403, []string{"Authorization", "Bearer " + good}},
		"case 28: a topic not granted":   {"/events?topic=b&topic=c", 403, []string{"Authorization", "Bearer " + good}},
		"a bad token beside a cookie":    {"/events?topic=b", 401, []string{"Authorization", "Bearer x", "Cookie", "obby_token=" + good}},
		"a ticket that was never given":  {"/events?topic=b&ticket=x", 401, nil},
		"such a ticket beside a cookie":  {"/events?topic=b&ticket=x", 200, []string{"Cookie", "obby_token=" + good}},
		"such a ticket, a bad cookie":    {"/events?topic=b&ticket=x", 401, []string{"Cookie", "obby_token=x"}},
		"the page itself needs no token": {"/", 200, nil},
		"a cookie from another site":     {"/events?topic=b", 403, []string{"Cookie", "obby_token=" + good, "Origin", stranger}},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := s.ask(t, "HEAD", tc.path, tc.header...)
			if resp.StatusCode != tc.status {
				t.Errorf("%s %s", resp.Status, body)
			}
			if (resp.StatusCode == 401) != (resp.Header.Get("WWW-Authenticate") != "") {
				t.Errorf("WWW-Authenticate is %q", resp.Header.Get("WWW-Authenticate"))
			}
		})
	}
	s.subscribers(t, 0)
}

// openWith opens a stream with a token.
func (s *site) openWith(t *testing.T, token, query, lastID string) *ssetest.Stream {
	t.Helper()
	resp := s.get(t, token, query, lastID)
	if resp.StatusCode != 200 {
		t.Fatalf("%s", resp.Status)
	}
	return &ssetest.Stream{Response: resp}
}

func (s *site) get(t *testing.T, token, query, lastID string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/events?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func testTickets(t *testing.T, serve server) {
	s := locked(t, serve, nil)
	if resp, _ := s.ask(t, "POST", "/tickets"); resp.StatusCode != 401 {
		t.Errorf("a ticket for nobody: %s", resp.Status)
	}
	if resp, _ := s.ask(t, "GET", "/tickets"); resp.StatusCode != 405 {
		t.Errorf("GET: %s", resp.Status)
	}
	if resp, _ := s.ask(t, "OPTIONS", "/tickets", "Origin", friend); resp.Header.Get("Access-Control-Allow-Methods") != "POST, OPTIONS" {
		t.Errorf("case 23: preflight: %v", resp.Header)
	}
	resp, body := s.ask(t, "POST", "/tickets", "Authorization", "Bearer "+token(t, time.Hour, "t"))
	var answer struct {
		Ticket    string
		ExpiresIn int `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Ticket == "" || answer.ExpiresIn < 1 || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%v %s %v", err, body, resp.Header)
	}
	if resp, _ := s.ask(t, "POST", "/tickets?ticket="+answer.Ticket); resp.StatusCode != 401 {
		t.Errorf("a ticket for a ticket: %s", resp.Status)
	}
	stream := s.openWith(t, "", "topic=t&ticket="+answer.Ticket, "")
	s.publish(t, "t", "x")
	if e := stream.Next(t); e.Data != "x" {
		t.Errorf("got %+v", e)
	}
	if resp, _ := s.ask(t, "GET", "/events?topic=t&ticket="+answer.Ticket); resp.StatusCode != 401 {
		t.Errorf("the second use: %s", resp.Status)
	}
	cookie := []string{"Cookie", "obby_token=" + token(t, time.Hour, "t")}
	if resp, _ := s.ask(t, "HEAD", "/events?topic=t&ticket="+answer.Ticket, cookie...); resp.StatusCode != 200 {
		t.Errorf("an EventSource with a cookie comes back: %s", resp.Status)
	}
	if resp, _ := s.ask(t, "POST", "/tickets", cookie...); resp.StatusCode != 200 {
		t.Errorf("a ticket for a cookie: %s", resp.Status)
	}
}

// Case 69: a token that runs out ends its stream, in words; the next try is
// refused.
func testExpiry(t *testing.T, serve server) {
	s := locked(t, serve, nil)
	short := token(t, 2*time.Second, "t")
	stream := s.openWith(t, short, "topic=t", "")
	s.publish(t, "t", "x")
	if err := stream.End(); err != nil {
		t.Errorf("the stream ended with %v", err)
	}
	if n := len(stream.Events); n != 2 || stream.Events[1].Type != "hub.auth" || !strings.Contains(stream.Events[1].Data, "expired") {
		t.Errorf("events are %+v", stream.Events)
	}
	if stream.LastID == "" || !strings.HasSuffix(stream.LastID, "-1") {
		t.Errorf("the last id is %q: what was missed could not be asked for", stream.LastID)
	}
	if resp, _ := s.ask(t, "GET", "/events?topic=t", "Authorization", "Bearer "+short); resp.StatusCode != 401 {
		t.Errorf("the next try: %s", resp.Status)
	}
	s.subscribers(t, 0)
}

// Case 46: what is replayed is what the present token grants, and an event that
// may not be seen is a cursor all the same.
func testReplayIsFiltered(t *testing.T, serve server) {
	s := locked(t, serve, nil)
	var ids []string
	for _, topic := range []string{"a", "secret", "a", "secret", "a"} {
		ids = append(ids, s.publish(t, topic, fmt.Sprint(topic, len(ids))).ID)
	}
	stream := s.openWith(t, token(t, time.Hour, "a"), "topic=a", ids[1])
	for _, want := range []string{"a2", "a4"} {
		if e := stream.Next(t); e.Data != want {
			t.Errorf("got %+v, want %s", e, want)
		}
	}
}

// Case 34: a user who leaks streams is stopped, and others are not.
func testStreamsOfUser(t *testing.T, serve server) {
	s := locked(t, serve, nil)
	good := token(t, time.Hour, "t")
	var open []*ssetest.Stream
	for range 3 {
		open = append(open, s.openWith(t, good, "topic=t", ""))
	}
	if resp, _ := s.ask(t, "GET", "/events?topic=t", "Authorization", "Bearer "+good); resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("a stream too many: %s", resp.Status)
	}
	open[0].Response.Body.Close()
	// Its place is free when its socket is closed, which is later than its subscription's end.
	for limit := time.Now().Add(30 * time.Second); ; {
		resp := s.get(t, good, "topic=t", "")
		if resp.StatusCode == 200 {
			return
		}
		if resp.Body.Close(); resp.StatusCode != 429 || time.Now().After(limit) {
			t.Fatalf("after one was closed: %s", resp.Status)
		}
	}
}

// Case 63: the newest stream of a client wins, and the older one is told.
func testReplaced(t *testing.T, serve server) {
	s := serve(t, nil)
	older := ssetest.Open(t, s.url+"/events?topic=t&client_id=c", "")
	other := ssetest.Open(t, s.url+"/events?topic=t&client_id=d", "")
	newer := ssetest.Open(t, s.url+"/events?topic=t&client_id=c", "")
	if e := older.Next(t); e.Type != "hub.replaced" {
		t.Errorf("the older one gets %+v", e)
	}
	if err := older.End(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	s.publish(t, "t", "x")
	for _, stream := range []*ssetest.Stream{other, newer} {
		if e := stream.Next(t); e.Data != "x" {
			t.Errorf("got %+v", e)
		}
	}
	s.subscribers(t, 2)
}

// brokenAccess is a verifier that cannot work.
type brokenAccess struct{ Access }

func (brokenAccess) Cookie() string { return "c" }

func (brokenAccess) Verify(string) (*access.Grant, error) {
	return nil, fmt.Errorf("%w: no connection to the secret place", access.ErrKeys)
}

func TestVerifierFails(t *testing.T) {
	s := serve(t, func(s *setup) { s.web.Access = brokenAccess{} })
	resp, body := s.ask(t, "GET", "/events?topic=t", "Authorization", "Bearer x")
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || strings.Contains(body, "secret place") {
		t.Errorf("%s %s %v", resp.Status, body, resp.Header)
	}
	resp, body = s.ask(t, "GET", "/events?topic=t", "Authorization", "Bearer x", "Accept", "text/event-stream")
	if resp.StatusCode != 200 || !strings.HasPrefix(body, "retry: ") {
		t.Errorf("case 28: an EventSource gets %s %q", resp.Status, body)
	}
}
