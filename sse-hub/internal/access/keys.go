package access

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// Least sizes: shorter ones are guessed or factored.
const (
	minSecret  = 32       // bytes of a secret
	minModulus = 2048     // bits of an RSA key
	maxKeyFile = 64 << 10 // bytes
)

// key verifies the tokens of its algorithms.
type key struct {
	id         string // empty: fits tokens of any key id
	algorithms []string
	public     any
}

func algorithms() []string { return []string{"HS256", "RS256", "ES256", "EdDSA"} }

// keys are all there are.
type keys struct {
	files  []key
	remote *jwks // nil: none
}

func loadKeys(o Options) (*keys, error) {
	k := &keys{}
	for _, path := range o.KeyFiles {
		found, err := readKeyFile(path, o.Log)
		if err != nil {
			return nil, fmt.Errorf("key file %s: %w", path, err)
		}
		k.files = append(k.files, found...)
	}
	if o.JWKS != "" {
		k.remote = newJWKS(o.JWKS, o.Log)
	}
	return k, nil
}

// find returns the keys that may have signed a token. Missing is why there may be
// others, which could not be got.
func (k *keys) find(token *jwt.Token) (found any, missing, err error) {
	id, _ := token.Header["kid"].(string)
	candidates := k.files
	if k.remote != nil {
		var remote []key
		remote, missing = k.remote.keys(id)
		candidates = append(slices.Clip(candidates), remote...)
	}
	var set jwt.VerificationKeySet
	for _, c := range candidates {
		if slices.Contains(c.algorithms, token.Method.Alg()) && (c.id == "" || id == "" || c.id == id) {
			set.Keys = append(set.Keys, c.public)
		}
	}
	if len(set.Keys) == 0 {
		return nil, missing, fmt.Errorf("no key for algorithm %s and key id %q is known here", token.Method.Alg(), id)
	}
	return set, missing, nil
}

// readKeyFile reads a JWKS, PEM public keys, or else a secret.
func readKeyFile(path string, log *slog.Logger) ([]key, error) {
	content, err := os.ReadFile(path)
	switch {
	case err != nil:
		return nil, err
	case len(content) > maxKeyFile:
		return nil, fmt.Errorf("has %d bytes: that is no key", len(content))
	}
	content = bytes.TrimSpace(content)
	switch {
	case bytes.HasPrefix(content, []byte("{")), bytes.Contains(content, []byte(`"kty"`)):
		return parseJWKS(content, log)
	case bytes.Contains(content, []byte("-----BEGIN ")): // openssl writes text before it
		return parsePEM(content)
	}
	return parseSecret(content)
}

func parsePEM(content []byte) ([]key, error) {
	var found []key
	for {
		var block *pem.Block
		if block, content = pem.Decode(content); block == nil {
			break
		}
		var public any
		var err error
		switch block.Type {
		case "PUBLIC KEY":
			public, err = x509.ParsePKIXPublicKey(block.Bytes)
		case "CERTIFICATE":
			var certificate *x509.Certificate
			if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
				public = certificate.PublicKey
			}
		default:
			err = fmt.Errorf("a %q is not what tokens are verified with: give the PUBLIC KEY", block.Type)
		}
		if err != nil {
			return nil, err
		}
		k, err := publicKey("", public)
		if err != nil {
			return nil, err
		}
		found = append(found, k)
	}
	if len(found) == 0 {
		return nil, errors.New("there is no PEM block in it")
	}
	return found, nil
}

func publicKey(id string, public any) (key, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minModulus {
			return key{}, fmt.Errorf("an RSA key of %d bits is too short: at least %d", k.N.BitLen(), minModulus)
		}
		return key{id, []string{"RS256"}, k}, nil
	case *ecdsa.PublicKey:
		if k.Curve.Params().Name != "P-256" {
			return key{}, fmt.Errorf("an elliptic key of curve %s: P-256 is what ES256 uses", k.Curve.Params().Name)
		}
		return key{id, []string{"ES256"}, k}, nil
	case ed25519.PublicKey:
		return key{id, []string{"EdDSA"}, k}, nil
	}
	return key{}, fmt.Errorf("a key of type %T cannot be used", public)
}
