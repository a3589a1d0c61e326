// Package access says who may publish and subscribe to what.
//
// A caller shows a signed token (JWT). Its claims, beside the registered ones:
//
//	"sub": "ann", "exp": 1790000000,
//	"obby": {"subscribe": ["changes.>"], "publish": ["notes.*"]}
//
// The lists hold topics and patterns; `>` is everything. What a token grants, it
// grants until it expires: a stream ends then and not before, and a key that is
// withdrawn lets nobody in from then on. So tokens are to be short-lived.
//
// Keys come from files (a secret, PEM, or a JWKS) and from the URL of a JWKS. An
// algorithm belongs to a kind of key and is never taken from the token alone, so a
// public key cannot be used as a secret.
package access

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/obby/go-services/sse-hub/internal/hub"
)

var (
	// ErrToken refuses a caller whose token or ticket is missing or not good.
	ErrToken = errors.New("a good token is needed")
	// ErrKeys says that a token could not be judged, because keys that may have
	// signed it could not be got: that is not the caller's fault.
	ErrKeys = errors.New("the keys that tokens are verified with cannot be got")
)

// Grant is what a token allows.
type Grant struct {
	Subject            string
	Expires            time.Time
	subscribe, publish []string
}

// NewGrant returns what a token with these claims would allow.
func NewGrant(subject string, expires time.Time, subscribe, publish []string) *Grant {
	return &Grant{subject, expires, subscribe, publish}
}

// MaySubscribe reports whether a topic, or everything that a pattern matches, may
// be read.
func (g *Grant) MaySubscribe(topic string) bool { return covered(g.subscribe, topic) }

// MayPublish reports whether something may be published to a topic.
func (g *Grant) MayPublish(topic string) bool { return covered(g.publish, topic) }

func covered(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if hub.Covers(pattern, name) {
			return true
		}
	}
	return false
}

// claims are those of a token.
type claims struct {
	jwt.RegisteredClaims
	Obby struct {
		Subscribe []string `json:"subscribe"`
		Publish   []string `json:"publish"`
	} `json:"obby"`
}

// Options of a verifier.
type Options struct {
	KeyFiles []string
	JWKS     string       // URL
	Issuer   string       // which tokens must have; empty: any
	Audience string       // which tokens must name; empty: any
	Cookie   string       // name of the cookie that may hold a token
	Log      *slog.Logger // nil: nothing is said
}

// Verifier verifies tokens and gives tickets.
type Verifier struct {
	keys    *keys
	parser  *jwt.Parser
	cookie  string
	tickets tickets
}

// New reads the keys. A JWKS that does not answer is asked for again when a token
// comes.
func New(o Options) (*Verifier, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	k, err := loadKeys(o)
	if err != nil {
		return nil, err
	}
	rules := []jwt.ParserOption{
		jwt.WithExpirationRequired(), jwt.WithValidMethods(algorithms()),
	}
	if o.Issuer != "" {
		rules = append(rules, jwt.WithIssuer(o.Issuer))
	}
	if o.Audience != "" {
		rules = append(rules, jwt.WithAudience(o.Audience))
	}
	return &Verifier{keys: k, parser: jwt.NewParser(rules...), cookie: o.Cookie}, nil
}

// Verify returns what a token grants. Errors wrap ErrToken or ErrKeys.
func (v *Verifier) Verify(token string) (*Grant, error) {
	var c claims
	var missing error
	_, err := v.parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		var found any
		var err error
		found, missing, err = v.keys.find(t)
		return found, err
	})
	unsigned := errors.Is(err, jwt.ErrTokenUnverifiable) || errors.Is(err, jwt.ErrTokenSignatureInvalid)
	switch {
	case missing != nil && unsigned: // by a key that is here
		return nil, fmt.Errorf("%w: %w", ErrKeys, missing)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	return NewGrant(c.Subject, c.ExpiresAt.Time, c.Obby.Subscribe, c.Obby.Publish), nil
}

// Cookie returns the name of the cookie that may hold a token.
func (v *Verifier) Cookie() string { return v.cookie }
