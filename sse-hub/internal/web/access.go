package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/obby/go-services/sse-hub/internal/access"
	"github.com/obby/go-services/sse-hub/internal/hub"
)

// Access says who a caller is.
type Access interface {
	// Verify reads a token. Errors: access.ErrToken; anything else, such as
	// access.ErrKeys, is a failure of the verifier.
	Verify(token string) (*access.Grant, error)
	// Ticket returns a word that Redeem takes once, within a few seconds.
	Ticket(g *access.Grant) (ticket string, lives time.Duration)
	// Redeem returns the grant of a ticket. Error: access.ErrToken.
	Redeem(ticket string) (*access.Grant, error)
	// Cookie is the name of the cookie that may hold a token.
	Cookie() string
}

// admit finds out who asks and whether they may; if not, it has answered.
func (s *streams) admit(w http.ResponseWriter, r *http.Request, request hub.Request) (client, bool) {
	c := client{request: request, leave: func() {}}
	if s.access == nil {
		return c, true
	}
	grant, ok := s.identify(w, r, true)
	if !ok {
		return c, false
	}
	for _, topic := range request.Topics {
		if !grant.MaySubscribe(topic) {
			http.Error(w, fmt.Sprintf("the token does not allow to subscribe to %q", topic), http.StatusForbidden)
			return c, false
		}
	}
	c.request.Subject = grant.Subject // a client replaces its own streams alone
	c.expires = grant.Expires
	if r.Method == http.MethodHead {
		return c, true
	}
	if !s.users.enter(grant.Subject) {
		w.Header().Set("Retry-After", "5")
		http.Error(w, fmt.Sprintf("there are %d streams of this subject already: close one, or share one stream among tabs", s.users.most), http.StatusTooManyRequests)
		return c, false
	}
	c.leave = func() { s.users.leave(grant.Subject) }
	return c, true
}

// credentials returns the grant of a request: of the token in the Authorization
// header, else of the ticket in the URL where one is taken, else of the token in
// the cookie. An EventSource that connects again repeats its URL: a ticket that was
// used does not stand in the way of a cookie.
func (s *streams) credentials(r *http.Request, tickets bool) (*access.Grant, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token != "" && strings.EqualFold(scheme, "Bearer") {
		return s.access.Verify(token)
	}
	err := fmt.Errorf("%w: there is none; send it as Authorization: Bearer, as a cookie, or a ticket in the URL", access.ErrToken)
	if ticket := r.URL.Query().Get("ticket"); tickets && ticket != "" {
		var grant *access.Grant
		if grant, err = s.access.Redeem(ticket); err == nil {
			return grant, nil
		}
	}
	if cookie, cookieErr := r.Cookie(s.access.Cookie()); cookieErr == nil {
		return s.access.Verify(cookie.Value)
	}
	return nil, err
}

// identify returns the grant of a request. If there is none that is good, it has
// answered.
func (s *streams) identify(w http.ResponseWriter, r *http.Request, tickets bool) (*access.Grant, bool) {
	grant, err := s.credentials(r, tickets)
	switch {
	case err == nil:
		return grant, true
	case errors.Is(err, access.ErrToken):
		w.Header().Set("WWW-Authenticate", `Bearer realm="sse-hub"`)
		http.Error(w, err.Error(), http.StatusUnauthorized)
	default:
		s.log.Error("token cannot be verified", "err", err)
		if tickets && strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			// It passes: any status but 200 would end an EventSource for good (hub case 28).
			setHeaders(w.Header(), r)
			_, _ = w.Write(farewell(hub.ErrStopping))
			return nil, false
		}
		w.Header().Set("Retry-After", "5")
		http.Error(w, "tokens cannot be verified now; the service's log has the cause", http.StatusServiceUnavailable)
	}
	return nil, false
}

// giveTicket answers POST /tickets: an EventSource can send no header, and what is
// in a URL ends up in logs, so it is good once and for seconds. It buys no other
// ticket, or it would be good for as long as its token.
func (s *streams) giveTicket(w http.ResponseWriter, r *http.Request) {
	grant, ok := s.identify(w, r, false)
	if !ok {
		return
	}
	ticket, lives := s.access.Ticket(grant)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{"ticket": ticket, "expires_in": int(lives.Seconds())})
}

// users counts the streams of each subject. A browser has six connections to a
// host over HTTP/1.1, so a user with many has opened many tabs or leaks (hub case
// 34).
type users struct {
	most int // 0: no bound

	mu    sync.Mutex // guards count
	count map[string]int
}

func (u *users) enter(subject string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.most > 0 && u.count[subject] >= u.most {
		return false
	}
	if u.count == nil {
		u.count = map[string]int{}
	}
	u.count[subject]++
	return true
}

func (u *users) leave(subject string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count[subject]--; u.count[subject] == 0 {
		delete(u.count, subject)
	}
}
