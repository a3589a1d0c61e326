package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	ssev1 "github.com/obby/go-services/proto/gen/obby/sse/v1"
	"github.com/obby/go-services/sse-hub/internal/ssetest"
)

// program is the running main function.
type program struct {
	addr map[string]string // by listener
	stop context.CancelFunc
	exit chan int // gets the exit code
}

// start runs it with its history in memory; further arguments win.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log, out := io.Pipe()
	p := &program{addr: map[string]string{}, stop: cancel, exit: make(chan int, 1)}
	args = append([]string{"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--http", "127.0.0.1:0", "--history-in-memory"}, args...)
	go func() { // ends with the test
		p.exit <- run(ctx, args, os.LookupEnv, io.Discard, out)
		out.Close()
	}()
	t.Cleanup(cancel)
	lines := bufio.NewScanner(log)
	for len(p.addr) == 0 && lines.Scan() {
		if strings.Contains(lines.Text(), "msg=listening") {
			for _, m := range regexp.MustCompile(`(grpc|admin|http)=(\S+)`).FindAllStringSubmatch(lines.Text(), -1) {
				p.addr[m[1]] = m[2]
			}
		}
	}
	go func() { _, _ = io.Copy(io.Discard, log) }() // ends with the log
	return p
}

func (p *program) get(t *testing.T, listener, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + p.addr[listener] + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s %v", path, resp.Status, err)
	}
	return string(body)
}

