package ec2api

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"time"
)

// Identity signs the identity documents of instances, as a region of EC2 does:
// RSA over SHA-256, under a certificate that verifiers are given. Make one with
// NewIdentity.
type Identity struct {
	key         *rsa.PrivateKey
	certificate []byte // DER
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
	return &Identity{key, certificate}, nil
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
