// Package web is the HTTP side of the hub: the stream of events at /events and
// the live page at /.
//
// Each client is one handler that reads its own subscription and writes the
// shared frames; a client that does not take them blocks only its handler, until
// a write misses its deadline. Nothing here decides what a client gets: that is
// the hub's.
package web

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// Limits of the server.
const (
	headerTimeout = 5 * time.Second  // to send a request's headers (hub case 35)
	headerBytes   = 16 << 10         // of a request
	idleTimeout   = 2 * time.Minute  // of a connection between two requests
	writeTimeout  = 10 * time.Second // of one write to a stream
)

// Options says who may read the hub beside the pages and programs of its own
// machine.
type Options struct {
	Hosts   []string // names, without port, that the hub answers for beside loopback
	Origins []string // origins of other sites, such as https://notes.example
}

// NewServer returns a server that is ready to serve. It has no WriteTimeout, which
// would end every stream (hub case 36): each write has a deadline of its own.
func NewServer(h *hub.Hub, o Options, log *slog.Logger) *http.Server {
	return newServer(o, &streams{hub: h, log: log, timeout: writeTimeout}, log)
}

func newServer(o Options, s *streams, log *slog.Logger) *http.Server {
	mux := http.NewServeMux() // answers 405 with Allow for the methods that are not here
	mux.HandleFunc("GET /events", s.serve)
	mux.HandleFunc("OPTIONS /events", preflight)
	mux.HandleFunc("GET /{$}", servePage("index.html", "text/html; charset=utf-8"))
	mux.HandleFunc("GET /app.js", servePage("app.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /app.css", servePage("app.css", "text/css; charset=utf-8"))
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // for a proxy that speaks it; browsers do not
	return &http.Server{
		Handler:           &guard{hosts: o.Hosts, origins: o.Origins, next: mux},
		ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: headerBytes, IdleTimeout: idleTimeout,
		Protocols: &protocols, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
