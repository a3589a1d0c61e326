package web

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// site is a hub behind a real socket.
type site struct {
	*hub.Hub
	addr, url string
	server    *Server
	plain     bool
}

type setup struct {
	hub.Options
	web       Options
	retention hub.Retention
	timeout   time.Duration
	bodies    time.Duration
	headers   time.Duration
}

// serve runs a site for the test's duration; change alters the usual setup.
func serve(t *testing.T, change func(*setup)) *site {
	t.Helper()
	return serveBy(t, false, change)
}

// server is serve, with one of the sinks.
type server func(t *testing.T, change func(*setup)) *site

// sinks runs tests with each sink: a client must not see a difference.
func sinks(t *testing.T, tests map[string]func(*testing.T, server)) {
	for sink, plain := range map[string]bool{"event loop": false, "net http": true} {
		for name, test := range tests {
			t.Run(name+" by "+sink, func(t *testing.T) {
				test(t, func(t *testing.T, change func(*setup)) *site {
					t.Helper()
					return serveBy(t, plain, change)
				})
			})
		}
	}
}

func serveBy(t *testing.T, plain bool, change func(*setup)) *site {
	t.Helper()
	s := setup{
		Options:   hub.Options{MaxData: 1 << 20, Heartbeat: 15 * time.Second},
		retention: hub.Retention{Events: 10_000, Bytes: 1 << 30, Age: time.Hour},
		timeout:   time.Minute, headers: headerTimeout, bodies: time.Minute,
	}
	if change != nil {
		change(&s)
	}
	log := slog.New(slog.DiscardHandler)
	h, err := hub.New(hub.NewMemoryLog(s.retention), s.Options)
	if err != nil {
		t.Fatal(err)
	}
	s.web.Plain = s.web.Plain || plain
	server, err := newServer(&streams{
		hub: h, log: log, access: s.web.Access, timeout: s.timeout, users: users{most: s.web.StreamsPerUser},
	}, s.web, s.bodies)
	if err != nil {
		t.Fatal(err)
	}
	server.HTTP.ReadHeaderTimeout = s.headers
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.HTTP.Serve(server.Wrap(listener)) }() // ends with the test
	t.Cleanup(func() { server.HTTP.Close(); server.Close() })
	addr := listener.Addr().String()
	return &site{Hub: h, addr: addr, url: "http://" + addr, server: server, plain: s.web.Plain}
}

func (s *site) publish(t *testing.T, topic, data string) hub.Receipt {
	t.Helper()
	r, err := s.Publish(hub.Publication{Topic: topic, Data: []byte(data)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// subscribers waits until there are n: a connection's end takes its time.
func (s *site) subscribers(t *testing.T, n int) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		stats, err := s.Stats()
		if err != nil {
			t.Fatal(err)
		}
		if stats.Subscribers == n {
			return
		}
		if time.Now().After(limit) {
			t.Fatalf("%d subscribers, want %d", stats.Subscribers, n)
		}
	}
}

// ask sends a request and returns its answer, with the body read.
func (s *site) ask(t *testing.T, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}
