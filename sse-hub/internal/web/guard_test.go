package web

import (
	"net/http"
	"strings"
	"testing"
)

const (
	friend   = "https://notes.example"
	stranger = "https://evil.example"
)

func guarded(t *testing.T) *site {
	return serve(t, func(s *setup) {
		s.web = Options{Hosts: []string{"notes.lan"}, Origins: []string{friend}}
	})
}

// A page elsewhere can make its own name mean 127.0.0.1.
func TestHosts(t *testing.T) {
	s := guarded(t)
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8080": 200, "LOCALHOST:1": 200, "localhost.": 200, "hub.localhost": 200,
		"127.0.0.1": 200, "127.9.8.7:80": 200, "[::1]:8080": 200, "[::1]": 200, "notes.lan": 200, "Notes.LAN:8080": 200,
		"evil.example": 403, "127.0.0.1.evil.example": 403, "localhost.evil.example": 403, "evillocalhost": 403,
		"192.168.0.1": 403, "0.0.0.0": 403, "sub.notes.lan": 403,
	} {
		for _, path := range []string{"/", "/events?topic=t"} {
			if resp, body := s.ask(t, "HEAD", path, "Host", host); resp.StatusCode != want {
				t.Errorf("%s of host %s: %s %s", path, host, resp.Status, body)
			}
		}
	}
}

func TestOrigins(t *testing.T) {
	s := guarded(t)
	own := s.url
	for _, tc := range []struct {
		name   string
		path   string
		status int
		header []string
	}{
		{"a program", "/events?topic=t", 200, nil},
		{"the page", "/events?topic=t", 200, []string{"Sec-Fetch-Site", "same-origin"}},
		{"the page, with Origin", "/events?topic=t", 200, []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}},
		{"case 25: a site on the list", "/events?topic=t", 200, []string{"Origin", friend, "Sec-Fetch-Site", "cross-site"}},
		{"case 25: Origin null", "/events?topic=t", 403, []string{"Origin", "null"}},
		{"another site", "/events?topic=t", 403, []string{"Origin", stranger, "Sec-Fetch-Site", "cross-site"}},
		{"another port of this machine", "/events?topic=t", 403, []string{"Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-site"}},
		{"a site whose name begins like one on the list", "/events?topic=t", 403, []string{"Origin", friend + ".evil.example"}},
		{"another site's image, which has no Origin", "/events?topic=t", 403, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}},
		{"another site's link to the events", "/events?topic=t", 403, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}},
		{"another site's link to the page", "/", 200, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}},
		{"another site's frame", "/", 403, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}},
		{"an address typed by the user", "/", 200, []string{"Sec-Fetch-Site", "none"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			resp, _ := s.ask(t, "HEAD", tc.path, tc.header...)
			if resp.StatusCode != tc.status {
				t.Errorf("%s", resp.Status)
			}
			allowed, credentials := "", ""
			if strings.Contains(tc.name, "on the list") && tc.status == 200 {
				allowed, credentials = friend, "true"
			}
			if got := resp.Header.Get("Access-Control-Allow-Origin"); got != allowed {
				t.Errorf("Access-Control-Allow-Origin is %q, want %q", got, allowed)
			}
			if got := resp.Header.Get("Access-Control-Allow-Credentials"); got != credentials {
				t.Errorf("Access-Control-Allow-Credentials is %q, want %q", got, credentials)
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	s := guarded(t)
	t.Run("case 23: a site on the list", func(t *testing.T) {
		resp, _ := s.ask(t, "OPTIONS", "/events?topic=t", "Origin", friend, "Access-Control-Request-Method", "GET")
		h := resp.Header
		if resp.StatusCode != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != friend ||
			!strings.Contains(h.Get("Vary"), "Origin") || h.Get("Access-Control-Max-Age") == "" ||
			!strings.Contains(h.Get("Access-Control-Allow-Methods"), "GET") {
			t.Errorf("%s %v", resp.Status, h)
		}
		for _, name := range []string{"authorization", "cache-control", "last-event-id", "content-type"} {
			if !strings.Contains(strings.ToLower(h.Get("Access-Control-Allow-Headers")), name) {
				t.Errorf("header %s is not allowed", name)
			}
		}
	})
	t.Run("case 23: another", func(t *testing.T) {
		resp, _ := s.ask(t, "OPTIONS", "/events", "Origin", stranger, "Access-Control-Request-Method", "GET")
		if resp.StatusCode != http.StatusForbidden || resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %v", resp.Status, resp.Header)
		}
	})
}

func TestPage(t *testing.T) {
	s := serve(t, nil)
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/app.js": "text/javascript; charset=utf-8", "/app.css": "text/css; charset=utf-8", "/search.js": "text/javascript; charset=utf-8",
	} {
		resp, body := s.ask(t, "GET", path)
		h := resp.Header
		if resp.StatusCode != http.StatusOK || h.Get("Content-Type") != kind || len(body) < 100 {
			t.Errorf("%s: %s, %q, %d bytes", path, resp.Status, h.Get("Content-Type"), len(body))
		}
		if h.Get("Content-Security-Policy") != policy || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", path, h)
		}
		for _, bad := range []string{"innerHTML", "https://", "style=\"", "onclick"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s holds %q", path, bad)
			}
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Error("the policy allows what is unsafe")
	}
}
