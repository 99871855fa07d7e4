package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fleetWith writes a fleet's file beside a scenario, and loads it.
func fleetWith(t *testing.T, text string) (*Fleet, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"fleet.toml":    "fleet = \"render\"\nscenario = \"scenario.toml\"\n" + text,
		"scenario.toml": "duration = \"1h\"\n[generate]\nmodel = \"photo-site\"\n[[class]]\nname = \"all\"\ntarget = \"1m\"\nattain = 0.9\n[cloud]\ncatalog = \"ec2-2008\"\nboot = { model = \"fixed\", value = \"60s\" }\n[guard]\n[policy]\nname = \"skynet\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return LoadFleet(filepath.Join(dir, "fleet.toml"))
}

// The tables that lead outside, with what they mean where keys are left out.
func TestOutsideOfAFleet(t *testing.T) {
	f, err := fleetWith(t, `token = "file:token"
[source]
kind = "prometheus"
url = "https://prometheus.example.org"
token = "file:prom"
workers = "worker_busy"
drain_grace = "1h"
[[source.jobs]]
type = "photo"
depth = "sum(jobs_waiting)"
completed = "jobs_done_total"
[provider]
kind = "rss"
feed = "https://status.aws.amazon.com/rss/ec2-us-east-1.rss"
hold = ["terminations", "launches"]
[[alert]]
url_secret = "ssm:/skynet/slack"
format = "slack"
[[alert]]
url = "https://hooks.example.org/"
key = "file:key"
least = "page"
[ping]
url = "https://ping.example.org/uuid"
[status]
to = "public"
`)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(f.Path)
	s := f.Source
	if s.AgeMax != 2*time.Minute || s.Instance != "instance_id" || s.DrainGrace != time.Hour || s.Token != "file:"+filepath.Join(dir, "prom") || f.Token != "file:"+filepath.Join(dir, "token") {
		t.Errorf("source %+v, token %s", s, f.Token)
	}
	if p := f.Provider; p.Recent != 2*time.Hour || p.LaunchMax != 2 || len(p.Hold) != 2 {
		t.Errorf("provider %+v", p)
	}
	if a := f.Alerts; len(a) != 2 || a[0].Secret != "ssm:/skynet/slack" || a[0].Least != "warn" || a[1].Again != 4*time.Hour || a[1].Key != "file:"+filepath.Join(dir, "key") {
		t.Errorf("alerts %+v", a)
	}
	if f.Ping.Method != "GET" || f.Status.To != filepath.Join(dir, "public") || f.Status.Money {
		t.Errorf("ping %+v, status %+v", f.Ping, f.Status)
	}
	if f, err = fleetWith(t, "[status]\nto = \"s3://bucket/status\"\n"); err != nil || f.Status.To != "s3://bucket/status" || f.Source != nil || f.Ping != nil {
		t.Errorf("%+v, %v", f, err)
	}
}

