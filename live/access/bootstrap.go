package access

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"

	"github.com/smallstep/pkcs7"
)

// A Verifier checks one kind of bootstrap credential. Those of this package need
// nothing but what they were made with; webidentity.Verifier, for tokens of STS,
// stands in a package of its own, so that a worker does not link it.
type Verifier interface {
	Kind() string
	// Verify returns the instance that the credential proves. Errors say what is
	// wrong with it, without its secrets. An *api.Error says that the credential
	// could not be judged, and is answered as it is.
	Verify(ctx context.Context, r api.BootstrapRequest, now time.Time) (instanceID string, err error)
}

// Bootstrap exchanges a bootstrap credential for a worker token that is bound to
// the instance.
func (k *Keeper) Bootstrap(ctx context.Context, r api.BootstrapRequest, now time.Time) (api.NewToken, error) {
	if r.Cluster != k.opt.Cluster {
		return api.NewToken{}, WrongCluster(r.Cluster, k.opt.Cluster)
	}
	var kinds []string
	for _, v := range k.opt.Bootstrap {
		kinds = append(kinds, v.Kind())
		if v.Kind() != r.Kind {
			continue
		}
		instance, err := v.Verify(ctx, r, now)
		var undecided *api.Error
		if errors.As(err, &undecided) {
			return api.NewToken{}, undecided
		}
		if err != nil {
			k.opt.Log.Warn("bootstrap refused", "kind", r.Kind, "instance_id", r.InstanceID, "err", err)
			return api.NewToken{}, &api.Error{Code: api.CodeUnauthorized, Message: "bootstrap credential refused: " + err.Error()}
		}
		token, err := k.Make(ctx, Caller{Role: api.RoleWorker, Name: "bootstrap", InstanceID: instance, ExpiresAt: now.Add(k.opt.WorkerFor).UTC()}, r.BootID, now)
		if err == nil {
			k.opt.Log.Info("bootstrap", "kind", r.Kind, "instance_id", instance, "boot_id", r.BootID, "token_id", token.ID)
		}
		return token, err
	}
	return api.NewToken{}, &api.Error{
		Code: api.CodeInvalid, Field: "kind", Allowed: kinds,
		Message: fmt.Sprintf("bootstrap credentials of kind %q are not accepted by this queue", r.Kind),
	}
}

// WrongCluster returns the error for a worker of another cluster.
func WrongCluster(theirs, ours string) error {
	return &api.Error{
		Code: api.CodeWrongCluster, Field: "cluster", Allowed: []string{ours},
		Message: fmt.Sprintf("the worker belongs to cluster %q, this queue serves %q", theirs, ours),
	}
}

// EC2Verifier accepts the identity document of an EC2 instance. The document
// says which instance, account and region; AWS's signature says that it is true.
// Anything that runs on the instance can read it, so its age is bounded and a
// new boot's token replaces the one before.
type EC2Verifier struct {
	Certificates []*x509.Certificate // of AWS, for the regions in use
	Accounts     []string            // allowed; at least one
	Regions      []string            // allowed; empty: any
	LaunchedIn   time.Duration       // a document of an instance launched longer ago is refused; 0: any age
}

// ReadCertificates reads PEM certificates from a file.
func ReadCertificates(name string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, &FileError{name, 1, fmt.Sprintf("certificate %d: %v", len(all)+1, err)}
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, &FileError{name, 1, "holds no PEM certificate"}
	}
	return all, nil
}

// Kind is api.BootstrapEC2.
func (v EC2Verifier) Kind() string { return api.BootstrapEC2 }

// identity is what we read of an identity document.
type identity struct {
	InstanceID  string    `json:"instanceId"`
	AccountID   string    `json:"accountId"`
	Region      string    `json:"region"`
	PendingTime time.Time `json:"pendingTime"`
}

