package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/server"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/scenarios"

	"github.com/rogpeppe/go-internal/testscript"
)

// siteScenario is a small site whose trace begins yesterday.
const siteScenario = `title    = "A small site, yesterday"
start    = %s
duration = "3h"

[generate]
model = "poisson"
[[generate.stream]]
type       = "photo"
per_second = 0.5
service    = { mean = "4s" }

[[class]]
name   = "photos"
target = "5m"
attain = 0.9

[cloud]
catalog = "ec2-2008"
boot    = { model = "fixed", value = "90s" }

[guard]
fleet_max = 20
`

// startController serves the desk of a controller to a script: controller. It
// writes the fleet's file, skynet.toml, and its scenario, scenarios/site.toml.
func startController(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: controller")
	}
	work := ts.Getenv("WORK")
	ts.Check(os.MkdirAll(filepath.Join(work, "scenarios"), 0o755))
	ts.Check(os.MkdirAll(filepath.Join(work, "journal"), 0o755))
	at := time.Now().UTC().Add(-24 * time.Hour).Truncate(time.Hour)
	site := filepath.Join(work, "scenarios", "site.toml")
	ts.Check(os.WriteFile(site, fmt.Appendf(nil, siteScenario, at.Format(time.RFC3339)), 0o644))
	queue := ts.Getenv(client.EnvURL)
	if queue == "" {
		queue = "http://127.0.0.1:1"
	}
	ts.Check(os.WriteFile(filepath.Join(work, "skynet.toml"), fmt.Appendf(nil, "fleet = \"render\"\nscenario = \"scenarios/site.toml\"\nqueue = %q\n", queue), 0o644))
	s, err := scenarios.Load(site)
	ts.Check(err)
	h := s.LiveHeader(nil, "test")
	token := ts.Getenv(client.EnvToken)
	if token == "" {
		token = access.NewToken(api.RoleOperator)
		ts.Setenv(client.EnvToken, token)
	}
	reader := access.NewToken(api.RoleReader)
	ts.Setenv("READER", reader)
	store := controller.NewMemory(time.Now)
	page := server.New(controller.Config{
		Fleet: "render", Env: h.Env(), Guard: h.Guard, Store: store, Stop: controller.RowStops(store, "render"),
		Described: journal.Policy{Label: "skynet"},
	})
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	page.Drifted(&controller.Drift{From: day, To: day.Add(24 * time.Hour), Kept: true, Cost: 0.031, Slack: -0.02})
	all := http.NewServeMux()
	all.Handle("/v1/status", page)
	all.Handle("/", desk.Handler(desk.Options{
		Fleet: "render", Book: store, Switch: store, Catalog: &h.Catalog, Fits: page.Fits, Pages: filePages(work), Journals: filepath.Join(work, "journal"),
		Caller: func(got string) (access.Caller, bool) {
			switch strings.TrimSpace(got) {
			case token:
				return access.Caller{Role: api.RoleOperator, Name: "ann"}, true
			case reader:
				return access.Caller{Role: api.RoleReader}, true
			}
			return access.Caller{}, false
		},
		Decode: func(text []byte) (controller.Candidate, error) {
			p, err := scenarios.ParsePolicy("policy", text, &h.Catalog)
			if err != nil {
				return controller.Candidate{}, err
			}
			return controller.Candidate{
				Policy:    func() (policy.Policy, error) { return p.New(h.Env()) },
				Described: journal.PolicyOf(p.Spec, p.Values, p.Label()),
			}, nil
		},
	}))
	web := httptest.NewServer(all)
	ts.Setenv(desk.EnvController, web.URL)
	ts.Defer(web.Close)
}

// filePages is a store whose journal is pages.jsonl in a folder. Which part of it is
// asked for it writes down in a file, asked.
type filePages string

// JournalLines implements controller.Pages.
func (f filePages) JournalLines(_ context.Context, _ string, from, to time.Time, yield func(line []byte) error) error {
	note := fmt.Appendf(nil, "%s %s\n", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	if err := os.WriteFile(filepath.Join(string(f), "asked"), note, 0o644); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(string(f), "pages.jsonl"))
	if err != nil {
		return err
	}
	for line := range bytes.Lines(text) {
		if err := yield(line); err != nil {
			return err
		}
	}
	return nil
}
