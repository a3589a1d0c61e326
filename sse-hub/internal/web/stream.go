package web

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

const (
	// retry is how long a client waits before it connects again.
	retry = 2 * time.Second
	// A hub that stops spreads its clients over this time, so that they do not
	// all come back at once (hub cases 64 and 67).
	retryMin, retryMax = 2 * time.Second, 5 * time.Second
	// chunk is what one deadline is for: a client that takes this much in time is
	// not stuck, however large the event. A guess.
	chunk = 64 << 10
)

// streams answers GET and HEAD of /events.
type streams struct {
	hub     *hub.Hub
	log     *slog.Logger
	timeout time.Duration // of one write
}

func (s *streams) serve(w http.ResponseWriter, r *http.Request) {
	request, err := readRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodHead { // never a subscriber (hub case 22)
		setHeaders(w.Header(), r)
		return
	}
	out := &stream{w: w, control: http.NewResponseController(w), timeout: s.timeout}
	sub, err := s.hub.Subscribe(request)
	if errors.Is(err, hub.ErrStopping) { // any status but 200 would end an EventSource for good (hub case 28)
		setHeaders(w.Header(), r)
		_ = out.write(farewell()) // who does not get it tries again all the same
		return
	}
	if err != nil {
		s.log.Error("subscription met an unexpected error", "err", err)
		http.Error(w, "internal error; the service's log has the cause", http.StatusInternalServerError)
		return
	}
	setHeaders(w.Header(), r)
	err = out.follow(r.Context(), sub)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		sub.CloseSlow()
	} else {
		sub.Close()
	}
	if errors.Is(err, http.ErrNotSupported) { // a wrapped ResponseWriter would hold events back (hub case 37)
		s.log.Error("response cannot be streamed", "err", err)
		http.Error(w, "this server cannot stream; its log has the cause", http.StatusInternalServerError)
	}
	s.log.Debug("stream ended", "client", r.RemoteAddr, "topics", request.Topics, "cursor", sub.Cursor(), "err", err)
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

// stream writes to one client.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
}

// follow writes what a subscription returns until one of both ends. An overtaken
// client is let go as well: it comes back with its last id and is told.
func (s *stream) follow(ctx context.Context, sub *hub.Subscription) error {
	// Written at once, so that the client knows that it is connected (hub case 21).
	err := s.write(hub.RetryFrame(retry), hub.Heartbeat, sub.Opening())
	told := sub.Cursor()
	for err == nil {
		var events []*hub.Event
		events, err = sub.Next(ctx)
		switch {
		case errors.Is(err, hub.ErrStopping):
			return errors.Join(err, s.write(farewell()))
		case err != nil:
			return err
		case len(events) > 0:
			err = s.writeEvents(events)
			told = events[len(events)-1].ID
		case sub.Cursor() != told:
			// Only other topics had events: the client's id must not fall out of
			// the history meanwhile (hub case 48).
			told = sub.Cursor()
			err = s.write(hub.IDFrame(told))
		default:
			err = s.write(hub.Heartbeat)
		}
	}
	return err
}

func (s *stream) writeEvents(events []*hub.Event) error {
	frames := make([][]byte, len(events))
	for i, e := range events {
		frames[i] = e.Frame
	}
	return s.write(frames...)
}

// write sends whole frames. A client that does not take them is cut off: it is
// not known how much of a frame it has, so nothing can follow.
func (s *stream) write(frames ...[]byte) error {
	for _, frame := range frames {
		for len(frame) > 0 {
			if err := s.control.SetWriteDeadline(time.Now().Add(s.timeout)); err != nil {
				return err
			}
			n, err := s.w.Write(frame[:min(len(frame), chunk)])
			if err != nil {
				return err
			}
			frame = frame[n:]
		}
	}
	return s.control.Flush()
}

// farewell asks a client to come back a little later than others.
func farewell() []byte { return hub.RetryFrame(retryMin + rand.N(retryMax-retryMin)) }
