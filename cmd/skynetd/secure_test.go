package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: time.Now().AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

// issue writes a certificate for a name and its key, and returns them.
func (a authority) issue(t *testing.T, certFile, keyFile, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().AddDate(1, 0, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, of, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSecure: over TLS, to clients with a certificate alone, a worker proves who
// it is, gets a token for its instance, and that token is of no use to another.
func TestSecure(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	ca := newAuthority(t)
	ca.issue(t, at("queue.pem"), at("queue.key"), "queue")
	mine := ca.issue(t, at("client.pem"), at("client.key"), "client")
	strange := newAuthority(t).issue(t, at("stranger.pem"), at("stranger.key"), "stranger")
	write(t, at("ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw}))
	secret := []byte("a secret of instances and queue, long")
	write(t, at("secret"), append(secret, '\n'))
	p := start(t, dir, "--store", "memory", "--cluster", "production", "--tls-cert", "queue.pem", "--tls-key", "queue.key", "--client-ca", "ca.pem", "--bootstrap-secret", "secret")
	if !strings.HasPrefix(p.url, "https://") {
		t.Fatalf("it listens at %s", p.url)
	}
	ctx := t.Context()
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	with := func(token string, certificates ...tls.Certificate) *client.Client {
		c, err := client.New(client.Options{URL: p.url, Token: token, RetryFor: -1, TLS: &tls.Config{RootCAs: roots, Certificates: certificates}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	for name, c := range map[string]*client.Client{"no certificate": with(""), "a stranger's": with("", strange), "plain HTTP": as(t, strings.Replace(p.url, "https", "http", 1), "").RetryFor(0)} {
		if err := c.Healthy(ctx); err == nil {
			t.Errorf("%s: let in", name)
		}
	}
	if err := with("", mine).Healthy(ctx); err != nil {
		t.Errorf("a good certificate: %v", err)
	}
	credential := func(cluster string) api.BootstrapRequest {
		r := api.BootstrapRequest{Kind: api.BootstrapShared, Cluster: cluster, InstanceID: "i-1", BootID: "b-1", At: time.Now()}
		r.MAC = hex.EncodeToString(r.SharedMAC(secret))
		return r
	}
	if _, err := with("", mine).Bootstrap(ctx, credential("test")); !client.IsCode(err, api.CodeWrongCluster) {
		t.Errorf("an instance of another cluster: %v", err)
	}
	minted, err := with("", mine).Bootstrap(ctx, credential("production"))
	if err != nil {
		t.Fatal(err)
	}
	worker := with(minted.Token, mine)
	as := func(instance, cluster string) error {
		_, err := worker.Register(ctx, api.RegisterRequest{InstanceID: instance, InstanceType: "m", Slots: 1, Cluster: cluster, BootID: "b-1"})
		return err
	}
	if err := as("i-1", "production"); err != nil {
		t.Error(err)
	}
	if err := as("i-2", "production"); !client.IsCode(err, api.CodeForbidden) {
		t.Errorf("another instance with the token: %v", err)
	}
	if err := as("i-1", "test"); !client.IsCode(err, api.CodeWrongCluster) {
		t.Errorf("a worker of another cluster: %v", err)
	}
	// a renewed certificate is served without a restart
	ca.issue(t, at("queue.pem"), at("queue.key"), "renewed")
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(at("queue.pem"), later, later); err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{mine}})
	if err != nil {
		t.Fatal(err)
	}
	if name := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; name != "renewed" {
		t.Errorf("the certificate is that of %q", name)
	}
	conn.Close()
	p.stop(syscall.SIGTERM)
	for _, told := range []string{minted.Token, string(secret)} {
		if strings.Contains(p.text(), told) {
			t.Errorf("the log tells a secret:\n%s", p.text())
		}
	}
}

// TestExportFromStore: what was done becomes a trace, while the queue runs and
// when it does not.
func TestExportFromStore(t *testing.T) {
	dir := t.TempDir()
	p := start(t, dir)
	ctx := t.Context()
	if _, err := p.client(dir, api.RoleProducer).SubmitAll(ctx, []api.JobSpec{{Type: "photo", Priority: 2}, {Type: "photo", Priority: 2}}); err != nil {
		t.Fatal(err)
	}
	worker := p.client(dir, api.RoleWorker)
	me, err := worker.Register(ctx, api.RegisterRequest{InstanceID: "i-1", InstanceType: "c7i.large", Slots: 1, Cluster: "default", BootID: "b"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		work, err := worker.Work(ctx, api.WorkRequest{Session: me.Session, SlotsFree: 1, WaitMS: 5000})
		if err != nil || len(work.Jobs) != 1 {
			t.Fatalf("%+v, %v", work, err)
		}
		done := api.DoneJob{Job: work.Jobs[0].ID, Token: work.Jobs[0].Token, Outcome: api.OutcomeOK, Metrics: &api.Metrics{RunS: 0.5}}
		if _, err := worker.Complete(ctx, api.CompleteRequest{Session: me.Session, Done: []api.DoneJob{done}}); err != nil {
			t.Fatal(err)
		}
	}
	export := func(name string) string {
		t.Helper()
		c := exec.Command("skynetd", "trace", "export", "-o", name, "--speed", "c7i.large=2.5")
		c.Dir = dir
		if text, err := c.CombinedOutput(); err != nil || !strings.HasPrefix(string(text), "wrote "+name+": 2 jobs in ") {
			t.Fatalf("%v: %s", err, text)
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	running := export("running.csv")
	if strings.Count(running, ",1.25,photo,2\n") != 2 {
		t.Errorf("%s", running)
	}
	p.stop(syscall.SIGTERM)
	if stopped := export("stopped.csv"); stopped != running {
		t.Errorf("%s, then %s", running, stopped)
	}
}
