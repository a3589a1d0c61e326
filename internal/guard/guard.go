// Package guard keeps other web sites away from an HTTP server. A server on loopback
// is in reach of every page that the user's browser shows: without a look at Host, a
// page could rebind its own name to 127.0.0.1 and read what is served as its own;
// without a look at Origin, it could hold connections open.
package guard

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Guard judges requests by the host that they name and the site that they come
// from, and lets the others through to Next.
type Guard struct {
	Hosts   []string // further names that the server answers for, beside loopback
	Origins []string // further origins that may read it
	Next    http.Handler
	// Refuse answers a request with 403 and the reason; nil: as text.
	Refuse func(w http.ResponseWriter, reason string)
}

// ServeHTTP implements http.Handler.
func (g *Guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.knowsHost(r.Host) {
		g.refuse(w, fmt.Sprintf("this server does not answer for the host %q: --allow-host names further ones", r.Host))
		return
	}
	w.Header().Set("Vary", "Origin, Sec-Fetch-Site")
	origin := r.Header.Get("Origin")
	switch {
	case origin == "" && sameSite(r), origin != "" && sameOrigin(origin, r.Host):
	case slices.Contains(g.Origins, origin):
		// The exact origin: "*" and credentials exclude each other (hub case 25).
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	default:
		g.refuse(w, fmt.Sprintf("pages of %q may not read this server: --allow-origin names those that may", origin))
		return
	}
	g.Next.ServeHTTP(w, r)
}

func (g *Guard) refuse(w http.ResponseWriter, reason string) {
	if g.Refuse != nil {
		g.Refuse(w, reason)
		return
	}
	http.Error(w, reason, http.StatusForbidden)
}

// knowsHost reports whether a Host header names this server: loopback always does.
func (g *Guard) knowsHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if ip := net.ParseIP(name); ip != nil && ip.IsLoopback() {
		return true
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || slices.ContainsFunc(g.Hosts, func(known string) bool {
		return strings.EqualFold(known, name)
	})
}

// sameSite judges a request without Origin: a program's, which says nothing of
// its site; the page's own; or a link to the page, which only its user can read.
func sameSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return true
	}
	return r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, host)
}

// What a page of another origin may send with a REST, Connect or gRPC-Web call beside
// the simple headers, and what it may see of an answer.
const (
	CallHeaders   = "Accept, Authorization, Cache-Control, Connect-Protocol-Version, Connect-Timeout-Ms, Content-Type, Grpc-Timeout, X-Grpc-Web, X-Request-Id, X-Server-Timeout, X-User-Agent"
	AnswerHeaders = "Grpc-Message, Grpc-Status, Grpc-Status-Details-Bin, X-Request-Id"
	CallMethods   = "GET, HEAD, POST, OPTIONS"
)

// Preflight answers a browser that asks before a request across origins; the guard
// has judged the origin (hub cases 23 and 26). headers are those that a page may
// send beside the simple ones.
func Preflight(methods, headers string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Allow", methods)
		if r.Header.Get("Origin") != "" {
			h.Set("Access-Control-Allow-Methods", methods)
			h.Set("Access-Control-Allow-Headers", headers)
			h.Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// Direct keeps requests whose path has an empty segment, "." or ".." from mux, which
// would send the caller elsewhere with a page of HTML: refuse answers them.
func Direct(mux http.Handler, refuse http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.EscapedPath() // a segment may hold a slash
		if clean := path.Clean("/" + asked); asked == clean || asked == clean+"/" {
			mux.ServeHTTP(w, r)
			return
		}
		refuse(w, r)
	})
}

// Validate reports every item of the settings --allow-host and --allow-origin that
// cannot be used.
func Validate(hosts, origins []string) error {
	var errs []error
	for _, host := range hosts {
		if u, err := url.Parse("//" + host); err != nil || host == "" || u.Host != host || u.Port() != "" {
			errs = append(errs, fmt.Errorf("--allow-host: %q is not a host name: give it without scheme, port and path", host))
		}
	}
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			errs = append(errs, fmt.Errorf("--allow-origin: %q is not an origin: give scheme://host or scheme://host:port", origin))
		}
	}
	return errors.Join(errs...)
}
