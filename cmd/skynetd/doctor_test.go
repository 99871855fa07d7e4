package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/sim/ec2api"

	"github.com/spf13/cobra"
)

// site is a folder with a queue, a simulated EC2 and a fleet's file.
type site struct {
	*testing.T
	dir string
	ec2 *ec2simProcess
}

func newSite(t *testing.T) *site {
	if testing.Short() {
		t.Skip("starts processes: not in -short")
	}
	s := &site{T: t, dir: t.TempDir()}
	s.write("day.toml", guardedDay)
	s.ec2 = startEC2Sim(t, "--scenario", filepath.Join(s.dir, "day.toml"))
	q := start(t, s.dir)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_EC2": s.ec2.url, "AWS_ENDPOINT_URL_STS": s.ec2.url, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": ec2api.TestAccessKey, "AWS_SECRET_ACCESS_KEY": ec2api.TestSecretKey, client.EnvToken: "",
	} {
		t.Setenv(name, value)
	}
	s.write("caps.toml", "[guard]\nfleet_max = 5\n")
	s.write("policy.toml", "name = \"skynet\"\n[params]\nquantile = 0.9\n")
	s.write("skynet.toml", fmt.Sprintf("fleet = \"render\"\nscenario = \"day.toml\"\npolicy = \"policy.toml\"\nqueue = %q\ntokens = \"skynet-tokens\"\ncaps = \"caps.toml\"\n[ec2]\nimage = %q\n", q.url, s.ec2.image))
	return s
}

