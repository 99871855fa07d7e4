package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/instance/imdstest"
)

// An imds is the metadata service of one instance.
type imds struct{ *imdstest.Service }

func newIMDS(t *testing.T) imds { return imds{imdstest.New(t)} }

// sign gives the instance an identity, signed as EC2 does with a certificate of
// its own, and returns the file with that.
func (m imds) sign(t *testing.T, document string) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "metadata"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(document))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	m.Set("dynamic/instance-identity/document", document)
	m.Set("dynamic/instance-identity/signature", base64.StdEncoding.EncodeToString(signature))
	path := filepath.Join(t.TempDir(), "ec2.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInstanceOfEC2(t *testing.T) {
	m := newIMDS(t)
	certificate := m.sign(t, `{"accountId":"123456789012","instanceId":"i-0abc","instanceType":"c1.xlarge","availabilityZone":"us-east-1b","region":"us-east-1","imageId":"ami-1","pendingTime":"`+time.Now().UTC().Format(time.RFC3339)+`"}`)
	l := newLaptop(t, "--bootstrap-ec2", certificate, "--bootstrap-account", "123456789012", "--cluster", "photos")
	m.Set("user-data", fmt.Sprintf("queue = %q\ncluster = \"photos\"\nroles = [\"thumbs\"]\nresults = %q\n", l.url(), filepath.Join(l.dir, "made")))
	m.Set("meta-data/instance-life-cycle", "spot")

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	env := []string{
		beWorker + "=1", "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + m.URL, "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"AWS_EC2_METADATA_DISABLED=false", "SKYNET_URL=", "SKYNET_TOKEN=",
	}
	marker := filepath.Join(l.dir, "off")
	w := l.start(self, env, "--ec2", "--any-program", "--power-off", "touch "+marker)
	w.waitFor("msg=registered")
	workers, err := l.calls.Workers(t.Context())
	if err != nil || len(workers) != 1 {
		t.Fatalf("%d workers, %v", len(workers), err)
	}
	k := workers[0]
	if k.InstanceID != "i-0abc" || k.InstanceType != "c1.xlarge" || k.Zone != "us-east-1b" || k.Market != "spot" || k.Slots != 8 || k.Cluster != "photos" || len(k.Roles) != 1 || k.Roles[0] != "thumbs" {
		t.Errorf("it says of itself: %+v", k)
	}
	if k.Boot == nil || k.Boot.LaunchedAt.IsZero() || k.Boot.AuthMS == 0 || k.Boot.StartMS == 0 {
		t.Errorf("boot %+v", k.Boot)
	}
	l.done(l.submit(l.counted("before", 0))[0])

	// EC2 takes the instance back: what cannot be finished goes back
	id := l.submit(l.counted("endless", 1000))[0]
	for l.ran()["endless"] == 0 {
		time.Sleep(20 * time.Millisecond)
	}
	m.Set("meta-data/spot/instance-action", `{"action":"terminate","time":"`+time.Now().Add(12*time.Second).UTC().Format(time.RFC3339)+`"}`)
	if err := w.wait(); err != nil {
		t.Errorf("interrupted: %v", err)
	}
	if !strings.Contains(l.queue.said(), "spot interruption") {
		t.Error("the queue was not told why")
	}
	if o, err := l.calls.Observe(t.Context(), api.ObserveRequest{}); err != nil || len(o.TakenBack) != 1 || o.TakenBack[0].InstanceID != "i-0abc" || time.Until(o.TakenBack[0].At).Abs() > time.Minute {
		t.Errorf("a controller is told that %+v are taken back, %v", o.TakenBack, err)
	}
	j, err := l.calls.Job(t.Context(), id)
	if err != nil || j.State != api.StateWaiting || j.Attempts != 0 {
		t.Errorf("the job is %s after %d attempts, %v", j.State, j.Attempts, err)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("an instance that EC2 takes back was powered off")
	}
}

func TestInstanceOfAnotherAccountIsRefused(t *testing.T) {
	m := newIMDS(t)
	certificate := m.sign(t, `{"accountId":"999999999999","instanceId":"i-0bad","instanceType":"c1.xlarge","region":"us-east-1"}`)
	l := newLaptop(t, "--bootstrap-ec2", certificate, "--bootstrap-account", "123456789012")
	m.Set("user-data", fmt.Sprintf("queue = %q\n", l.url()))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := l.start(self, []string{beWorker + "=1", "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + m.URL, "SKYNET_URL=", "SKYNET_TOKEN="}, "--ec2")
	w.waitFor("no token yet")
	if workers, err := l.calls.Workers(t.Context()); err != nil || len(workers) != 0 {
		t.Errorf("%d workers, %v", len(workers), err)
	}
}

func TestSharedSecret(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("s3cret", 8)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLaptop(t, "--bootstrap-secret", secret)
	w := l.workerWith([]string{"SKYNET_TOKEN="}, "--auth", "shared", "--secret", secret, "--any-program")
	l.done(l.submit(l.counted("one", 0))[0])
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}
