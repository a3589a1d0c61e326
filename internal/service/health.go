package service

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"

	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// Health says whether the service can answer, over gRPC health checking and on
// the admin listener. It begins as not serving.
type Health struct {
	server *health.Server

	mu      sync.Mutex // guards what follows
	log     *slog.Logger
	names   []string // gRPC services it speaks for
	reason  string   // why not; empty: serving
	served  bool     // at any time
	stopped bool     // a stop has begun: what Set says no longer counts
}

// NewHealth returns a Health that is not serving yet. Run gives it the process's
// logger; before that it is silent.
func NewHealth() *Health {
	return &Health{server: health.NewServer(), log: slog.New(slog.DiscardHandler), names: []string{""}, reason: "starting"}
}

// Set says that the service serves, or with an error that it does not and why.
// It logs a change, once: as a warning, unless the service has yet to serve for the
// first time and waits for a file that another one makes (fs.ErrNotExist).
func (h *Health) Set(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	if h.stopped || reason == h.reason {
		return
	}
	h.reason = reason
	switch {
	case err == nil:
		h.served = true
		h.log.Info("serving")
	case !h.served && errors.Is(err, fs.ErrNotExist):
		h.log.Info("not serving yet", "reason", reason)
	default:
		h.log.Warn("not serving", "reason", reason)
	}
	h.publish()
}

// stop says NOT_SERVING for good.
func (h *Health) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped, h.reason = true, "stopping"
	h.server.Shutdown()
}

// attach adds the gRPC services whose health this is, and logs from now on.
func (h *Health) attach(names []string, log *slog.Logger) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log = log
	h.names = append(h.names, names...)
	h.publish()
}

func (h *Health) publish() { // with mu held
	status := healthv1.HealthCheckResponse_NOT_SERVING
	if h.reason == "" {
		status = healthv1.HealthCheckResponse_SERVING
	}
	for _, name := range h.names {
		h.server.SetServingStatus(name, status)
	}
}

// ServeHTTP answers /readyz.
func (h *Health) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	h.mu.Lock()
	reason := h.reason
	h.mu.Unlock()
	if reason != "" {
		http.Error(w, reason, http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
