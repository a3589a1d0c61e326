package access

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Case 70: the issuer changes its keys, and is away for a while.
func TestJWKS(t *testing.T) {
	old, next := generate(t), generate(t)
	var answer atomic.Pointer[[]byte]
	var asked atomic.Int64
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if set := answer.Load(); set != nil {
			_, _ = w.Write(*set)
			return
		}
		http.Error(w, "away", http.StatusBadGateway)
	}))
	defer issuer.Close()
	v := verifier(t, Options{JWKS: issuer.URL})
	now := time.Now()
	v.keys.remote.now = func() time.Time { return now }
	oldToken, newToken := sign(t, jwt.SigningMethodRS256, old.rsa, "rs1", claim(nil)), sign(t, jwt.SigningMethodES256, next.ecdsa, "es2", claim(nil))
	check := func(what, token string, good bool) {
		t.Helper()
		if _, err := v.Verify(token); (err == nil) != good {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("before the issuer has ever answered", oldToken, false)
	set := old.jwks(t, "1")
	answer.Store(&set)
	check("at once it is not asked again", oldToken, false)
	now = now.Add(askAgain + 1)
	check("when it answers", oldToken, true)
	check("a key that is not known yet", newToken, false)

	set2 := next.jwks(t, "2")
	answer.Store(&set2)
	now = now.Add(askAgain + 1)
	check("the first token with a new key", newToken, true)
	check("a key that was withdrawn", oldToken, false)

	answer.Store(nil)
	now = now.Add(time.Hour)
	check("while the issuer is away", newToken, true)
	before := asked.Load()
	for i := range 50 {
		check("a stranger's key id", sign(t, jwt.SigningMethodES256, old.ecdsa, fmt.Sprint("stranger", i), claim(nil)), false)
	}
	check("when the issuer has answered with an error", newToken, true)
	if asked.Load() > before+1 {
		t.Errorf("strangers made the hub ask %d times", asked.Load()-before)
	}
}

// Case 70: as long as keys may be missing, a token that no key here has signed may
// still be good.
func TestKeysOutOfReach(t *testing.T) {
	issuer := httptest.NewServer(http.NotFoundHandler())
	defer issuer.Close()
	p := generate(t)
	alone, beside := Options{JWKS: issuer.URL}, Options{JWKS: issuer.URL, KeyFiles: []string{file(t, secret)}}
	other := []byte(strings.Repeat("o", 32))
	expired := claim(func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Second).Unix() })
	for name, tc := range map[string]struct {
		options Options
		token   string
		want    error
	}{
		"no key at all":                  {alone, sign(t, jwt.SigningMethodRS256, p.rsa, "", claim(nil)), ErrKeys},
		"no key for the algorithm":       {beside, sign(t, jwt.SigningMethodRS256, p.rsa, "", claim(nil)), ErrKeys},
		"another key for the algorithm":  {beside, sign(t, jwt.SigningMethodHS256, other, "", claim(nil)), ErrKeys},
		"signed by a key that is here":   {beside, sign(t, jwt.SigningMethodHS256, secret, "", claim(nil)), nil},
		"expired, by a key that is here": {beside, sign(t, jwt.SigningMethodHS256, secret, "", expired), ErrToken},
		"garbage":                        {alone, "a.b.c", ErrToken},
		"an algorithm too many":          {alone, sign(t, jwt.SigningMethodHS512, secret, "", claim(nil)), ErrToken},
	} {
		_, err := verifier(t, tc.options).Verify(tc.token)
		if !errors.Is(err, tc.want) || errors.Is(err, ErrToken) != (tc.want == ErrToken) {
			t.Errorf("%s: want %v, got %v", name, tc.want, err)
		}
	}
}

// A key id that is not known, of an issuer that has answered, is the token's fault;
// of one that is away, it is not.
func TestUnknownKeyID(t *testing.T) {
	p := generate(t)
	set := p.jwks(t, "1")
	var away atomic.Bool
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if away.Load() {
			http.Error(w, "away", http.StatusBadGateway)
			return
		}
		_, _ = w.Write(set)
	}))
	defer issuer.Close()
	v := verifier(t, Options{JWKS: issuer.URL})
	now := time.Now()
	v.keys.remote.now = func() time.Time { return now }
	stranger := sign(t, jwt.SigningMethodES256, p.ecdsa, "es2", claim(nil))
	if _, err := v.Verify(stranger); !errors.Is(err, ErrToken) {
		t.Errorf("the issuer does not know it: %v", err)
	}
	away.Store(true)
	now = now.Add(askAgain + 1)
	if _, err := v.Verify(stranger); !errors.Is(err, ErrKeys) || errors.Is(err, ErrToken) {
		t.Errorf("the issuer may know it by now: %v", err)
	}
}

// One key that cannot be used does not take the good ones with it.
func TestUnusableKey(t *testing.T) {
	const good = `{"kty": "OKP", "crv": "Ed25519", "kid": "good", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	for name, odd := range map[string]string{
		"not on the curve": `{"kty": "EC", "crv": "P-256", "kid": "odd", "x": "AA", "y": "AA"}`,
		"half a point":     `{"kty": "EC", "crv": "P-256", "kid": "odd"}`,
		"a small modulus":  `{"kty": "RSA", "kid": "odd", "n": "AQAB", "e": "AQAB"}`,
		"a short secret":   `{"kty": "oct", "kid": "odd", "k": "AQAB"}`,
		"no base64url":     `{"kty": "oct", "kid": "odd", "k": "A+/="}`,
	} {
		var log bytes.Buffer
		found, err := parseJWKS([]byte(`{"keys": [`+odd+`, `+good+`]}`), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil || len(found) != 1 || found[0].id != "good" {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
		if !strings.Contains(log.String(), "id=odd") {
			t.Errorf("%s: the log says %q", name, &log)
		}
		if _, err := parseJWKS([]byte(`{"keys": [`+odd+`]}`), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), `"odd"`) {
			t.Errorf("%s, alone: %v", name, err)
		}
	}
}

// Keys that were asked for over TLS are not taken from where they can be altered.
func TestRedirects(t *testing.T) {
	set := generate(t).jwks(t, "1")
	give := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) })
	plain, encrypted := httptest.NewServer(give), httptest.NewTLSServer(give)
	defer plain.Close()
	defer encrypted.Close()
	for name, tc := range map[string]struct {
		begin func(http.Handler) *httptest.Server
		to    string
		good  bool
	}{
		"TLS to plain": {httptest.NewTLSServer, plain.URL, false},
		"TLS to TLS":   {httptest.NewTLSServer, encrypted.URL, true},
		"plain to TLS": {httptest.NewServer, encrypted.URL, true},
	} {
		from := tc.begin(http.RedirectHandler(tc.to, http.StatusFound))
		j := newJWKS(from.URL, slog.New(slog.DiscardHandler))
		j.client.Transport = encrypted.Client().Transport // trusts both
		if _, err := j.fetch(); (err == nil) != tc.good {
			t.Errorf("%s: %v", name, err)
		}
		from.Close()
	}
}
