//go:build unix

package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	controllerserver "github.com/skynet-ec2/skynet/live/controller/server"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/server"
)

// readText returns a file below docs.
func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tool returns where a program is, or skips the test.
func tool(t *testing.T, name, of string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s here (%s)", name, of)
	}
	return path
}

// Every alert fires when it should, and only then.
func TestAlertRules(t *testing.T) {
	promtool := tool(t, "promtool", "Debian's package prometheus")
	for _, args := range [][]string{{"check", "rules", "operate/alerts.yml"}, {"test", "rules", "operate/alerts_test.yml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	mute := strings.Replace(readText(t, "operate/alerts.yml"), "== 1) > 1", "== 1) > 2", 1)
	folder := t.TempDir()
	for name, text := range map[string]string{"alerts.yml": mute, "alerts_test.yml": readText(t, "operate/alerts_test.yml")} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", filepath.Join(folder, "alerts_test.yml")).CombinedOutput(); err == nil {
		t.Errorf("two leaders are not told of any more, and the tests pass:\n%s", out)
	}
}

var (
	alertName  = regexp.MustCompile(`(?m)^ +- alert: (\w+)$`)
	tested     = regexp.MustCompile(`(?m)^ +- alertname: (\w+)$`)
	metricName = regexp.MustCompile(`\bskynet_[a-z0-9_]+`)
	inHelp     = regexp.MustCompile(`(?m)^# TYPE (\S+)`)
)

// Every alert has a test, and a page that says what to do.
func TestEveryAlertIsExplained(t *testing.T) {
	rules, tests, page := readText(t, "operate/alerts.yml"), readText(t, "operate/alerts_test.yml"), readText(t, "operate.md")
	names := alertName.FindAllStringSubmatch(rules, -1)
	if len(names) < 9 {
		t.Fatalf("%d alerts", len(names))
	}
	cases := map[string]int{}
	for _, m := range tested.FindAllStringSubmatch(tests, -1) {
		cases[m[1]]++
	}
	for _, m := range names {
		if cases[m[1]] < 2 {
			t.Errorf("alerts_test.yml looks %d times at %s: when it fires, and when not", cases[m[1]], m[1])
		}
		if !strings.Contains(page, "\n### "+m[1]+"\n") {
			t.Errorf("operate.md has no heading ### %s", m[1])
		}
		if !strings.Contains(rules, "runbook: docs/operate.md#"+strings.ToLower(m[1])+"\n") {
			t.Errorf("%s: does not lead to its heading in operate.md", m[1])
		}
	}
}

