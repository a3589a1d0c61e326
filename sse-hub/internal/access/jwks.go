package access

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"time"
)

// How a JWKS is asked for. Guesses.
const (
	refreshAfter = 5 * time.Minute  // while tokens come
	askAgain     = 10 * time.Second // at the soonest, whatever strangers send
	fetchTimeout = 5 * time.Second
	maxRedirects = 5
)

// jwks are the keys of a URL. They are kept while it does not answer (hub case
// 70): who was let in yesterday can still come in while the issuer is down.
type jwks struct {
	url    string
	client *http.Client
	log    *slog.Logger
	now    func() time.Time

	mu      sync.Mutex // guards what follows
	known   []key
	fetched time.Time // successfully
	tried   time.Time
	err     error         // of the last try
	asking  chan struct{} // closed when the answer has come; nil: nobody asks
}

func newJWKS(url string, log *slog.Logger) *jwks {
	client := &http.Client{Timeout: fetchTimeout, CheckRedirect: checkRedirect}
	return &jwks{url: url, client: client, log: log, now: time.Now}
}

// checkRedirect keeps what was asked for over TLS there: whoever can alter an
// answer on its way could give keys of their own.
func checkRedirect(next *http.Request, before []*http.Request) error {
	if from := before[len(before)-1].URL; from.Scheme == "https" && next.URL.Scheme != "https" {
		return fmt.Errorf("%s leads to %s, which is not encrypted", from.Redacted(), next.URL.Redacted())
	}
	if len(before) >= maxRedirects {
		return fmt.Errorf("%d redirects", len(before))
	}
	return nil
}

// keys returns the keys, asked for anew when they are old or do not have the id: an
// issuer that changes its keys is noticed by the first token signed with a new one.
// Who can do without the answer does not wait for it. An error says that there may
// be other keys than those that are returned.
func (j *jwks) keys(id string) ([]key, error) {
	j.mu.Lock()
	now := j.now()
	lacking := len(j.known) == 0 || id != "" && !slices.ContainsFunc(j.known, func(k key) bool { return k.id == id })
	mayAsk := j.asking == nil && (j.tried.IsZero() || now.Sub(j.tried) > askAgain)
	if mayAsk && (lacking || now.Sub(j.fetched) > refreshAfter) {
		j.tried, j.asking = now, make(chan struct{})
		go j.ask(now) // ends within fetchTimeout
	}
	asking := j.asking
	j.mu.Unlock()
	if lacking && asking != nil {
		<-asking
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if lacking {
		return j.known, j.err
	}
	return j.known, nil
}

// ask replaces the keys, if there is an answer.
func (j *jwks) ask(now time.Time) {
	found, err := j.fetch()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err = err; err == nil {
		j.known, j.fetched = found, now
	}
	close(j.asking)
	j.asking = nil
}

func (j *jwks) fetch() ([]key, error) {
	resp, err := j.client.Get(j.url)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("keys: %s answers %s", j.url, resp.Status)
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("keys: read %s: %w", j.url, err)
	}
	return parseJWKS(content, j.log)
}

// jwk is a key of RFC 7517; the numbers are base64url.
type jwk struct {
	Type  string `json:"kty"`
	ID    string `json:"kid"`
	Use   string `json:"use"`
	Curve string `json:"crv"`
	K     string `json:"k"`
	N     string `json:"n"`
	E     string `json:"e"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// parseJWKS reads the keys of a set; of those for other purposes or of unknown
// kinds nothing is said, as RFC 7517 (5) asks. One that cannot be used takes none of
// the others with it.
func parseJWKS(content []byte, log *slog.Logger) ([]key, error) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(content, &set); err != nil {
		return nil, fmt.Errorf("a JWKS that cannot be read: %w", err)
	}
	var found []key
	var unusable error
	for _, j := range set.Keys {
		if j.Use != "" && j.Use != "sig" {
			continue
		}
		k, err := j.key()
		if err != nil {
			log.Warn("key of the JWKS cannot be used", "id", j.ID, "err", err)
			unusable = errors.Join(unusable, fmt.Errorf("key %q: %w", j.ID, err))
			continue
		}
		if k.public != nil {
			found = append(found, k)
		}
	}
	if len(found) == 0 {
		return nil, errors.Join(errors.New("the JWKS has no key that verifies HS256, RS256, ES256 or EdDSA"), unusable)
	}
	return found, nil
}

func (j *jwk) key() (key, error) {
	var numbers [5][]byte
	for i, text := range []string{j.K, j.N, j.E, j.X, j.Y} {
		var err error
		if numbers[i], err = base64.RawURLEncoding.DecodeString(text); err != nil {
			return key{}, err
		}
	}
	k, n, e, x, y := numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
	switch {
	case j.Type == "oct" && len(k) < minSecret:
		return key{}, fmt.Errorf("the secret has %d bytes: at least %d", len(k), minSecret)
	case j.Type == "oct":
		return key{j.ID, []string{"HS256"}, k}, nil
	case j.Type == "RSA" && len(e) <= 4:
		return publicKey(j.ID, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())})
	case j.Type == "EC" && j.Curve == "P-256":
		public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		if err != nil {
			return key{}, err
		}
		return publicKey(j.ID, public)
	case j.Type == "OKP" && j.Curve == "Ed25519" && len(x) == ed25519.PublicKeySize:
		return publicKey(j.ID, ed25519.PublicKey(x))
	}
	return key{}, nil
}