// Verify checks the signature, then what the document says.
func (v EC2Verifier) Verify(_ context.Context, r api.BootstrapRequest, now time.Time) (string, error) {
	if err := v.verifySignature([]byte(r.Document), r.Signature); err != nil {
		return "", err
	}
	var id identity
	if err := json.Unmarshal([]byte(r.Document), &id); err != nil {
		return "", errors.New("document: not an identity document")
	}
	switch {
	case id.InstanceID == "":
		return "", errors.New("document: names no instance")
	case !slices.Contains(v.Accounts, id.AccountID):
		return "", fmt.Errorf("document: account %q is not allowed", id.AccountID)
	case len(v.Regions) > 0 && !slices.Contains(v.Regions, id.Region):
		return "", fmt.Errorf("document: region %q is not allowed", id.Region)
	case v.LaunchedIn > 0 && now.Sub(id.PendingTime) > v.LaunchedIn:
		return "", fmt.Errorf("document: launched at %s, more than %s ago", id.PendingTime.UTC().Format(time.RFC3339), v.LaunchedIn)
	case r.InstanceID != "" && r.InstanceID != id.InstanceID:
		return "", fmt.Errorf("instance_id: the document is of instance %s", id.InstanceID)
	}
	return id.InstanceID, nil
}

// verifySignature accepts what the metadata service calls "rsa2048" (PKCS7) and
// "signature" (the bare RSA-SHA256 signature). "pkcs7" is signed with DSA, which
// Go no longer verifies.
func (v EC2Verifier) verifySignature(document []byte, signature string) error {
	signature = strings.NewReplacer("-----BEGIN PKCS7-----", "", "-----END PKCS7-----", "", "\n", "", "\r", "", " ", "").Replace(signature)
	der, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || len(der) == 0 {
		return errors.New("signature: not base64")
	}
	if envelope, err := pkcs7.Parse(der); err == nil {
		return v.verifyPKCS7(envelope, document)
	}
	sum := sha256.Sum256(document)
	for _, c := range v.Certificates {
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], der) == nil {
			return nil
		}
	}
	return errNotSigned
}

var errNotSigned = errors.New("signature: not made for this document by a certificate that the queue knows (use rsa2048 or signature of the metadata service, and the region's certificate)")

// verifyPKCS7 checks an envelope against the certificates that we were given,
// and none that it brings along.
func (v EC2Verifier) verifyPKCS7(envelope *pkcs7.PKCS7, document []byte) error {
	if len(envelope.Content) > 0 && !hmac.Equal(envelope.Content, document) {
		return errNotSigned
	}
	if len(envelope.Signers) == 0 {
		return errNotSigned // there would be nothing to check
	}
	envelope.Content = document
	for _, c := range v.Certificates { // one by one: AWS's differ in nothing but their keys
		envelope.Certificates = []*x509.Certificate{c}
		if envelope.Verify() == nil {
			return nil
		}
	}
	return errNotSigned
}

// SharedVerifier accepts an HMAC with a secret that instances and queue share:
// for tests and for fleets outside EC2. Whoever has the secret can be any
// instance.
type SharedVerifier struct{ Secret []byte }

// sharedWithin is how far the clock of a worker may be off.
const sharedWithin = 5 * time.Minute

// Kind is api.BootstrapShared.
func (v SharedVerifier) Kind() string { return api.BootstrapShared }

// Verify checks the MAC and its age.
func (v SharedVerifier) Verify(_ context.Context, r api.BootstrapRequest, now time.Time) (string, error) {
	given, err := hex.DecodeString(r.MAC)
	if err != nil {
		return "", errors.New("mac: not hexadecimal")
	}
	if !hmac.Equal(given, r.SharedMAC(v.Secret)) {
		return "", errors.New("mac: not made with the secret that the queue knows")
	}
	switch {
	case r.InstanceID == "":
		return "", errors.New("instance_id: must be given")
	case r.At.Before(now.Add(-sharedWithin)) || r.At.After(now.Add(sharedWithin)):
		return "", fmt.Errorf("at: more than %s off the queue's clock", sharedWithin)
	}
	return r.InstanceID, nil
}