// Every mistake is named, with what would have been right; what may be a secret is
// not shown.
func TestOutsideMistakes(t *testing.T) {
	const sqs = "[source]\nkind = \"sqs\"\n"
	const prometheus = "[source]\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:9090\"\n"
	for _, of := range []struct{ text, want string }{
		{"[source]\n", "source.kind: missing: it must be given"},
		{"[source]\nkind = \"sqss\"\n", `source.kind = "sqss": must be one of sqs, prometheus (did you mean "sqs"?)`},
		{sqs, "source.jobs: missing: at least one must be given"},
		{sqs + "url = \"x\"\n[[source.jobs]]\ntype = \"photo\"\nqueue = \"https://x/q\"\nservice = \"20s\"\n", `source.url: kind = "sqs" has no such key`},
		{sqs + "[[source.jobs]]\ntype = \"photo\"\nservice = \"20s\"\n", "source.jobs[1].queue: missing: it must be given for sqs"},
		{sqs + "[[source.jobs]]\ntype = \"photo\"\nqueue = \"photos\"\nservice = \"20s\"\n", `source.jobs[1].queue = "photos": must be a queue's URL, https://…/NAME`},
		{sqs + "[[source.jobs]]\ntype = \"photo\"\nqueue = \"https://x/q\"\n", "source.jobs[1].service: missing: it must be given for sqs"},
		{sqs + "[[source.jobs]]\ntype = \"photo\"\nqueue = \"https://x/q\"\nservice = 20\n", "source.jobs[1].service = 20: must be a duration with its unit"},
		{sqs + "[[source.jobs]]\ntype = \"photo\"\nqueue = \"https://x/q\"\nservice = \"20s\"\ndepth = \"x\"\n", `source.jobs[1].depth: kind = "sqs" has no such key`},
		{sqs + strings.Repeat("[[source.jobs]]\ntype = \"photo\"\nqueue = \"https://x/q\"\nservice = \"20s\"\n", 2), "source.jobs[2].type: photo of priority 0 stands there already"},
		{prometheus + "[[source.jobs]]\ntype = \"photo\"\n", "source.jobs[1].depth: missing: it must be given for prometheus"},
		{prometheus + "[[source.jobs]]\ntype = \"photo\"\ndepth = \"x\"\nservice = \"20s\"\n", "source.jobs[1].in_flight: missing: it must be given"},
		{prometheus + "[[source.jobs]]\ntype = \"photo\"\ndepth = \"x\"\nin_flight = \"y\"\n", "source.jobs[1].service: missing: service or service_s, or completed or completed_per_s"},
		{prometheus + "[[source.jobs]]\ntype = \"photo\"\ndepth = \"x\"\nin_flight = \"y\"\ncompleted = \"a\"\ncompleted_per_s = \"b\"\n", "source.jobs[1].completed_per_s: completed tells that already"},
		{prometheus + "[[source.jobs]]\ntype = \"photo\"\ndepht = \"x\"\n", `source.jobs[1].depht: unknown key (did you mean "depth"?)`},
		{prometheus + "token = \"hunter2\"\n", "source.token: must be env:NAME, file:PATH or ssm:/NAME"},
		{"token = \"hunter2\"\n", "token: must be env:NAME, file:PATH or ssm:/NAME"},
		{"[provider]\nkind = \"rss\"\nfeed = \"status\"\n", `provider.feed = "status": must be http://… or https://…`},
		{"[provider]\nkind = \"health\"\nfeed = \"https://x\"\n", `provider.feed: kind = "health" has no such key`},
		{"[provider]\nkind = \"health\"\nhold = [\"launch\"]\n", `a thing to hold: terminations, launches (did you mean "launches"?)`},
		{"[[alert]]\nformat = \"slack\"\n", "alert[1].url: one of url and url_secret must be given"},
		{"[[alert]]\nurl = \"https://x\"\nurl_secret = \"env:X\"\n", "alert[1].url: one of url and url_secret must be given"},
		{"[[alert]]\nurl_secret = \"https://hooks/hunter2\"\n", "alert[1].url_secret: must be env:NAME"},
		{"[[alert]]\nurl = \"https://x\"\nkey = \"hunter2\"\n", "alert[1].key: must be env:NAME"},
		{"[[alert]]\nurl = \"https://x\"\nleast = \"info\"\n", `alert[1].least = "info": must be one of warn, page`},
		{"[ping]\n", "ping.url: one of url and url_secret must be given"},
		{"[status]\nto = \"gs://bucket\"\n", `status.to = "gs://bucket": must be a folder, or s3://bucket/prefix`},
	} {
		_, err := fleetWith(t, of.text)
		if err == nil || !strings.Contains(err.Error(), of.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s\n%v\nwant %s", of.text, err, of.want)
		}
	}
}

// A policy that is told what will arrive decides about no fleet, beside another
// neither.
func TestNoFleetIsClairvoyant(t *testing.T) {
	for _, key := range []string{"policy", "shadow"} {
		_, err := fleetWith(t, key+" = \"mpc-oracle\"\n")
		if err == nil || !strings.Contains(err.Error(), key+": mpc-oracle is told what will arrive, and only a simulation can tell that") {
			t.Errorf("%s: got %v", key, err)
		}
		if _, err := fleetWith(t, key+" = \"mpc\"\n"); err != nil {
			t.Errorf("%s: mpc: %v", key, err)
		}
	}
}
