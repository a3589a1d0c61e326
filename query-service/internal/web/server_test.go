package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/internal/servicetest"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
	"github.com/obby/go-services/query-service/internal/rpc"
	"github.com/obby/go-services/query-service/internal/store"
)

// Stored times without an offset are local: answers need one zone.
func TestMain(m *testing.M) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	time.Local = zone
	os.Exit(m.Run())
}

const (
	friend   = "https://notes.example"
	stranger = "https://evil.example"
)

// site is the API of one database, over HTTP and over gRPC.
type site struct {
	url     string
	grpc    queryv1.QueryServiceClient
	metrics *prometheus.Registry
}

// serve answers from the database at path, which need not be there.
func serve(t *testing.T, path string, change ...func(*Server)) *site {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	looked := make(chan struct{}, 1) // at the file: nobody waits to send
	history := store.New(path, quiet, func(error) {
		select {
		case looked <- struct{}{}:
		default:
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- history.Run(ctx) }() // stopped by the cleanup below
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run the store: %v", err)
		}
	})
	<-looked
	api := rpc.New(history, service.NewInfo("query-service"), time.Local, quiet)
	register := func(r grpc.ServiceRegistrar) { queryv1.RegisterQueryServiceServer(r, api) }

	s := &site{metrics: prometheus.NewRegistry(), grpc: queryv1.NewQueryServiceClient(servicetest.Dial(t, register))}
	server := New(Options{Hosts: []string{"notes.lan"}, Origins: []string{friend}}, s.metrics, quiet)
	for _, change := range change {
		change(server)
	}
	behind := grpc.NewServer(service.ServerOptions(service.NewObserver(quiet, s.metrics, "query-service"))...)
	register(behind)
	handler, err := server.OverGRPC(behind)
	if err != nil {
		t.Fatal(err)
	}
	server.HTTP.Handler = handler
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.HTTP.Serve(listener) }() // stopped by the cleanup below
	t.Cleanup(func() { server.HTTP.Close(); behind.Stop() })
	s.url = "http://" + listener.Addr().String()
	return s
}

// serveNothing answers where there is no database.
func serveNothing(t *testing.T) *site {
	t.Helper()
	return serve(t, filepath.Join(t.TempDir(), "obby.db"))
}

// ask makes a request; headers are names and values in turn.
func (s *site) ask(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func (s *site) get(t *testing.T, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	return s.ask(t, http.MethodGet, path, "", headers...)
}

// Who may read: the host must be this server's, the site on the list (as of the hub,
// whose tests go through every form).
func TestSites(t *testing.T) {
	s := serveNothing(t)
	for name, tc := range map[string]struct {
		headers []string
		code    int
	}{
		"a program":                    {nil, 200},
		"a name that may be used":      {[]string{"Host", "notes.lan:81"}, 200},
		"a name that was rebound":      {[]string{"Host", "evil.example"}, 403},
		"a site on the list":           {[]string{"Origin", friend}, 200},
		"another site":                 {[]string{"Origin", stranger}, 403},
		"another site's image":         {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another port of this machine": {[]string{"Origin", "http://127.0.0.1:1"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := s.get(t, "/api/v1/server-info", tc.headers...)
			if resp.StatusCode != tc.code {
				t.Errorf("%s %s, want %d", resp.Status, body, tc.code)
			}
			if tc.code == 403 {
				wantStatus(t, resp, body, 403, 7, "SITE_NOT_ALLOWED")
			}
			allowed := resp.Header.Get("Access-Control-Allow-Origin")
			if want := map[bool]string{true: friend}[name == "a site on the list"]; allowed != want {
				t.Errorf("allowed origin is %q, want %q", allowed, want)
			}
		})
	}
	resp, _ := s.ask(t, http.MethodOptions, "/api/v1/diffs", "", "Origin", friend, "Access-Control-Request-Method", "POST")
	if resp.StatusCode != 204 || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "Connect-Protocol-Version") {
		t.Errorf("preflight: %s %v", resp.Status, resp.Header)
	}
	if resp, _ = s.ask(t, http.MethodOptions, "/api/v1/diffs", "", "Origin", stranger); resp.StatusCode != 403 {
		t.Errorf("preflight of another site: %s", resp.Status)
	}
}

// What holds for gRPC calls holds for these.
func TestRequestIDsAndMetrics(t *testing.T) {
	s := serveNothing(t)
	for _, path := range []string{"/api/v1/server-info", "/api/v1/diffs", "/api/v1/diffs?page_size=x", "/nowhere"} {
		if resp, _ := s.get(t, path, "X-Request-Id", "mine"); len(resp.Header.Values("X-Request-Id")) != 1 || resp.Header.Get("X-Request-Id") != "mine" {
			t.Errorf("%s answers with the id %q", path, resp.Header.Values("X-Request-Id"))
		}
		if resp, _ := s.get(t, path, "X-Request-Id", strings.Repeat("x", 200)); len(resp.Header.Get("X-Request-Id")) != 26 {
			t.Errorf("%s takes over an id of 200 letters: %q", path, resp.Header.Get("X-Request-Id"))
		}
	}
	counted := map[string]float64{}
	families, err := s.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.Metric {
			name := family.GetName()
			for _, label := range metric.Label {
				name += " " + label.GetValue()
			}
			counted[name] = metric.GetCounter().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"obby_query_rpc_calls_total OK /obby.query.v1.QueryService/GetServerInfo":           2,
		"obby_query_rpc_calls_total Unavailable /obby.query.v1.QueryService/GetRecentDiffs": 2,
		"obby_query_http_responses_total 200":                                               2,
		"obby_query_http_responses_total 400":                                               2,
		"obby_query_http_responses_total 404":                                               2,
		"obby_query_http_responses_total 503":                                               2,
	} {
		if counted[name] != want {
			t.Errorf("%s is %v, want %v", name, counted[name], want)
		}
	}
}
