package web

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

// chunk is what one deadline is for: a client that takes this much in time is not
// stuck, however large the event. A guess.
const chunk = 64 << 10

// follow is the sink that blocks: it serves a client in its handler.
func (s *streams) follow(w http.ResponseWriter, r *http.Request, c client) {
	defer c.leave()
	sub, err := s.hub.Subscribe(c.request)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	setHeaders(w.Header(), r)
	ctx := r.Context()
	if !c.expires.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, c.expires, errExpired)
		defer cancel()
	}
	out := &stream{w: w, control: http.NewResponseController(w), timeout: s.timeout}
	err = out.follow(ctx, sub)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		sub.CloseSlow()
	} else {
		sub.Close()
	}
	if errors.Is(err, http.ErrNotSupported) { // a wrapped ResponseWriter would hold events back (hub case 37)
		s.log.Error("response cannot be streamed", "err", err)
		http.Error(w, "this server cannot stream; its log has the cause", http.StatusInternalServerError)
	}
	s.log.Debug("stream ended", "client", r.RemoteAddr, "topics", c.request.Topics, "cursor", sub.Cursor(), "err", err)
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
	err := s.write(opening(sub))
	told := sub.Cursor()
	for err == nil {
		var events []*hub.Event
		events, err = sub.Next(ctx)
		if cause := context.Cause(ctx); err != nil && errors.Is(cause, errExpired) {
			err = cause
		}
		switch {
		case err != nil:
			if last := farewell(err); last != nil {
				err = errors.Join(err, s.write(last))
			}
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
