package guard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What hosts and sites are let through is tested over HTTP, by the sse-hub's package
// web; here is what a server makes of a refusal.
func TestRefuse(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for name, tc := range map[string]struct {
		guard Guard
		host  string
		code  int
		body  string
	}{
		"let through":  {Guard{Next: next}, "localhost:80", 418, ""},
		"as text":      {Guard{Next: next}, "evil.example", 403, "--allow-host names further ones"},
		"in own words": {Guard{Next: next, Refuse: func(w http.ResponseWriter, reason string) { http.Error(w, strings.ToUpper(reason), 499) }}, "evil.example", 499, "--ALLOW-HOST"},
	} {
		t.Run(name, func(t *testing.T) {
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
			r.Host = tc.host
			tc.guard.ServeHTTP(w, r)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.body) {
				t.Errorf("%d %s, want %d %s", w.Code, w.Body, tc.code, tc.body)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	if err := Validate([]string{"notes.lan", "10.0.0.1"}, []string{"https://notes.example", "http://localhost:3000"}); err != nil {
		t.Errorf("good settings: %v", err)
	}
	for _, host := range []string{"", "https://notes.lan", "notes.lan:80", "a/b", "a b"} {
		if err := Validate([]string{host}, nil); err == nil || !strings.Contains(err.Error(), "--allow-host") {
			t.Errorf("host %q: %v", host, err)
		}
	}
	for _, origin := range []string{"", "*", "null", "notes.example", "https://notes.example/", "ftp://notes.example"} {
		if err := Validate(nil, []string{origin}); err == nil || !strings.Contains(err.Error(), "--allow-origin") {
			t.Errorf("origin %q: %v", origin, err)
		}
	}
}