// queueFigures returns the names of what a queue with a job shows at /metrics.
func queueFigures(t *testing.T) []string {
	t.Helper()
	engine, err := queue.Open(t.Context(), queue.NewMemory(), queue.Options{Cluster: "c"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Kill)
	file := filepath.Join(t.TempDir(), "tokens")
	if err := access.Create(file); err != nil {
		t.Fatal(err)
	}
	entries, err := access.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := access.Open(access.Options{File: file, Cluster: "c", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	keeper.Serve(engine)
	s := server.New(server.Options{Cluster: "c", Keeper: keeper, Log: slog.New(slog.DiscardHandler)})
	s.Lead(engine)
	call := func(role api.Role, method, path, body string) string {
		t.Helper()
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		for _, e := range entries {
			if e.Caller.Role == role {
				r.Header.Set("Authorization", "Bearer "+e.Plain)
			}
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= http.StatusBadRequest {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	call(api.RoleProducer, "POST", "/v1/jobs", `{"type": "resize"}`)
	var names []string
	for _, m := range inHelp.FindAllStringSubmatch(call(api.RoleReader, "GET", "/metrics", ""), -1) {
		names = append(names, m[1])
	}
	return names
}

// Rules, their tests and the dashboard name only what is there to be read.
func TestMetricsExist(t *testing.T) {
	known := append(queueFigures(t), controllerserver.Figures()...)
	for file, least := range map[string]int{"operate/alerts.yml": 15, "operate/alerts_test.yml": 15, "operate/dashboard.json": 20, "operate.md": 1} {
		seen := map[string]bool{}
		for _, name := range metricName.FindAllString(readText(t, file), -1) {
			seen[name] = true
			if !slices.Contains(known, name) {
				t.Errorf("%s: neither queue nor controller shows %s", file, name)
			}
		}
		if len(seen) < least {
			t.Errorf("%s names %d metrics", file, len(seen))
		}
	}
}

// The dashboard is what Grafana reads: panels with places, and queries that
// promtool can parse.
func TestDashboard(t *testing.T) {
	type panel struct {
		ID      int    `json:"id"`
		Type    string `json:"type"`
		Title   string `json:"title"`
		GridPos struct{ X, Y, W, H int }
		Targets []struct {
			RefID string `json:"refId"`
			Expr  string `json:"expr"`
		}
	}
	var d struct {
		Title         string
		SchemaVersion int
		Panels        []panel
	}
	if err := json.Unmarshal([]byte(readText(t, "operate/dashboard.json")), &d); err != nil {
		t.Fatal(err)
	}
	if d.Title == "" || d.SchemaVersion == 0 || len(d.Panels) < 10 {
		t.Errorf("title %q, schema %d, %d panels", d.Title, d.SchemaVersion, len(d.Panels))
	}
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	ids, places, queries := map[int]bool{}, map[[2]int]bool{}, 0
	for _, p := range d.Panels {
		at := [2]int{p.GridPos.X, p.GridPos.Y}
		if p.Title == "" || ids[p.ID] || places[at] || p.GridPos.W <= 0 || p.GridPos.X+p.GridPos.W > 24 || len(p.Targets) == 0 {
			t.Errorf("panel %d %q lies at %v, beside or upon another, or asks nothing", p.ID, p.Title, p.GridPos)
		}
		ids[p.ID], places[at] = true, true
		for _, q := range p.Targets {
			queries++
			expr, err := json.Marshal(strings.ReplaceAll(q.Expr, "$fleet", "render"))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&rules, "  - {record: 'panel:%d:%s', expr: %s}\n", p.ID, q.RefID, expr)
		}
	}
	promtool := tool(t, "promtool", "Debian's package prometheus")
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("%d rules found", queries)) {
		t.Errorf("the queries of the dashboard: %v\n%s", err, out)
	}
}

// The units start what there is, with flags it has.
func TestUnitsStartWhatThereIs(t *testing.T) {
	h := &helps{bin: programs(t), said: map[string]string{}}
	units, err := filepath.Glob("operate/*.service")
	if err != nil || len(units) != 2 {
		t.Fatalf("%v, %v", units, err)
	}
	for _, unit := range units {
		_, line, found := strings.Cut(readText(t, unit), "\nExecStart=/usr/local/bin/")
		line, _, _ = strings.Cut(line, "\n")
		if wrong := h.wrong(line); !found || wrong != "" {
			t.Errorf("%s: %s %s", unit, line, wrong)
		}
		systemd, err := exec.LookPath("systemd-analyze")
		if err != nil {
			continue // what is in it is not looked at
		}
		text := strings.Replace(readText(t, unit), "/usr/local/bin/skynetd", filepath.Join(h.bin, "skynetd"), 1)
		file := filepath.Join(t.TempDir(), filepath.Base(unit))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), systemd, "verify", file).CombinedOutput(); err != nil || strings.Contains(string(out), "Unknown") {
			t.Errorf("systemd-analyze verify %s: %v\n%s", unit, err, out)
		}
	}
}

// What an instance is launched as asks for nothing that the controller would ask
// for otherwise.
func TestLaunchTemplate(t *testing.T) {
	var l struct {
		InstanceInitiatedShutdownBehavior string
		MetadataOptions                   struct {
			HTTPTokens string `json:"HttpTokens"`
		}
	}
	if err := json.Unmarshal([]byte(readText(t, "operate/launch-template.json")), &l); err != nil {
		t.Fatal(err)
	}
	if l.InstanceInitiatedShutdownBehavior != "terminate" || l.MetadataOptions.HTTPTokens != "required" {
		t.Errorf("%+v", l)
	}
}

// The module is formatted. Where its provider can be had, in a folder that
// terraform looks into by itself, it is validated too.
func TestTerraform(t *testing.T) {
	terraform := tool(t, "terraform", "its release is one program")
	if out, err := exec.CommandContext(t.Context(), terraform, "fmt", "-check", "-diff", "operate/terraform").CombinedOutput(); err != nil {
		t.Errorf("terraform fmt -check: %v\n%s", err, out)
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("operate")); err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(folder, "terraform")
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	mirrors := []string{filepath.Join(home, ".terraform.d/plugins"), "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"}
	at := slices.IndexFunc(mirrors, func(m string) bool {
		_, err := os.Stat(filepath.Join(m, "registry.terraform.io/hashicorp/aws"))
		return !errors.Is(err, fs.ErrNotExist)
	})
	if at < 0 {
		t.Skip("formatted, not validated: no folder of terraform's holds the provider hashicorp/aws")
	}
	for _, args := range [][]string{{"init", "-backend=false", "-plugin-dir=" + mirrors[at]}, {"validate"}} {
		c := exec.CommandContext(t.Context(), terraform, args...)
		c.Dir = module
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Run(); err != nil {
			t.Errorf("terraform %s: %v\n%s", args[0], err, out.String())
		}
	}
}
