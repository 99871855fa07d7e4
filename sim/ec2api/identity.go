package ec2api

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Identity signs the identity documents of instances, as a region of EC2 does:
// RSA over SHA-256, under a certificate that verifiers are given; and web identity
// tokens, as the issuer of an account does, under keys of its own whose public
// halves are published. Make one with NewIdentity.
type Identity struct {
	key         *rsa.PrivateKey
	certificate []byte // DER
	issuer      []jose.JSONWebKey
}

// NewIdentity returns a test authority of its own making, whose certificate is
// good for ten years around now. Nobody trusts it but who is given its
// certificate.
func NewIdentity(random io.Reader, now time.Time) (*Identity, error) {
	key, err := rsa.GenerateKey(random, 2048)
	if err != nil {
		return nil, fmt.Errorf("identity key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "SkyNet simulated EC2", Organization: []string{"SkyNet test authority"}},
		NotBefore:    now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(random, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("identity certificate: %w", err)
	}
	issuer, err := newIssuerKeys(random)
	if err != nil {
		return nil, fmt.Errorf("issuer's keys: %w", err)
	}
	return &Identity{key, certificate, issuer}, nil
}

// newIssuerKeys returns a key for each algorithm of GetWebIdentityToken. Keys are
// named for what they are, so those of another authority have other names.
func newIssuerKeys(random io.Reader) ([]jose.JSONWebKey, error) {
	short, err := rsa.GenerateKey(random, 2048)
	if err != nil {
		return nil, err
	}
	curved, err := ecdsa.GenerateKey(elliptic.P384(), random)
	if err != nil {
		return nil, err
	}
	keys := []jose.JSONWebKey{
		{Key: short, Algorithm: string(jose.RS256), Use: "sig"},
		{Key: curved, Algorithm: string(jose.ES384), Use: "sig"},
	}
	for i := range keys {
		public := keys[i].Public()
		print, err := public.Thumbprint(crypto.SHA256)
		if err != nil {
			return nil, err
		}
		keys[i].KeyID = keys[i].Algorithm + "_" + hex.EncodeToString(print[:4])
	}
	return keys, nil
}

// jwks returns the issuer's public keys as a JSON Web Key Set.
func (i *Identity) jwks() jose.JSONWebKeySet {
	var set jose.JSONWebKeySet
	for _, k := range i.issuer {
		set.Keys = append(set.Keys, k.Public())
	}
	return set
}

// webIdentityToken returns a JSON Web Token of claims, signed by an algorithm, and
// whether there is a key for that.
func (i *Identity) webIdentityToken(algorithm string, claims any) (string, bool) {
	at := slices.IndexFunc(i.issuer, func(k jose.JSONWebKey) bool { return k.Algorithm == algorithm })
	if at < 0 {
		return "", false
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: i.issuer[at]}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		panic(err) // every key was made for its algorithm
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		panic(err) // plain strings and numbers
	}
	return token, true
}

// PEM returns the certificate that verifiers need.
func (i *Identity) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate})
}

// sign returns the signature of a document in base64, in lines as EC2 breaks
// them.
func (i *Identity) sign(document string) string {
	digest := sha256.Sum256([]byte(document))
	signature, err := rsa.SignPKCS1v15(nil, i.key, crypto.SHA256, digest[:])
	if err != nil {
		panic(err) // a key of 2048 bits signs any digest
	}
	text := base64.StdEncoding.EncodeToString(signature)
	lines := ""
	for len(text) > 76 {
		lines += text[:76] + "\n"
		text = text[76:]
	}
	return lines + text
}
