package web

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/vanguard"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/obby/go-services/internal/guard"
	"github.com/obby/go-services/internal/reqbody"
	"github.com/obby/go-services/internal/service"
	queryv1 "github.com/obby/go-services/proto/gen/obby/query/v1"
)

// Limits of the server. It has no write timeout: a stream may stay open for days.
const (
	headerTimeout = 5 * time.Second  // to send a request's headers
	idleTimeout   = 2 * time.Minute  // of a connection between two requests
	headerBytes   = 64 << 10         // of a request: a text of 1,000 characters in a URL, and cookies
	bodyTimeout   = 10 * time.Second // to send a request's body
	maxStreams    = 250              // of one HTTP/2 connection

	// answerBytes bounds an answer: a gRPC message as JSON, its bytes as base64.
	answerBytes = 2 * service.MaxMessageBytes
)

// requestID is the header that ties a caller's log to the service's.
const requestID = "X-Request-Id"

// Options says who may read over HTTP.
type Options struct {
	Hosts   []string // names, without port, that the server answers for beside loopback
	Origins []string // origins of other sites, such as https://notes.example
}

// Server serves HTTP.
type Server struct {
	HTTP *http.Server

	options   Options
	timeout   time.Duration // to send a body
	log       *slog.Logger
	responses *prometheus.CounterVec
}

// New returns a server that serves nothing before its handler is made by OverGRPC.
func New(o Options, metrics prometheus.Registerer, log *slog.Logger) *Server {
	s := &Server{options: o, timeout: bodyTimeout, log: log, responses: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "obby_query_http_responses_total", Help: "Responses over HTTP, by status.",
	}, []string{"code"})}
	metrics.MustRegister(s.responses)
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // for a proxy that speaks it; browsers do not
	s.HTTP = &http.Server{
		ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: headerBytes, IdleTimeout: idleTimeout,
		Protocols: &protocols, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return s
}

// OverGRPC returns the handler that makes calls to a server of the QueryService.
func (s *Server) OverGRPC(server *grpc.Server) (http.Handler, error) {
	calls, err := vanguard.NewTranscoder(
		[]*vanguard.Service{vanguard.NewService(queryv1.QueryService_ServiceDesc.ServiceName, server,
			vanguard.WithTargetProtocols(vanguard.ProtocolGRPC), vanguard.WithTargetCodecs(vanguard.CodecProto),
			vanguard.WithNoTargetCompression(), vanguard.WithMaxMessageBufferBytes(answerBytes))},
		vanguard.WithCodec(newCodec(s.log)), vanguard.WithUnknownHandler(http.HandlerFunc(refusePath)))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	if err := handleREST(mux, calls); err != nil {
		return nil, err
	}
	named := &procedures{methods: methods(), calls: calls}
	name := "/" + queryv1.QueryService_ServiceDesc.ServiceName + "/"
	for _, prefix := range []string{"", "/api"} {
		mux.Handle(prefix+name, http.StripPrefix(prefix, named))
		mux.HandleFunc(strings.TrimSuffix(prefix+name, "/"), refusePath) // mux would add the slash
	}
	mux.HandleFunc("/", refusePath)
	direct := guard.Direct(mux, refusePath)
	guarded := &guard.Guard{Hosts: s.options.Hosts, Origins: s.options.Origins, Next: preflighted(direct), Refuse: refuseSite}
	return s.observe(reqbody.Reader{Timeout: s.timeout, Refuse: writeError}.Before(guarded)), nil
}

// preflighted answers a browser that asks before it makes a call.
func preflighted(next http.Handler) http.Handler {
	answer := guard.Preflight(guard.CallMethods, guard.CallHeaders)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Expose-Headers", guard.AnswerHeaders)
		if r.Method == http.MethodOptions {
			answer(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// observe gives every request an id, which gRPC goes on with, and counts responses.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := &recorder{ResponseWriter: w, id: service.RequestID(r.Header.Get(requestID))}
		r.Header.Set(requestID, recorded.id)
		// No answer is to be kept: the next one may be another.
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(recorded, r)
		s.responses.WithLabelValues(strconv.Itoa(recorded.status())).Inc()
	})
}

// recorder notes the status of a response and gives it the request's id, which gRPC
// may have given it already. An error that vanguard or gRPC says as a text, such as of
// a timeout that is no number, it says as every other.
type recorder struct {
	http.ResponseWriter
	id   string
	code int  // 0: none was set
	text bool // of an error, which is to come
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
	if r.text = code >= http.StatusBadRequest && strings.HasPrefix(r.Header().Get("Content-Type"), "text/plain"); r.text {
		return
	}
	r.Header().Set(requestID, r.id)
	r.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(data []byte) (int, error) {
	if r.code == 0 {
		r.WriteHeader(http.StatusOK)
	}
	if r.text {
		refuse(r, r.code, errCall, "%s", strings.TrimSpace(string(data)))
		return len(data), nil
	}
	return r.ResponseWriter.Write(data)
}

// Flush implements http.Flusher: without it there are no streams.
func (r *recorder) Flush() { _ = http.NewResponseController(r.ResponseWriter).Flush() }

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) status() int { return max(r.code, http.StatusOK) }

func refusePath(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, errPath, "there is nothing at %q: the API is at /api/v1/, such as /api/v1/diffs", r.URL.Path)
}

func refuseSite(w http.ResponseWriter, reason string) {
	refuse(w, http.StatusForbidden, errSite, "%s", reason)
}