// From gRPC to a browser, and an ordinary stop with a stream open (case 64).
func TestRun(t *testing.T) {
	p := start(t)
	conn, err := grpc.NewClient(p.addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream := ssetest.Open(t, "http://"+p.addr["http"]+"/events?topic=changes", "")
	resp, err := ssev1.NewSSEHubServiceClient(conn).Publish(t.Context(), &ssev1.PublishRequest{Topic: "changes", EventType: "created", Data: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := stream.Next(t), (ssetest.Event{Type: "created", Data: "{}", ID: resp.EventId}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !strings.Contains(p.get(t, "http", "/"), "<title>") {
		t.Error("there is no page")
	}
	p.get(t, "admin", "/readyz")
	metrics := p.get(t, "admin", "/metrics")
	for _, want := range []string{
		"obby_hub_published_events_total 1", "obby_hub_subscribers 1", "obby_hub_history_events 1", `obby_hub_resets_total{reason="expired"} 0`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}
	p.stop()
	if err := stream.End(); err != nil {
		t.Errorf("the stream ended with %v", err)
	}
	if code := <-p.exit; code != 0 {
		t.Errorf("exit code is %d", code)
	}
}

// Case 71: whoever keeps the admin listener busy and reads nothing holds nobody up;
// profiles are off.
func TestBusyAdmin(t *testing.T) {
	p := start(t)
	for range 50 {
		conn, err := net.Dial("tcp", p.addr["admin"])
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 20 {
			fmt.Fprintf(conn, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
		}
	}
	conn, err := grpc.NewClient(p.addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream := ssetest.Open(t, "http://"+p.addr["http"]+"/events?topic=t", "")
	for range 100 {
		resp, err := ssev1.NewSSEHubServiceClient(conn).Publish(t.Context(), &ssev1.PublishRequest{Topic: "t"})
		if err != nil {
			t.Fatal(err)
		}
		if e := stream.Next(t); e.ID != resp.EventId {
			t.Fatalf("got %+v, want %s", e, resp.EventId)
		}
	}
	if resp, err := http.Get("http://" + p.addr["admin"] + "/debug/pprof/"); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("profiles: %v, %v", resp, err)
	}
}

// A hub that others can reach asks for tokens, over gRPC as well.
func TestTokens(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	secret := []byte(strings.Repeat("k", 32))
	if err := os.WriteFile(key, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--http", "0.0.0.0:0", "--auth-key", key)
	conn, err := grpc.NewClient(p.addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := ssev1.NewSSEHubServiceClient(conn)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"exp": time.Now().Add(time.Hour).Unix(), "obby": map[string][]string{"publish": {"t"}},
	}).SignedString(secret)
	if err != nil {
		t.Fatal(err)
	}
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
	for _, tc := range []struct {
		ctx   context.Context
		topic string
		want  codes.Code
	}{{t.Context(), "t", codes.Unauthenticated}, {ctx, "t", codes.OK}, {ctx, "u", codes.PermissionDenied}} {
		if _, err := client.Publish(tc.ctx, &ssev1.PublishRequest{Topic: tc.topic}); status.Code(err) != tc.want {
			t.Errorf("publish to %s: %v, want %v", tc.topic, err, tc.want)
		}
	}
	_, port, _ := net.SplitHostPort(p.addr["http"])
	resp, err := http.Get("http://127.0.0.1:" + port + "/events?topic=t")
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("over HTTP: %v, %v", resp, err)
	}
}

// Case 66: a history on disk goes on where it was, and with it the keys.
func TestRestartWithHistory(t *testing.T) {
	args := []string{"--history-in-memory=false", "--history-dir", filepath.Join(t.TempDir(), "history")}
	publish := func(p *program, data string) *ssev1.PublishResponse {
		t.Helper()
		conn, err := grpc.NewClient(p.addr["grpc"], grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		resp, err := ssev1.NewSSEHubServiceClient(conn).Publish(t.Context(), &ssev1.PublishRequest{Topic: "t", Data: []byte(data), IdempotencyKey: data})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	p := start(t, args...)
	first, second := publish(p, "one"), publish(p, "two")
	p.stop()
	<-p.exit
	p = start(t, args...)
	if again := publish(p, "two"); again.EventId != second.EventId || !again.Duplicate {
		t.Errorf("case 44: a key of before the restart is answered %v, was %v", again, second)
	}
	third := publish(p, "three")
	stream := ssetest.Open(t, "http://"+p.addr["http"]+"/events?topic=t", first.EventId)
	for _, want := range []ssetest.Event{{Type: "message", Data: "two", ID: second.EventId}, {Type: "message", Data: "three", ID: third.EventId}} {
		if got := stream.Next(t); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// Case 66: history in memory ends with the process, and who comes back is told.
func TestRestart(t *testing.T) {
	p := start(t)
	stream := ssetest.Open(t, "http://"+p.addr["http"]+"/events?topic=t", "")
	stream.Until(t, "the opening", func(p *ssetest.Parser) bool { return p.LastID != "" })
	p.stop()
	<-p.exit
	p = start(t)
	again := ssetest.Open(t, "http://"+p.addr["http"]+"/events?topic=t", stream.LastID)
	if e := again.Next(t); e.Type != "reset" || !strings.Contains(e.Data, `"epoch"`) {
		t.Errorf("got %+v", e)
	}
}

// Case 38: a heartbeat above 15 s would let proxies end streams.
func TestSettingsRefused(t *testing.T) {
	var out strings.Builder
	code := run(t.Context(), []string{
		"--http", "8080", "--allow-host", "https://x", "--allow-origin", "*", "--allow-origin", "null", "--history-events", "0",
		"--history-age", "0s", "--history-bytes", "1KiB", "--max-data", "9MiB", "--heartbeat", "16s",
		"--listen", "0.0.0.0:1", "--tls-cert", "c", "--auth-jwks", "http://keys.example", "--auth-cookie", "a b", "--streams-per-user", "0",
		"--history-dir", "", "--sink", "none", "--query-http", "127.0.0.1:0",
	}, func(string) (string, bool) { return "", false }, io.Discard, &out)
	if code != 2 {
		t.Errorf("exit code is %d", code)
	}
	for _, want := range []string{"--http: ", "--allow-host: ", `--allow-origin: "*"`, `--allow-origin: "null"`, "--history-events: ", "--history-age: ", "--history-bytes: ", "--max-data: ", "--heartbeat: ",
		"--tls-cert and --tls-key", "--auth-jwks: ", "--auth-cookie: ", "--streams-per-user: ", "--sink: ", "--query-http: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("errors lack %s:\n%s", want, out.String())
		}
	}
}

// Listening beyond loopback without asking anybody for a token has to be said.
func TestOpenHubRefused(t *testing.T) {
	for _, args := range [][]string{{"--http", ":8080"}, {"--http", "192.168.1.5:80"}, {"--http", "notes.lan:80"}, {"--listen", "0.0.0.0:0"}, {"--http", "[::]:80"}} {
		s := defaults()
		s.HTTP, s.Listen = "127.0.0.1:0", "[::1]:0"
		if args[0] == "--http" {
			s.HTTP = args[1]
		} else {
			s.Listen = args[1]
		}
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), args[0]+": "+args[1]) || !strings.Contains(err.Error(), "--allow-anonymous") {
			t.Errorf("%q: %v", args, err)
		}
		s.Anonymous = true
		if err := s.Validate(); err != nil {
			t.Errorf("%q, as meant: %v", args, err)
		}
		s.Anonymous, s.AuthKeys = false, []string{"key"}
		if err := s.Validate(); err != nil {
			t.Errorf("%q, with a key: %v", args, err)
		}
	}
}

func TestWebOptions(t *testing.T) {
	for address, want := range map[string]int{"127.0.0.1:0": 1, ":8080": 0, "notes.lan:80": 1} {
		s := defaults()
		s.HTTP = address
		if got, err := s.web(); err != nil || len(got.Hosts) != want {
			t.Errorf("--http %s answers for %q, %v", address, got.Hosts, err)
		}
	}
	d := defaults()
	if err := d.Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
}
