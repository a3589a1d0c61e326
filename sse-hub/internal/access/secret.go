package access

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// parseSecret reads a secret for HS256. What may be a public key in a form that is
// not read here is refused: as a secret, it would let everybody in who knows it.
func parseSecret(content []byte) ([]key, error) {
	switch {
	case isSSH(content):
		return nil, errors.New("an SSH key is not read here: give the public key as PEM, such as from  ssh-keygen -e -m PKCS8 -f <file>")
	case !isText(content):
		return nil, errors.New("it is not text: give a public key as PEM, such as from  openssl pkey -pubin -inform DER -in <file>, or a secret such as from  openssl rand -hex 32")
	case bytes.ContainsAny(content, "\r\n"):
		return nil, errors.New("it has several lines and is neither PEM nor a JWKS: give one of those, or a secret of one line, such as from  openssl rand -hex 32")
	case isNakedKey(content):
		return nil, errors.New("it is a public key without the lines around it: give it as PEM, with -----BEGIN PUBLIC KEY----- and its end")
	case len(content) < minSecret:
		return nil, fmt.Errorf("the secret has %d bytes: give at least %d, such as from  openssl rand -hex 32", len(content), minSecret)
	}
	return []key{{algorithms: []string{"HS256"}, public: content}}, nil
}

// isSSH tells a line of an SSH public key, whatever stands before it: the key
// begins with a length below 256 in four bytes.
func isSSH(content []byte) bool {
	for _, word := range bytes.Fields(content) {
		for _, begin := range []string{"ssh-", "sk-ssh-", "ecdsa-", "sk-ecdsa-", "AAAA"} {
			if bytes.HasPrefix(word, []byte(begin)) {
				return true
			}
		}
	}
	return false
}

func isText(content []byte) bool {
	for _, b := range content {
		if (b < ' ' || b > '~') && b != '\t' && b != '\r' && b != '\n' {
			return false
		}
	}
	return true
}

// isNakedKey tells the middle of a PEM block, and the same in hexadecimal.
func isNakedKey(content []byte) bool {
	for _, decode := range []func(string) ([]byte, error){
		base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString, hex.DecodeString,
	} {
		if der, err := decode(string(content)); err == nil && isPublicKey(der) {
			return true
		}
	}
	return false
}

func isPublicKey(der []byte) bool {
	_, pkix := x509.ParsePKIXPublicKey(der)
	_, pkcs1 := x509.ParsePKCS1PublicKey(der)
	_, certificate := x509.ParseCertificate(der)
	return pkix == nil || pkcs1 == nil || certificate == nil
}
