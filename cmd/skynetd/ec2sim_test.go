package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/sim/ec2api"

	"github.com/spf13/cobra"
)

// scenarioOfADay sells one type whose instances boot in a minute.
const scenarioOfADay = `
duration = "24h"
[generate]
model = "photo-site"
scale = 0.01
[[class]]
name = "all"
target = "1h"
attain = 0.5
[cloud]
catalog = "ec2-2008"
boot = { model = "fixed", value = "60s" }
zones = ["a", "b"]
[[fault]]
kind = "partition"
from = "20h"
`

// buffer may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// ec2simProcess is the verb under way.
type ec2simProcess struct {
	*testing.T
	url, image     string
	stdout, stderr buffer
	end            func()
}

// wait waits until ok holds, as the world outside is slow or quick.
func (p *ec2simProcess) wait(what string, ok func() bool) {
	p.Helper()
	for range 3000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.Fatalf("%s: not within 30 s\n%s", what, p.stderr.String())
}

// startEC2Sim runs the verb until end is called.
func startEC2Sim(t *testing.T, args ...string) *ec2simProcess {
	p := &ec2simProcess{T: t}
	ctx, cancel := context.WithCancel(context.Background())
	a := cli.New(program, ctx, &p.stdout, &p.stderr)
	code := make(chan int, 1)
	go func() {
		code <- a.Execute([]*cobra.Command{newEC2SimCommand(a)}, append([]string{"ec2sim", "--listen", "127.0.0.1:0"}, args...))
	}()
	var once sync.Once
	p.end = func() {
		once.Do(func() {
			cancel()
			if got := <-code; got != cli.ExitGood {
				t.Errorf("exit code %d\n%s", got, p.stderr.String())
			}
		})
	}
	t.Cleanup(p.end)
	at := regexp.MustCompile(`AWS_ENDPOINT_URL_EC2=(\S+)`)
	image := regexp.MustCompile(`IMAGE=(\S+)`)
	p.wait("start", func() bool { return strings.Contains(p.stdout.String(), "SUBNET_us_east_1b=") })
	p.url, p.image = at.FindStringSubmatch(p.stdout.String())[1], image.FindStringSubmatch(p.stdout.String())[1]
	return p
}

