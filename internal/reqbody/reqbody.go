// Package reqbody reads the body of an HTTP request as a whole before anything is
// done for the request. A caller who sends a byte now and then thus takes up a
// connection and a few KB, and neither a place among the calls under way nor a
// handler that waits. It is for servers whose requests are small; streams go the
// other way.
package reqbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// Most is how many bytes a body may have: as many as a URL, in which the same
// fields can stand. The longest that makes sense has a few KB.
const Most = 64 << 10

// What may be wrong with a body.
var (
	ErrTooLarge = errors.New("too large")
	ErrSlow     = errors.New("too slow")
	ErrBroken   = errors.New("broken off")
)

// Reader reads bodies.
type Reader struct {
	Timeout time.Duration // from the headers to the end of a body
	// Refuse answers a request whose body was not read; err is ErrTooLarge, ErrSlow
	// or ErrBroken with a sentence, code the HTTP status for it.
	Refuse func(w http.ResponseWriter, code int, err error)
}

// Before returns a handler that gives next requests whose body is in memory and of
// known length. It stands before whatever may refuse a request, too: net/http reads
// what is left of a body when its request has been answered.
func (b Reader) Before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code, err := b.read(w, r); err != nil {
			w.Header().Set("Connection", "close") // the rest of the body is not waited for
			b.Refuse(w, code, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (b Reader) read(w http.ResponseWriter, r *http.Request) (code int, err error) {
	if r.ContentLength == 0 {
		return 0, nil
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(b.Timeout)) // not there in a test without a socket
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, Most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, fmt.Errorf("%w: at most %d bytes of a request's body are read", ErrTooLarge, Most)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout, fmt.Errorf("%w: the request's body has not come in %v", ErrSlow, b.Timeout)
	case err != nil:
		return http.StatusBadRequest, fmt.Errorf("%w: the request's body cannot be read: %w", ErrBroken, err)
	}
	// It was the body's: the call may last for days.
	_ = control.SetReadDeadline(time.Time{})
	r.Body, r.ContentLength, r.TransferEncoding = io.NopCloser(bytes.NewReader(data)), int64(len(data)), nil
	if len(data) == 0 {
		r.Body = http.NoBody
	}
	return 0, nil
}