func (s *site) write(name, text string) {
	s.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

// doctor runs the verb, and returns what it found by what it looked at.
func (s *site) doctor() (code int, found map[string]finding) {
	s.Helper()
	var stdout, stderr bytes.Buffer
	a := cli.New(program, context.Background(), &stdout, &stderr)
	code = a.Execute([]*cobra.Command{newDoctorCommand(a)}, []string{"doctor", "--json", "--config", filepath.Join(s.dir, "skynet.toml")})
	var out struct{ Findings []finding }
	if err := json.Unmarshal(stdout.Bytes(), &out); err != nil {
		s.Fatalf("%v: %s%s", err, stdout.String(), stderr.String())
	}
	found = map[string]finding{}
	for _, f := range out.Findings {
		found[f.What] = f
	}
	return code, found
}

// The doctor finds everything well, and then, one by one, what is wrong.
func TestDoctor(t *testing.T) {
	s := newSite(t)
	code, found := s.doctor()
	for _, what := range []string{"configuration", "caps", "store", "queue", "journal", "credentials", "image " + s.ec2.image, "instance types", "clock", "may DescribeInstances", "may RunInstances"} {
		if f := found[what]; f.Is != "ok" {
			t.Errorf("%s: %+v", what, f)
		}
	}
	if code != cli.ExitGood || found["may TerminateInstances"].Is != "warn" || found["quota"].Is != "warn" {
		t.Errorf("exit code %d: %+v", code, found)
	}
	good, err := os.ReadFile(filepath.Join(s.dir, "skynet.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(){
		"image ami-00000000000000000": func() {
			s.write("skynet.toml", strings.ReplaceAll(string(good), s.ec2.image, "ami-00000000000000000"))
		},
		"queue": func() {
			s.write("skynet.toml", strings.ReplaceAll(string(good), "http://127", "http://localhost.invalid:1/127"))
		},
		"queue token":   func() { s.write("skynet.toml", strings.ReplaceAll(string(good), "tokens", "# tokens")) },
		"caps":          func() { s.write("caps.toml", "[guard]\nfleet_max = -1\n") },
		"store":         func() { s.write("skynet.toml", "store = \"sqlite:nowhere/at/all.db\"\n"+string(good)) },
		"journal":       func() { s.write("skynet.toml", "journal = \"day.toml\"\n"+string(good)) },
		"configuration": func() { s.write("policy.toml", "name = \"skynet\"\n[params]\nquantil = 0.9\n") },
		"credentials":   func() { t.Setenv("AWS_SECRET_ACCESS_KEY", "another") },
	} {
		s.write("skynet.toml", string(good))
		s.write("caps.toml", "[guard]\nfleet_max = 5\n")
		s.write("policy.toml", "name = \"skynet\"\n")
		t.Setenv("AWS_SECRET_ACCESS_KEY", ec2api.TestSecretKey)
		change()
		code, found := s.doctor()
		if f := found[what]; f.Is != "fail" || f.Text == "" || f.Do == "" || code != cli.ExitBroken {
			t.Errorf("%s: %+v, exit code %d", what, f, code)
		}
	}
}

// A controller that decides once without credentials, or without a queue, says so
// by its exit code: what it decided it decided blind.
func TestDecidingOnceBlindExits3(t *testing.T) {
	s := newSite(t)
	once := func() (int, string) {
		var stdout, stderr bytes.Buffer
		a := cli.New(program, context.Background(), &stdout, &stderr)
		code := a.Execute([]*cobra.Command{newControllerCommand(a)}, []string{"controller", "--once", "--config", filepath.Join(s.dir, "skynet.toml")})
		return code, stdout.String() + stderr.String()
	}
	if code, out := once(); code != cli.ExitGood {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another")
	if code, out := once(); code != cli.ExitFailure || !strings.Contains(out, "EC2's lists cannot be read whole") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// Operators order over HTTP, and a controller that runs follows: a version is
// deployed and rolled back, the configuration's policy is read anew, a row stops
// it, a wish is listed. Whoever has no token orders nothing.
func TestAControllerFollowsOrders(t *testing.T) {
	s := newSite(t)
	day := strings.Replace(guardedDay, "duration", "tick = \"10s\"\nduration", 1)
	s.write("day.toml", day)
	p := begin(t, s.dir, controllerListens, "controller", "--config", "skynet.toml", "--mode", "active", "--listen", "127.0.0.1:0")
	t.Setenv(desk.EnvController, p.url)
	d, err := desk.FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, err := d.Orders(ctx); !client.IsCode(err, "unauthorized") {
		t.Errorf("without a token: %v", err)
	}
	tokens, err := os.ReadFile(filepath.Join(s.dir, "skynet-tokens"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(tokens), "\n") {
		for _, word := range strings.Fields(line) {
			if strings.HasPrefix(word, "sky-operator-") {
				t.Setenv(client.EnvToken, word)
			}
		}
	}
	if d, err = desk.FromEnv(); err != nil {
		t.Fatal(err)
	}
	await := func(what string, ok func(v *desk.View) bool) {
		t.Helper()
		for range 300 {
			v, err := d.Orders(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if v.Serving != nil && ok(&v) {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Fatalf("%s: not within 30 s\n%s", what, p.text())
	}
	base := ""
	await("the first decision", func(v *desk.View) bool { base = v.Serving.Label; return v.Serving.Version == 0 })
	v, err := d.Deploy(ctx, desk.Deployment{As: "active", Text: "name = \"skynet\"\n[params]\nquantile = 0.8\n", Why: "a test", Checked: "1 scenario", Passed: true})
	if err != nil || v.Number != 1 {
		t.Fatalf("%+v, %v", v, err)
	}
	s.write("policy.toml", "name = \"skynet\"\n[params]\nquantile = 0.7\n") // meanwhile somebody edits the file
	if _, err := d.Stop(ctx, desk.StopRequest{Why: "a look"}); err != nil {
		t.Fatal(err)
	}
	await("version 1", func(x *desk.View) bool {
		return x.Serving.Version == 1 && x.Serving.Label == v.Label && x.Serving.State == "carried over" && x.Stop != nil
	})
	if _, err := d.Rollback(ctx, desk.Rollback{As: "active", Why: "a test"}); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await("the configuration's, read anew", func(v *desk.View) bool { return v.Serving.Version == 0 && v.Serving.Label != base })
	if _, body := fetch(t, p.url+"/v1/status"); !strings.Contains(body, `"reason": "a look"`) || !strings.Contains(body, `"version": 0`) {
		t.Errorf("status:\n%s", body)
	}
	files, err := d.Journals(ctx)
	var journal bytes.Buffer
	if err != nil || len(files.Files) < 3 || d.Journal(ctx, files.Files[0].Name, &journal) != nil || journal.Len() == 0 {
		t.Errorf("journals %+v, %v: %d bytes", files, err, journal.Len())
	}
	if err := d.Journal(ctx, "../skynet-tokens", &journal); err == nil {
		t.Error("any file is handed out")
	}
	if code := p.stop(syscall.SIGINT); code != 0 && code != 130 {
		t.Errorf("exit code %d", code)
	}
}
