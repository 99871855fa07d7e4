package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

// wallClock is this machine's.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }
func (wallClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// A region is a simulated EC2 with its STS.
type region struct {
	*testing.T
	server *ec2api.Server
	url    string // of its STS, and of the issuer of its account
}

func newRegion(t *testing.T) region {
	t.Helper()
	c, err := cloud.New(cloud.Config{Start: time.Now(), Region: "us-east-1", Account: "123456789012", World: &sim.Config{
		Seed: 1, Catalog: policy.EC2in2008(), Zones: []string{"a"}, MaxInstances: 10, Boot: map[string]sim.BootModel{"": {Model: "fixed"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	identity, err := ec2api.NewIdentity(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(nil)
	r := region{T: t, url: "http://" + web.Listener.Addr().String()}
	if r.server, err = ec2api.New(c, ec2api.Options{Clock: wallClock{}, Identity: identity, Issuer: r.url}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.server.Close)
	web.Config.Handler = r.server
	web.Start()
	t.Cleanup(web.Close)
	return r
}

// launch launches an instance with a profile, and returns its id and the
// environment of what runs on it.
func (r region) launch(userData, profile string) (id string, env []string) {
	r.Helper()
	r.server.With(func(c *cloud.Cloud) {
		got, e := c.RunInstances(cloud.RunRequest{Min: 1, Max: 1, Spec: cloud.Spec{
			Image: c.Image().ID, Type: "c1.xlarge", Profile: profile, UserData: base64.StdEncoding.EncodeToString([]byte(userData)),
		}})
		if e != nil {
			r.Fatal(e)
		}
		id = got.Instances[0].ID
	})
	metadata := httptest.NewServer(r.server.Metadata(id))
	r.Cleanup(metadata.Close)
	return id, []string{
		beWorker + "=1", "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + metadata.URL, "AWS_ENDPOINT_URL_STS=" + r.url, "AWS_EC2_METADATA_DISABLED=false",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "SKYNET_URL=", "SKYNET_TOKEN=",
		// what lies about names no instance, and must not be used
		"AWS_ACCESS_KEY_ID=" + ec2api.TestAccessKey, "AWS_SECRET_ACCESS_KEY=" + ec2api.TestSecretKey,
	}
}

// TestWebIdentity: an instance of EC2 gets a token of the queue for one that STS
// gave its role; one that brings a token for another audience, and one without a
// role, get none.
func TestWebIdentity(t *testing.T) {
	r := newRegion(t)
	l := newLaptop(t, "--bootstrap-sts", r.url, "--bootstrap-account", "123456789012", "--bootstrap-region", "us-east-1",
		"--bootstrap-role", "arn:aws:iam::123456789012:role/skynet-worker", "--cluster", "photos")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data := fmt.Sprintf("queue = %q\ncluster = \"photos\"\nauth = \"sts\"\nresults = %q\n", l.url(), filepath.Join(l.dir, "made"))

	_, env := r.launch(data, "skynet-worker")
	l.start(self, env, "--ec2", "--audience", "skynet:test").waitFor(`it must be for \"skynet:photos\" alone`)
	_, env = r.launch(data, "guest")
	l.start(self, env, "--ec2").waitFor(`role \"arn:aws:iam::123456789012:role/guest\" is not allowed`)
	_, env = r.launch(data, "")
	l.start(self, env, "--ec2").waitFor("no EC2 IMDS role found")
	if workers, err := l.calls.Workers(t.Context()); err != nil || len(workers) != 0 {
		t.Fatalf("%d workers, %v", len(workers), err)
	}

	id, env := r.launch(data, "skynet-worker")
	w := l.start(self, env, "--ec2", "--any-program")
	w.waitFor("msg=registered")
	workers, err := l.calls.Workers(t.Context())
	if err != nil || len(workers) != 1 || workers[0].InstanceID != id {
		t.Fatalf("%+v, %v", workers, err)
	}
	l.done(l.submit(l.counted("one", 0))[0])
	// whoever wants to be another instance by the same token is refused by the queue
	l.start(self, env, "--ec2", "--instance", "i-0bad").waitFor("the token is bound to instance " + id)
	if said := l.queue.said() + w.said(); strings.Contains(said, "eyJ") {
		t.Error("a log tells a token")
	}
	if err := w.stop(); err != nil {
		t.Error(err)
	}
}

func TestWebIdentityFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--auth", "sts"}, "--auth sts: needs --ec2"},
		{[]string{"--audience", "a"}, "--audience: is of use with --auth sts alone"},
	} {
		l := &laptop{t: t, dir: t.TempDir()}
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		p := l.start(self, []string{beWorker + "=1", "SKYNET_URL=", "SKYNET_TOKEN="}, c.args...)
		if err := p.wait(); err == nil || !strings.Contains(p.said(), c.says) {
			t.Errorf("%v: %v, %s", c.args, err, p.said())
		}
	}
}
