package web

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

const (
	// retry is how long a client waits before it connects again.
	retry = 2 * time.Second
	// A hub that stops spreads its clients over this time, so that they do not
	// all come back at once (hub cases 64 and 67).
	retryMin, retryMax = 2 * time.Second, 5 * time.Second
)

// streams answers GET and HEAD of /events.
type streams struct {
	hub     *hub.Hub
	log     *slog.Logger
	access  Access
	timeout time.Duration // of one write
	users   users
	loop    loop
}

// client is whom a stream is for.
type client struct {
	request hub.Request
	expires time.Time // zero: never
	leave   func()    // to be called once, when the stream has ended
}

func (s *streams) serve(w http.ResponseWriter, r *http.Request) {
	request, err := readRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c, ok := s.admit(w, r, request)
	if !ok {
		return
	}
	if r.Method == http.MethodHead { // never a subscriber (hub case 22)
		setHeaders(w.Header(), r)
		c.leave()
		return
	}
	if !s.loop.take(w, r, c) {
		s.follow(w, r, c)
	}
}

// refuse answers a request whose subscription has failed.
func (s *streams) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, hub.ErrStopping) { // any status but 200 would end an EventSource for good (hub case 28)
		setHeaders(w.Header(), r)
		_, _ = w.Write(farewell(err)) // who does not get it tries again all the same
		return
	}
	s.log.Error("subscription met an unexpected error", "err", err)
	http.Error(w, "internal error; the service's log has the cause", http.StatusInternalServerError)
}

func setHeaders(h http.Header, r *http.Request) {
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would collect events
	h.Set("X-Content-Type-Options", "nosniff")
	if r.ProtoMajor == 1 {
		// net/http then ends the body by closing the connection, without chunks:
		// a hub that is killed looks like one that stopped, and a browser connects
		// again without an error in its console (hub case 30).
		h.Set("Transfer-Encoding", "identity")
	}
}

// opening is what every stream begins with, at once, so that the client knows that
// it is connected (hub case 21).
func opening(sub *hub.Subscription) []byte {
	begin := append(hub.RetryFrame(retry), hub.Heartbeat...)
	return append(begin, sub.Opening()...)
}

// farewell is what a stream ends with. The hub's stop asks a client to come back a
// little later than others.
func farewell(cause error) []byte {
	switch {
	case errors.Is(cause, hub.ErrStopping):
		return hub.RetryFrame(retryMin + rand.N(retryMax-retryMin))
	case errors.Is(cause, hub.ErrReplaced):
		return hub.NoticeFrame("hub.replaced", cause.Error())
	case errors.Is(cause, errExpired):
		return hub.NoticeFrame("hub.auth", cause.Error())
	}
	return nil
}
