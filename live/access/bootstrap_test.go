package access

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"

	"github.com/smallstep/pkcs7"
)

// signer is what AWS has: a key and its certificate.
type signer struct {
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

func newSigner(t testing.TB) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	// like AWS's: long expired is no reason, it is pinned
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"A cloud"}}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(100, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, cert}
}

// bare returns what the metadata service calls "signature".
func (s signer) bare(t testing.TB, document string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(document))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return wrapped(signature)
}

// envelope returns what it calls "rsa2048".
func (s signer) envelope(t testing.TB, document string, detached bool) string {
	t.Helper()
	data, err := pkcs7.NewSignedData([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := data.AddSigner(s.cert, s.key, pkcs7.SignerInfoConfig{}); err != nil {
		t.Fatal(err)
	}
	if detached {
		data.Detach()
	}
	der, err := data.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return wrapped(der)
}

// wrapped returns base64 in lines of 64, as the metadata service gives it.
func wrapped(b []byte) string {
	text := base64.StdEncoding.EncodeToString(b)
	var lines []string
	for len(text) > 64 {
		lines, text = append(lines, text[:64]), text[64:]
	}
	return strings.Join(append(lines, text), "\n")
}

const document = `{
  "accountId" : "111122223333",
  "instanceId" : "i-1234567890abcdef0",
  "instanceType" : "c7i.large",
  "pendingTime" : "2026-06-01T11:59:00Z",
  "region" : "eu-central-1"
}`

func TestEC2Bootstrap(t *testing.T) {
	aws, stranger := newSigner(t), newSigner(t)
	v := EC2Verifier{Certificates: []*x509.Certificate{newSigner(t).cert, aws.cert}, Accounts: []string{"111122223333"}, Regions: []string{"eu-central-1"}, LaunchedIn: time.Hour}
	forged := strings.Replace(document, "i-1234567890abcdef0", "i-0", 1)
	elsewhere := strings.Replace(document, "eu-central-1", "us-east-1", 1)
	anybody := strings.Replace(document, "111122223333", "999999999999", 1)
	for _, tt := range []struct {
		name                string
		document, signature string
		at                  time.Time
		want                string // part of the error; "": it is good
	}{
		{"a bare signature", document, aws.bare(t, document), now, ""},
		{"an envelope", document, aws.envelope(t, document, false), now, ""},
		{"a detached envelope", document, aws.envelope(t, document, true), now, ""},
		{"an envelope in PEM lines", document, "-----BEGIN PKCS7-----\n" + aws.envelope(t, document, false) + "\n-----END PKCS7-----", now, ""},
		{"a stranger's bare signature", document, stranger.bare(t, document), now, "signature"},
		{"a stranger's envelope", document, stranger.envelope(t, document, false), now, "signature"},
		{"another document under a bare signature", forged, aws.bare(t, document), now, "signature"},
		{"another document beside an envelope", forged, aws.envelope(t, document, false), now, "signature"},
		{"another document beside a detached envelope", forged, aws.envelope(t, document, true), now, "signature"},
		{"no signature", document, "", now, "signature"},
		{"no base64", document, "?", now, "signature"},
		{"nonsense", document, wrapped([]byte("nonsense")), now, "signature"},
		{"another account", anybody, aws.bare(t, anybody), now, `account "999999999999" is not allowed`},
		{"another region", elsewhere, aws.bare(t, elsewhere), now, `region "us-east-1" is not allowed`},
		{"an old instance", document, aws.bare(t, document), now.Add(2 * time.Hour), "more than 1h0m0s ago"},
		{"no document", "", aws.bare(t, ""), now, "document"},
		{"an empty document", "{}", aws.bare(t, "{}"), now, "names no instance"},
	} {
		instance, err := v.Verify(t.Context(), api.BootstrapRequest{Kind: api.BootstrapEC2, Document: tt.document, Signature: tt.signature}, tt.at)
		switch {
		case tt.want == "" && (err != nil || instance != "i-1234567890abcdef0"):
			t.Errorf("%s: %q, %v", tt.name, instance, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %q, %v; want %q", tt.name, instance, err, tt.want)
		}
	}
	// an envelope without a signer proves nothing
	empty, err := pkcs7.DegenerateCertificate(aws.cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), api.BootstrapRequest{Document: document, Signature: wrapped(empty)}, now); err == nil {
		t.Error("an envelope without a signer is taken")
	}
}

func TestSharedBootstrap(t *testing.T) {
	secret := []byte("a secret of instances and queue, long")
	v := SharedVerifier{Secret: secret}
	r := api.BootstrapRequest{Kind: api.BootstrapShared, Cluster: "test", InstanceID: "i-1", BootID: "b-1", At: now}
	sign := func(r api.BootstrapRequest) api.BootstrapRequest {
		r.MAC = hex.EncodeToString(r.SharedMAC(secret))
		return r
	}
	if instance, err := v.Verify(t.Context(), sign(r), now.Add(4*time.Minute)); err != nil || instance != "i-1" {
		t.Errorf("%q, %v", instance, err)
	}
	for name, bad := range map[string]api.BootstrapRequest{
		"no MAC":           r,
		"another instance": func() api.BootstrapRequest { s := sign(r); s.InstanceID = "i-2"; return s }(),
		"another boot":     func() api.BootstrapRequest { s := sign(r); s.BootID = "b-2"; return s }(),
		"another cluster":  func() api.BootstrapRequest { s := sign(r); s.Cluster = "production"; return s }(),
		"another time":     func() api.BootstrapRequest { s := sign(r); s.At = now.Add(time.Minute); return s }(),
		"an old one":       func() api.BootstrapRequest { s := r; s.At = now.Add(-6 * time.Minute); return sign(s) }(),
		"one of tomorrow":  func() api.BootstrapRequest { s := r; s.At = now.Add(6 * time.Minute); return sign(s) }(),
		"no instance":      func() api.BootstrapRequest { s := r; s.InstanceID = ""; return sign(s) }(),
	} {
		if instance, err := v.Verify(t.Context(), bad, now); err == nil {
			t.Errorf("%s is taken as %q", name, instance)
		}
	}
}

// TestBootstrapTokens: what is minted is bound to the instance; a new boot's
// token replaces the one before; another cluster's instance gets none.
func TestBootstrapTokens(t *testing.T) {
	ctx := t.Context()
	secret := []byte("a secret of instances and queue, long")
	k, _, log := open(t, writeTokens(t, "operator "+plainOperator+"\n"), SharedVerifier{Secret: secret})
	mint := func(cluster, instance, boot string) (api.NewToken, error) {
		r := api.BootstrapRequest{Kind: api.BootstrapShared, Cluster: cluster, InstanceID: instance, BootID: boot, At: now}
		r.MAC = hex.EncodeToString(r.SharedMAC(secret))
		return k.Bootstrap(ctx, r, now)
	}
	first, err := mint("test", "i-1", "b-1")
	if err != nil {
		t.Fatal(err)
	}
	c, ok := k.Caller(first.Token, now)
	if !ok || c.Role != api.RoleWorker || c.InstanceID != "i-1" || !c.ExpiresAt.Equal(now.Add(12*time.Hour)) {
		t.Errorf("%+v, %t", c, ok)
	}
	neighbor, err := mint("test", "i-2", "b-9")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mint("test", "i-1", "b-2"); err != nil {
		t.Fatal(err)
	}
	if _, ok := k.Caller(first.Token, now); ok {
		t.Error("the token of the boot before is good still")
	}
	if _, ok := k.Caller(neighbor.Token, now); !ok {
		t.Error("another instance's token is gone, too")
	}
	var e *api.Error
	if _, err := mint("production", "i-1", "b-1"); !errors.As(err, &e) || e.Code != api.CodeWrongCluster {
		t.Errorf("another cluster: %v", err)
	}
	bad := api.BootstrapRequest{Kind: api.BootstrapShared, Cluster: "test", InstanceID: "i-1", BootID: "b", At: now, MAC: "00"}
	if _, err := k.Bootstrap(ctx, bad, now); !errors.As(err, &e) || e.Code != api.CodeUnauthorized {
		t.Errorf("a wrong MAC: %v", err)
	}
	if _, err := k.Bootstrap(ctx, api.BootstrapRequest{Kind: "carrier-pigeon", Cluster: "test"}, now); !errors.As(err, &e) || e.Code != api.CodeInvalid || len(e.Allowed) != 1 {
		t.Errorf("another kind: %v", err)
	}
	for _, told := range []string{first.Token, neighbor.Token, string(secret)} {
		if strings.Contains(log.String(), told) {
			t.Errorf("the log tells a secret: %s", log)
		}
	}
}

func TestReadCertificates(t *testing.T) {
	s := newSigner(t)
	name := filepath.Join(t.TempDir(), "aws.pem")
	text := append([]byte("the region's\n"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw})...)
	if err := os.WriteFile(name, append(text, text...), 0o600); err != nil {
		t.Fatal(err)
	}
	if all, err := ReadCertificates(name); err != nil || len(all) != 2 {
		t.Errorf("%d certificates, %v", len(all), err)
	}
	if err := os.WriteFile(name, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadCertificates(name); err == nil || !strings.Contains(err.Error(), "holds no PEM certificate") {
		t.Errorf("%v", err)
	}
}

// undecided is a verifier that cannot judge now.
type undecided struct{}

func (undecided) Kind() string { return api.BootstrapSTS }
func (undecided) Verify(context.Context, api.BootstrapRequest, time.Time) (string, error) {
	return "", &api.Error{Code: api.CodeUnavailable, RetryAfterMS: 7}
}

// TestUndecidedBootstrap: a credential that cannot be judged now is not called bad.
func TestUndecidedBootstrap(t *testing.T) {
	k, _, _ := open(t, writeTokens(t, "operator "+plainOperator+"\n"), undecided{})
	var e *api.Error
	if _, err := k.Bootstrap(t.Context(), api.BootstrapRequest{Kind: api.BootstrapSTS, Cluster: "test"}, now); !errors.As(err, &e) || e.Code != api.CodeUnavailable || e.RetryAfterMS != 7 {
		t.Errorf("%v", err)
	}
}
