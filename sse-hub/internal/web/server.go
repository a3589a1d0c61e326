// Package web is the HTTP side of the hub: the stream of events at /events, the live
// page at / and, passed on, the query-service's API at /api/.
//
// A request is read, judged and subscribed in its handler. Who writes the stream
// then is a sink: over HTTP/1.1 on Linux the connection is taken from net/http and
// given to a loop that serves thousands (package fanout); over HTTP/2 and TLS, and
// elsewhere, the handler itself goes on reading its subscription and writing. A
// client sees no difference. Nothing here decides what a client gets: that is the
// hub's.
package web

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/obby/go-services/internal/guard"
	"github.com/obby/go-services/internal/reqbody"
	"github.com/obby/go-services/internal/rpcerr"
	"github.com/obby/go-services/sse-hub/internal/hub"
)

// Limits of the server.
const (
	headerTimeout = 5 * time.Second  // to send a request's headers (hub case 35)
	bodyTimeout   = 10 * time.Second // to send a request's body
	headerBytes   = 16 << 10         // of a request
	idleTimeout   = 2 * time.Minute  // of a connection between two requests
	writeTimeout  = 10 * time.Second // of one write to a stream
	maxStreams    = 250              // of one HTTP/2 connection (hub case 33)
)

// pageHeaders are what a page of another origin may send beside the simple headers.
const pageHeaders = "Authorization, Cache-Control, Content-Type, Last-Event-ID"

// Options says who may read the hub, and how it is served.
type Options struct {
	Hosts          []string // names, without port, that the hub answers for beside loopback
	Origins        []string // origins of other sites, such as https://notes.example
	Access         Access   // nil: everybody may read everything
	StreamsPerUser int      // of one subject at a time, where there is Access
	TLS            *tls.Config
	Plain          bool // never take a connection from net/http
	Connections    int  // at once; 0: no bound
	// Query is the address of the query-service's HTTP listener; empty: there is no
	// /api/.
	Query string
}

// Server serves HTTP.
type Server struct {
	HTTP    *http.Server
	limit   *limiter
	tls     *tls.Config
	streams *streams
	api     *api
}

// NewServer returns a server that is ready to serve. It has no WriteTimeout, which
// would end every stream (hub case 36): each write has a deadline of its own. The
// caller must Close it.
func NewServer(h *hub.Hub, o Options, log *slog.Logger) (*Server, error) {
	return newServer(&streams{
		hub: h, log: log, access: o.Access, timeout: writeTimeout, users: users{most: o.StreamsPerUser},
	}, o, bodyTimeout)
}

func newServer(s *streams, o Options, bodyTimeout time.Duration) (*Server, error) {
	loop, err := newLoop(s, o.Plain || o.TLS != nil)
	if err != nil {
		return nil, err
	}
	s.loop = loop
	mux := http.NewServeMux() // answers 405 with Allow for the methods that are not here
	mux.HandleFunc("GET /events", s.serve)
	mux.HandleFunc("OPTIONS /events", guard.Preflight("GET, HEAD, OPTIONS", pageHeaders))
	api := newAPI(s, o.Query)
	mux.Handle("/api/", api)
	mux.Handle("/api", api) // mux would add the slash
	mux.HandleFunc("OPTIONS /api/", guard.Preflight(guard.CallMethods, guard.CallHeaders))
	mux.HandleFunc("GET /{$}", servePage("index.html", "text/html; charset=utf-8"))
	mux.HandleFunc("GET /app.js", servePage("app.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /search.js", servePage("search.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /app.css", servePage("app.css", "text/css; charset=utf-8"))
	if o.Access != nil {
		mux.HandleFunc("POST /tickets", s.giveTicket)
		mux.HandleFunc("OPTIONS /tickets", guard.Preflight("POST, OPTIONS", pageHeaders))
	}
	bodies := reqbody.Reader{Timeout: bodyTimeout, Refuse: func(w http.ResponseWriter, code int, err error) {
		rpcerr.WriteHTTP(w, code, apiErrors.Status(s.log, err))
	}}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(o.TLS != nil)
	protocols.SetUnencryptedHTTP2(o.TLS == nil) // for a proxy that speaks it; browsers do not
	return &Server{
		HTTP: &http.Server{
			Handler:           bodies.Before(&guard.Guard{Hosts: o.Hosts, Origins: o.Origins, Next: guard.Direct(mux, http.NotFound)}),
			ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: headerBytes, IdleTimeout: idleTimeout,
			Protocols: &protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
			TLSConfig: o.TLS, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		},
		limit: newLimiter(o.Connections), tls: o.TLS, streams: s, api: api,
	}, nil
}

// Wrap is for the listener that HTTP is served on: it bounds the number of
// connections and adds TLS.
func (s *Server) Wrap(l net.Listener) net.Listener {
	l = s.limit.wrap(l)
	if s.tls != nil {
		l = tls.NewListener(l, s.tls)
	}
	return l
}

// Drain ends the streams of the query-service and waits until those of the hub that
// were taken over have ended after its Close. Those that net/http has, its Shutdown
// waits for.
func (s *Server) Drain(ctx context.Context) error {
	s.api.drain()
	return s.streams.loop.Drain(ctx)
}

// Close ends the streams that are left.
func (s *Server) Close() { s.streams.loop.Close() }

// Full returns how often the listener had to wait because there were as many
// connections as allowed.
func (s *Server) Full() int64 { return s.limit.full.Load() }
