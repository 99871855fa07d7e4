package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

// In one process the controller reads the queue beside it, by the tokens that this
// has written, and launches for the job that waits there; the queue's page shows
// the fleet; told to end, both do.
func TestAllServesAndDecides(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process: not in -short")
	}
	dir := t.TempDir()
	scenario := filepath.Join(dir, "day.toml")
	for name, text := range map[string]string{
		"day.toml":    strings.NewReplacer("duration =", "tick = \"10s\"\nduration =", `"1h"`, `"30s"`).Replace(guardedDay),
		"skynet.toml": "fleet = \"render\"\nscenario = \"day.toml\"\npolicy = \"skynet\"\n[ec2]\ncluster = \"test\"\nimage = \"ami-none\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	region := startEC2Sim(t, "--scenario", scenario)
	config := filepath.Join(dir, "skynet.toml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), "ami-none", region.image, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_EC2": region.url, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": ec2api.TestAccessKey, "AWS_SECRET_ACCESS_KEY": ec2api.TestSecretKey,
		client.EnvToken: "of another queue",
	} {
		t.Setenv(name, value)
	}
	p := begin(t, dir, listens, "all", "--mode", "active", "--listen", "127.0.0.1:0", "--controller-listen", "127.0.0.1:0")
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(p.text())
		}
	})
	controllerURL := p.await(controllerListens)[1]
	if _, err := p.client(dir, api.RoleProducer).SubmitAll(t.Context(), []api.JobSpec{{Type: "photo"}}); err != nil {
		t.Fatal(err)
	}
	region.wait("a launch", func() bool {
		return strings.Contains(region.call("Action=DescribeInstances&Version=2016-11-15"), "<instanceId>i-")
	})
	if _, body := fetch(t, controllerURL+"/v1/status"); !strings.Contains(body, `"mode": "active"`) {
		t.Errorf("status:\n%s", body)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	page, err := browser.PostForm(p.url+"/ui/login", url.Values{"token": {token(t, dir, api.RoleOperator)}, "to": {"/fleet"}})
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	if text, err := io.ReadAll(page.Body); err != nil || page.Request.URL.Path != "/fleet" || !strings.Contains(string(text), "render") {
		t.Errorf("the queue's page of the fleet, at %s: %v\n%s", page.Request.URL, err, text)
	}
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d:\n%s", code, p.text())
	}
	log := p.text()
	if stopped := strings.Index(log, "queue stopped; everything accepted is stored"); stopped < 0 || strings.Contains(log[stopped:], "decided") {
		t.Errorf("the queue does not end last:\n%s", log)
	}
}
