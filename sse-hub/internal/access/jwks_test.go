package access

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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
