package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/obby/go-services/internal/guard"
	"github.com/obby/go-services/internal/reqbody"
	"github.com/obby/go-services/internal/rpcerr"
	"github.com/obby/go-services/internal/service"
	"github.com/obby/go-services/sse-hub/internal/access"
)

// Limits of what is passed on.
const (
	dialTimeout   = 2 * time.Second  // the query-service is near
	answerTimeout = time.Minute      // until an answer, or the first part of a stream, begins
	idleAnswers   = 90 * time.Second // a connection between two calls; less than the other side keeps it

	// At once; each takes a file beside its caller's (see reservedFiles). Pages that
	// follow stay for days and must not keep out who asks once.
	maxCalls   = 64
	maxFollows = 128
)

// everything is the pattern that a token must grant for /api/: the history holds
// what any topic may tell.
const everything = ">"

// What /api/ answers where the query-service does not.
var (
	errNoQuery     = errors.New("this hub passes nothing on: start it with --query-http, the address of the query-service's HTTP listener")
	errUnreachable = errors.New("the query-service cannot be reached")
	errCrowded     = errors.New("too many calls at once")
	errStopping    = errors.New("the hub is stopping")
	errNoKeys      = errors.New("tokens cannot be verified now; the service's log has the cause")
	errNotPassed   = errors.New("not passed on")
	errNotAll      = errors.New(`the token does not grant everything: its claim obby.subscribe must have ">"`)
)

var apiErrors = rpcerr.Table{
	{Is: errNoQuery, Code: codes.NotFound, Reason: "NO_QUERY_SERVICE"},
	{Is: errUnreachable, Code: codes.Unavailable, Reason: "QUERY_SERVICE_UNREACHABLE"},
	{Is: errCrowded, Code: codes.Unavailable, Reason: "TOO_MANY_CALLS"},
	{Is: errNotPassed, Code: codes.Unimplemented, Reason: "METHOD_NOT_ALLOWED"},
	{Is: reqbody.ErrTooLarge, Code: codes.ResourceExhausted, Reason: "REQUEST_TOO_LARGE"},
	{Is: reqbody.ErrSlow, Code: codes.DeadlineExceeded, Reason: "REQUEST_TOO_SLOW"},
	{Is: reqbody.ErrBroken, Code: codes.InvalidArgument, Reason: "REQUEST_BROKEN_OFF"},
	{Is: errStopping, Code: codes.Unavailable, Reason: "SERVER_STOPPING"},
	{Is: errNoKeys, Code: codes.Unavailable, Reason: "KEYS_UNAVAILABLE"},
	{Is: errNotAll, Code: codes.PermissionDenied, Reason: "TOKEN_NOT_SUFFICIENT"},
	{Is: access.ErrToken, Code: codes.Unauthenticated, Reason: "TOKEN_NEEDED"},
}

// api passes calls on to the query-service, so that a page has one origin. It asks
// for a token where the hub does, and takes it off: the query-service knows none.
type api struct {
	streams *streams // for access
	addr    string   // of the query-service; empty: there is none
	proxy   *httputil.ReverseProxy
	calls   places
	follows places // of streams

	stopping context.Context // ends with drain
	drain    context.CancelFunc
}

