package web

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// guard keeps other web sites away from the hub. A hub on loopback is in reach of
// every page that the user's browser shows: without a look at Host, a page could
// rebind its own name to 127.0.0.1 and read the stream as its own; without a look
// at Origin, it could hold connections open.
type guard struct {
	hosts   []string // further names that this hub answers for
	origins []string // further origins that may read it
	next    http.Handler
}

// ServeHTTP implements http.Handler.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.knowsHost(r.Host) {
		http.Error(w, fmt.Sprintf("this hub does not answer for the host %q: --allow-host names further ones", r.Host), http.StatusForbidden)
		return
	}
	w.Header().Set("Vary", "Origin, Sec-Fetch-Site")
	origin := r.Header.Get("Origin")
	switch {
	case origin == "" && sameSite(r), origin != "" && sameOrigin(origin, r.Host):
	case slices.Contains(g.origins, origin):
		// The exact origin: "*" and credentials exclude each other (hub case 25).
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Allow-Credentials", "true")
	default:
		http.Error(w, fmt.Sprintf("pages of %q may not read this hub: --allow-origin names those that may", origin), http.StatusForbidden)
		return
	}
	g.next.ServeHTTP(w, r)
}

// knowsHost reports whether a Host header names this hub: loopback always does.
func (g *guard) knowsHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if ip := net.ParseIP(name); ip != nil && ip.IsLoopback() {
		return true
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || slices.ContainsFunc(g.hosts, func(known string) bool {
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

// preflight answers a browser that asks before a request across origins; the
// guard has judged the origin (hub cases 23 and 26).
func preflight(methods string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Allow", methods)
		if r.Header.Get("Origin") != "" {
			h.Set("Access-Control-Allow-Methods", methods)
			h.Set("Access-Control-Allow-Headers", "Authorization, Cache-Control, Content-Type, Last-Event-ID")
			h.Set("Access-Control-Max-Age", "600")
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
