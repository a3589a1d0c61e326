package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var secret = []byte(strings.Repeat("s", 32))

// claim returns the claims of a good token, with changes.
func claim(change func(jwt.MapClaims)) jwt.MapClaims {
	c := jwt.MapClaims{
		"sub": "ann", "exp": time.Now().Add(time.Hour).Unix(), "iss": "issuer", "aud": "hub",
		"obby": map[string]any{"subscribe": []string{"changes.>", "a"}, "publish": []string{"a.*"}},
	}
	if change != nil {
		change(c)
	}
	return c
}

func sign(t *testing.T, method jwt.SigningMethod, key any, id string, c jwt.Claims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	if id != "" {
		token.Header["kid"] = id
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func publicPEM(t *testing.T, public crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func verifier(t *testing.T, o Options) *Verifier {
	t.Helper()
	v, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// pairs are a key of each kind.
type pairs struct {
	rsa     *rsa.PrivateKey
	ecdsa   *ecdsa.PrivateKey
	ed25519 ed25519.PrivateKey
}

func generate(t *testing.T) pairs {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, d, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pairs{r, e, d}
}

// jwks is the set of the pairs' public keys, and the secret.
func (p pairs) jwks(t *testing.T, suffix string) []byte {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	point, err := p.ecdsa.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(map[string]any{"keys": []map[string]string{
		{"kty": "oct", "kid": "hs" + suffix, "k": b64(secret)},
		{"kty": "RSA", "kid": "rs" + suffix, "n": b64(p.rsa.N.Bytes()), "e": "AQAB", "use": "sig"},
		{"kty": "EC", "kid": "es" + suffix, "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
		{"kty": "OKP", "kid": "ed" + suffix, "crv": "Ed25519", "x": b64(p.ed25519.Public().(ed25519.PublicKey))},
		{"kty": "RSA", "kid": "other", "use": "enc", "n": "AA", "e": "AQAB"},
		{"kty": "future", "kid": "unknown"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestAlgorithms(t *testing.T) {
	p := generate(t)
	files := []string{
		file(t, append(secret, '\n')), file(t, publicPEM(t, p.rsa.Public())),
		file(t, append(publicPEM(t, p.ecdsa.Public()), publicPEM(t, p.ed25519.Public())...)),
	}
	for name, v := range map[string]*Verifier{
		"key files": verifier(t, Options{KeyFiles: files}), "a JWKS file": verifier(t, Options{KeyFiles: []string{file(t, p.jwks(t, ""))}}),
	} {
		for kind, token := range map[string]string{
			"HS256": sign(t, jwt.SigningMethodHS256, secret, "", claim(nil)),
			"RS256": sign(t, jwt.SigningMethodRS256, p.rsa, "", claim(nil)),
			"ES256": sign(t, jwt.SigningMethodES256, p.ecdsa, "", claim(nil)),
			"EdDSA": sign(t, jwt.SigningMethodEdDSA, p.ed25519, "", claim(nil)),
		} {
			g, err := v.Verify(token)
			if err != nil || g.Subject != "ann" || g.Expires.IsZero() {
				t.Errorf("%s from %s: %+v, %v", kind, name, g, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	p := generate(t)
	public := publicPEM(t, p.rsa.Public())
	v := verifier(t, Options{KeyFiles: []string{file(t, secret), file(t, public)}, Issuer: "issuer", Audience: "hub"})
	hs := func(change func(jwt.MapClaims)) string {
		return sign(t, jwt.SigningMethodHS256, secret, "", claim(change))
	}
	good := hs(nil)
	if _, err := v.Verify(good); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"nothing":                   "",
		"garbage":                   "a.b.c",
		"another secret":            sign(t, jwt.SigningMethodHS256, []byte(strings.Repeat("x", 32)), "", claim(nil)),
		"a changed signature":       good[:len(good)-4] + "AAAA",
		"no signature":              sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "", claim(nil)),
		"the public key as secret":  sign(t, jwt.SigningMethodHS256, public, "", claim(nil)),
		"an algorithm too many":     sign(t, jwt.SigningMethodHS512, secret, "", claim(nil)),
		"case 69: expired":          hs(func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Second).Unix() }),
		"never expires":             hs(func(c jwt.MapClaims) { delete(c, "exp") }),
		"not valid yet":             hs(func(c jwt.MapClaims) { c["nbf"] = time.Now().Add(time.Hour).Unix() }),
		"another issuer":            hs(func(c jwt.MapClaims) { c["iss"] = "stranger" }),
		"for somebody else's hub":   hs(func(c jwt.MapClaims) { c["aud"] = "other" }),
		"claims of the wrong shape": hs(func(c jwt.MapClaims) { c["obby"] = "everything" }),
	} {
		if g, err := v.Verify(token); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %+v, %v", name, g, err)
		}
	}
}

func TestGrants(t *testing.T) {
	v := verifier(t, Options{KeyFiles: []string{file(t, secret)}})
	g, err := v.Verify(sign(t, jwt.SigningMethodHS256, secret, "", claim(nil)))
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]bool{
		"a": true, "changes.x": true, "changes.*": true, "changes.>": true, "changes": false, "b": false, "*": false, ">": false,
	} {
		if g.MaySubscribe(topic) != want {
			t.Errorf("case 52: may subscribe to %s: %v", topic, !want)
		}
	}
	for topic, want := range map[string]bool{"a.b": true, "a": false, "a.b.c": false, "changes.x": false} {
		if g.MayPublish(topic) != want {
			t.Errorf("may publish to %s: %v", topic, !want)
		}
	}
	none, err := v.Verify(sign(t, jwt.SigningMethodHS256, secret, "", claim(func(c jwt.MapClaims) { delete(c, "obby") })))
	if err != nil || none.MayPublish("a") || none.MaySubscribe("a") {
		t.Errorf("a token without grants: %+v, %v", none, err)
	}
}

func TestKeyFilesRefused(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for want, content := range map[string][]byte{
		"at least 32": []byte("short"), "too short": publicPEM(t, small.Public()), "P-256": publicPEM(t, p384.Public()),
		"give the PUBLIC KEY": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}),
		"no PEM block":        []byte("-----BEGIN nothing"), "no key that verifies": []byte(`{"keys": []}`), "cannot be read": []byte(`{`),
	} {
		if _, err := New(Options{KeyFiles: []string{file(t, content)}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := New(Options{KeyFiles: []string{"/nowhere"}}); err == nil {
		t.Error("a missing file is taken")
	}
}

// A public key is known to everybody: in whatever form it is given, it is read as
// one or refused, and never taken for a secret.
func TestPublicKeyIsNoSecret(t *testing.T) {
	e := generate(t).ecdsa
	armoured := publicPEM(t, e.Public())
	block, _ := pem.Decode(armoured)
	naked := base64.StdEncoding.EncodeToString(block.Bytes)
	readable := append([]byte("subject=CN = issuer\n"), armoured...)
	for name, tc := range map[string]struct{ content, want string }{
		"PEM after text":         {string(readable), ""},
		"SSH":                    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBu8 ann@host", "ssh-keygen"},
		"SSH, elliptic":          {"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY ann@host", "ssh-keygen"},
		"SSH after options":      {"no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBu8", "ssh-keygen"},
		"SSH, the key alone":     {"AAAAC3NzaC1lZDI1NTE5AAAAIBu8AAAAIBu8", "ssh-keygen"},
		"SSH2":                   {"---- BEGIN SSH2 PUBLIC KEY ----\nC3NzaC1lZDI1NTE5\n---- END SSH2 PUBLIC KEY ----", "several lines"},
		"DER":                    {string(block.Bytes), "not text"},
		"base64":                 {naked, "-----BEGIN PUBLIC KEY-----"},
		"hexadecimal":            {fmt.Sprintf("%x", block.Bytes), "-----BEGIN PUBLIC KEY-----"},
		"base64 in lines":        {naked[:64] + "\n" + naked[64:], "several lines"},
		"a list of JWK":          {`[{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]`, "cannot be read"},
		"PEM with \\n in a line": {strings.ReplaceAll(string(armoured), "\n", `\n`), "no PEM block"},
	} {
		v, err := New(Options{KeyFiles: []string{file(t, []byte(tc.content))}})
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: want %q, got %v", name, tc.want, err)
		}
		if err != nil {
			continue
		}
		forged := sign(t, jwt.SigningMethodHS256, []byte(strings.TrimSpace(tc.content)), "", claim(nil))
		if _, err := v.Verify(forged); err == nil {
			t.Errorf("%s: a token signed with it as a secret is good", name)
		}
		if _, err := v.Verify(sign(t, jwt.SigningMethodES256, e, "", claim(nil))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := verifier(t, Options{KeyFiles: []string{file(t, secret)}})
		g := &Grant{Subject: "ann", Expires: time.Now().Add(time.Hour)}
		word, lives := v.Ticket(g)
		if got, err := v.Redeem(word); err != nil || got != g {
			t.Errorf("first use: %v, %v", got, err)
		}
		if _, err := v.Redeem(word); !errors.Is(err, ErrToken) {
			t.Errorf("second use: %v", err)
		}
		late, _ := v.Ticket(g)
		time.Sleep(lives)
		if _, err := v.Redeem(late); !errors.Is(err, ErrToken) {
			t.Errorf("too late: %v", err)
		}
		short, _ := v.Ticket(&Grant{Expires: time.Now().Add(time.Second)})
		time.Sleep(time.Second)
		if _, err := v.Redeem(short); !errors.Is(err, ErrToken) {
			t.Errorf("of a token that has expired: %v", err)
		}
		for range maxTickets + 10 {
			v.Ticket(g)
		}
		if n := len(v.tickets.open); n > maxTickets+1 {
			t.Errorf("%d tickets are open", n)
		}
	})
}