func newAPI(s *streams, addr string) *api {
	a := &api{streams: s, addr: addr, calls: make(places, maxCalls), follows: make(places, maxFollows)}
	a.stopping, a.drain = context.WithCancel(context.Background())
	a.proxy = &httputil.ReverseProxy{
		Rewrite:        a.rewrite,
		ModifyResponse: func(resp *http.Response) error { resp.Header.Del("Vary"); return nil }, // the guard has said it
		ErrorHandler:   a.failed,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // of copies that break off
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
			ResponseHeaderTimeout: answerTimeout, IdleConnTimeout: idleAnswers, MaxIdleConnsPerHost: maxCalls,
			DisableCompression: true,
		},
	}
	return a
}

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Header.Set("X-Request-Id", service.RequestID(r.Header.Get("X-Request-Id")))
	r.Header.Del("Connection") // asks for another protocol, or to leave out a header such as the id
	w.Header().Set("Access-Control-Expose-Headers", guard.AnswerHeaders)
	taken, under := a.calls, "calls are under way"
	if isStream(r) {
		taken, under = a.follows, "streams are open"
	}
	expires, code, err := a.admit(r)
	if err == nil && !taken.take() {
		code, err = http.StatusServiceUnavailable, fmt.Errorf("%w: %d %s", errCrowded, cap(taken), under)
	}
	if err != nil {
		a.refuse(w, r, code, err)
		return
	}
	defer taken.leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	if !expires.IsZero() { // what a token grants, it grants until then
		ctx, cancel = context.WithDeadline(ctx, expires)
		defer cancel()
	}
	if isStream(r) {
		defer context.AfterFunc(a.stopping, cancel)()
	}
	a.proxy.ServeHTTP(w, r.WithContext(ctx))
}

// refuse answers a call that is not passed on, or was in vain.
func (a *api) refuse(w http.ResponseWriter, r *http.Request, code int, err error) {
	w.Header().Set("X-Request-Id", r.Header.Get("X-Request-Id"))
	switch code {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="sse-hub"`)
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", guard.CallMethods)
	}
	rpcerr.WriteHTTP(w, code, apiErrors.Status(a.streams.log, err))
}

// admit finds out who makes a call and whether they may. If not, it returns the HTTP
// status of the answer.
func (a *api) admit(r *http.Request) (expires time.Time, code int, err error) {
	switch {
	case a.addr == "":
		return expires, http.StatusNotFound, errNoQuery
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
		return expires, http.StatusMethodNotAllowed, fmt.Errorf("%s is %w: use GET or POST", r.Method, errNotPassed)
	}
	if a.streams.access != nil {
		grant, err := a.streams.credentials(r, false)
		switch {
		case errors.Is(err, access.ErrToken):
			return expires, http.StatusUnauthorized, err
		case err != nil:
			a.streams.log.Error("token cannot be verified", "err", err)
			return expires, http.StatusServiceUnavailable, errNoKeys
		case !grant.MaySubscribe(everything):
			return expires, http.StatusForbidden, errNotAll
		}
		expires = grant.Expires
	}
	return expires, 0, nil
}

// places has room for one more value each that may be under way.
type places chan struct{}

func (p places) take() bool {
	select {
	case p <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p places) leave() { <-p }

// isStream reports whether a call may go on for days: an ordinary one is let end.
func isStream(r *http.Request) bool {
	kind := r.Header.Get("Content-Type")
	return strings.HasPrefix(kind, "application/connect+") || strings.HasPrefix(kind, "application/grpc-web")
}

// rewrite makes a call of a program, for the guard has judged the site: its host is
// one that every query-service answers for, wherever it listens; its secrets are left
// out. The query stays as it is, so that what is wrong with it is said.
func (a *api) rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.Scheme, p.Out.URL.Host, p.Out.Host = "http", a.addr, "localhost"
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	for _, name := range []string{"Origin", "Referer", "Authorization", "Cookie", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"} {
		p.Out.Header.Del(name)
	}
}

// failed answers for a query-service that did not.
func (a *api) failed(w http.ResponseWriter, r *http.Request, err error) {
	code := http.StatusBadGateway
	switch {
	case a.stopping.Err() != nil:
		code, err = http.StatusServiceUnavailable, errStopping
	case errors.Is(r.Context().Err(), context.DeadlineExceeded):
		code, err = http.StatusUnauthorized, fmt.Errorf("%w: it has expired", access.ErrToken)
	case r.Context().Err() != nil:
		return // nobody waits
	default:
		a.streams.log.Warn("query-service cannot be reached", "addr", a.addr, "err", err)
		err = fmt.Errorf("%w at %s: start it with --http %s, or start the hub with another --query-http", errUnreachable, a.addr, a.addr)
	}
	a.refuse(w, r, code, err)
}
