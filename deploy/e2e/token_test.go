package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/obby/go-services/deploy/run/stack"
)

// token is a JWT of RFC 7519, signed with HS256, made by hand: what any issuer
// would make.
func token(secret, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write([]byte(text))
	return text + "." + encode(sum.Sum(nil))
}

// With a key the hub asks everybody; the tracker shows its token from a file, and
// what happened while that was missing is published when it is there.
func TestTokens(t *testing.T) {
	dir := t.TempDir()
	secret := strings.Repeat("s", 32)
	keyFile, tokenFile := filepath.Join(dir, "key"), filepath.Join(dir, "token")
	write(t, keyFile, secret)
	w := startWorldWith(t, map[string][]string{
		stack.Hub: {"--auth-key", keyFile}, stack.Tracker: {"--hub-token-file", tokenFile},
	})
	write(t, w.path("a.md"), "x\n")
	w.settle(t)
	expires := time.Now().Add(time.Hour).Unix()
	write(t, tokenFile+".new", token(secret, fmt.Sprintf(`{"exp":%d,"obby":{"publish":["changes"]}}`, expires))+"\n")
	if err := os.Rename(tokenFile+".new", tokenFile); err != nil {
		t.Fatal(err)
	}
	ask := func(claims string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+w.Get(stack.Hub).Addr["http"]+"/events?topic=changes&last=10", nil)
		if err != nil {
			t.Fatal(err)
		}
		if claims != "" {
			req.Header.Set("Authorization", "Bearer "+token(secret, claims))
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		chunk := make([]byte, 64<<10)
		n, _ := io.ReadAtLeast(resp.Body, chunk, 60) // the opening, and the event where there is one
		return resp.StatusCode, string(chunk[:n])
	}
	if code, _ := ask(""); code != http.StatusUnauthorized {
		t.Errorf("nobody gets %d", code)
	}
	if code, _ := ask(fmt.Sprintf(`{"exp":%d,"obby":{"subscribe":["other"]}}`, expires)); code != http.StatusForbidden {
		t.Errorf("a reader of something else gets %d", code)
	}
	for claims, want := range map[string]int{`"changes"`: http.StatusForbidden, `">"`: http.StatusOK} {
		bearer := "Bearer " + token(secret, fmt.Sprintf(`{"exp":%d,"obby":{"subscribe":[%s]}}`, expires, claims))
		if code, body := get(t, "http://"+w.Get(stack.Hub).Addr["http"]+"/api/v1/diffs", "Authorization", bearer); code != want {
			t.Errorf("with a token for %s the history gives %d %s", claims, code, body)
		}
	}
	eventually(t, "the change is published", func() bool {
		code, text := ask(fmt.Sprintf(`{"exp":%d,"obby":{"subscribe":["changes"]}}`, expires))
		return code == http.StatusOK && strings.Contains(text, "a.md")
	})
}