// call makes a signed call of EC2 and returns its answer.
func (p *ec2simProcess) call(body string) string {
	p.Helper()
	q, err := http.NewRequest("POST", p.url+"/", strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	digest := sha256.Sum256([]byte(body))
	keys := aws.Credentials{AccessKeyID: ec2api.TestAccessKey, SecretAccessKey: ec2api.TestSecretKey}
	if err := v4.NewSigner().SignHTTP(p.Context(), keys, q, hex.EncodeToString(digest[:]), "ec2", "us-east-1", time.Now()); err != nil {
		p.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(q)
	if err != nil {
		p.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		p.Fatal(err)
	}
	return string(text)
}

// admin calls the administrator's API.
func (p *ec2simProcess) admin(method, path, body string, into any) {
	p.Helper()
	q, err := http.NewRequest(method, p.url+"/_sim/"+path, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(q)
	if err != nil {
		p.Fatal(err)
	}
	defer reply.Body.Close()
	if err := json.NewDecoder(reply.Body).Decode(into); err != nil {
		p.Fatal(err)
	}
}

// works returns how many workers run.
func (p *ec2simProcess) works() int {
	var list []struct{ Works bool }
	p.admin("GET", "instances", "", &list)
	n := 0
	for _, in := range list {
		if in.Works {
			n++
		}
	}
	return n
}

var instanceID = regexp.MustCompile(`<instanceId>([^<]+)`)

// A worker is a shell that asks the metadata service who it is, where curl is at
// hand, and then sleeps.
func TestEC2SimRunsWorkers(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "day.toml")
	if err := os.WriteFile(file, []byte(scenarioOfADay), 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "worker")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$SKYNET_INSTANCE_ID $AWS_EC2_METADATA_SERVICE_ENDPOINT $AWS_ENDPOINT_URL_STS\" > \""+dir+"/$SKYNET_INSTANCE_ID\"\nexec sleep 1000\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	p := startEC2Sim(t, "--scenario", file, "--worker", script, "--state", state)
	if !strings.Contains(p.stderr.String(), "kind=partition") {
		t.Errorf("it does not name the fault that it leaves out:\n%s", p.stderr.String())
	}
	run := "Action=RunInstances&MinCount=1&MaxCount=2&InstanceType=m1.small&ClientToken=x&UserData=aGVsbG8%3D&ImageId="
	first := instanceID.FindAllStringSubmatch(p.call(run+p.image), -1)
	if len(first) != 2 {
		t.Fatalf("launched %v", first)
	}
	var clock struct{ Now time.Time }
	p.admin("POST", "clock", `{"advance": "61s"}`, &clock)
	p.wait("workers", func() bool { return p.works() == 2 })
	id := first[0][1]
	var note []byte
	p.wait("the worker's note", func() bool { note, _ = os.ReadFile(filepath.Join(dir, id)); return len(note) > 0 })
	said := strings.Fields(string(note))
	token, err := http.NewRequest("PUT", said[1]+"/latest/api/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	token.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "60")
	reply, err := http.DefaultClient.Do(token)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := io.ReadAll(reply.Body)
	reply.Body.Close()
	get, _ := http.NewRequest("GET", said[1]+"/latest/user-data", nil)
	get.Header.Set("X-aws-ec2-metadata-token", string(secret))
	reply, err = http.DefaultClient.Do(get)
	if err != nil {
		t.Fatal(err)
	}
	data, _ := io.ReadAll(reply.Body)
	reply.Body.Close()
	if said[0] != id || string(data) != "hello" {
		t.Errorf("the worker of %s says %q, and reads %q", id, said, data)
	}
	var issuer struct{ Issuer string }
	reply, err = http.Get(said[2] + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if err := json.NewDecoder(reply.Body).Decode(&issuer); err != nil || issuer.Issuer != p.url || said[2] != p.url {
		t.Errorf("its STS is at %s, whose issuer is %q, %v; want both at %s", said[2], issuer.Issuer, err, p.url)
	}

	p.call("Action=TerminateInstances&InstanceId.1=" + id)
	p.wait("one worker", func() bool { return strings.Contains(p.stderr.String(), "worker ended") })
	if n := p.works(); n != 1 {
		t.Errorf("%d workers run", n)
	}
	p.end()

	// what was goes on: the same instances, and the worker is started again
	p = startEC2Sim(t, "--scenario", file, "--worker", script, "--state", state)
	p.wait("the other worker", func() bool { return strings.Contains(p.stderr.String(), "worker starts") })
	again := instanceID.FindAllStringSubmatch(p.call(run+p.image), -1)
	if len(again) != 2 || again[0][1] != id || p.works() != 1 {
		t.Errorf("after a restart the token gives %v, and %d workers run", again, p.works())
	}
	var bill struct {
		Total float64 `json:"total_usd"`
	}
	if p.admin("GET", "bill", "", &bill); bill.Total != 0.2 {
		t.Errorf("bill %v", bill.Total)
	}
	p.end()

	other := filepath.Join(dir, "other.toml")
	if err := os.WriteFile(other, []byte(strings.Replace(scenarioOfADay, "60s", "70s", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	a := cli.New(program, t.Context(), io.Discard, &stderr)
	code := a.Execute([]*cobra.Command{newEC2SimCommand(a)}, []string{"ec2sim", "--scenario", other, "--state", state})
	if code != cli.ExitBadInput || !strings.Contains(stderr.String(), "another scenario") {
		t.Errorf("the state of another scenario: %d %s", code, stderr.String())
	}
}

func TestEC2SimFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{nil, "--scenario must be given"},
		{[]string{"--scenario", "x.toml", "--speed", "0"}, "--speed 0: must be from 0.01 to 10000"},
		{[]string{"--scenario", "x.toml", "--speed", "NaN"}, "--speed NaN"},
		{[]string{"--scenario", "x.toml", "--list-lag", "2h"}, "--list-lag"},
		{[]string{"--scenario", "x.toml", "--vcpus", "-1"}, "must not be negative"},
		{[]string{"--scenario", "nowhere.toml"}, "nowhere.toml"},
	} {
		var stderr bytes.Buffer
		a := cli.New(program, t.Context(), io.Discard, &stderr)
		code := a.Execute([]*cobra.Command{newEC2SimCommand(a)}, append([]string{"ec2sim"}, c.args...))
		if code != cli.ExitBadInput || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%v: %d %q, want it to say %q", c.args, code, stderr.String(), c.says)
		}
	}
}
