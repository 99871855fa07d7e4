package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/skynet-ec2/skynet/cmd/cli"
)

// oneScenario has one instance and a promise that one keeps.
const oneScenario = `duration = "1h"
[generate]
model = "poisson"
[[generate.stream]]
type = "x"
per_second = 0.1
service = { mean = "5s" }
[[class]]
name = "all"
target = "10m"
attain = 0.5
[policy]
name = "static"
`

// runCheck runs skynet check in dir and returns its exit code and what it said.
func runCheck(t *testing.T, dir string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(dir)
	var out, problem strings.Builder
	a := newApp(context.Background(), &out, &problem)
	code = a.execute(append([]string{"check"}, args...))
	return code, out.String(), problem.String()
}

// checkFolder is a folder with one scenario and its baseline.
func checkFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "one.toml"), []byte(oneScenario), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, out, problem := runCheck(t, dir, "one.toml", "--update", "--reason", "first", "--runs", "2"); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, problem)
	}
	return dir
}

// pullRequest is the comments of a pull request, as GitHub keeps them.
type pullRequest struct {
	mu     sync.Mutex
	bodies []string
	deny   int
}

func (p *pullRequest) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var got struct{ Body string }
	if p.deny != 0 {
		w.WriteHeader(p.deny)
		return
	}
	switch r.Method {
	case http.MethodGet:
		list := []map[string]any{}
		for i, b := range p.bodies {
			list = append(list, map[string]any{"id": i + 1, "body": b})
		}
		_ = json.NewEncoder(w).Encode(list)
	case http.MethodPost:
		_ = json.NewDecoder(r.Body).Decode(&got)
		p.bodies = append(p.bodies, got.Body)
	case http.MethodPatch:
		var id int
		_, _ = fmt.Sscanf(filepath.Base(r.URL.Path), "%d", &id)
		_ = json.NewDecoder(r.Body).Decode(&got)
		p.bodies[id-1] = got.Body
	}
}

// workflow sets the environment of a GitHub workflow of pull request 5.
func workflow(t *testing.T, p *pullRequest, token string) (summary string) {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	summary = filepath.Join(t.TempDir(), "summary.md")
	for name, value := range map[string]string{
		"GITHUB_API_URL": server.URL, "GITHUB_REPOSITORY": "o/r", "GITHUB_REF": "refs/pull/5/merge",
		"GITHUB_TOKEN": token, "GITHUB_STEP_SUMMARY": summary, "GITHUB_EVENT_PATH": "", "GITHUB_WORKSPACE": "",
	} {
		t.Setenv(name, value)
	}
	return summary
}

// TestCheckComment: one comment, replaced by every further run.
func TestCheckComment(t *testing.T) {
	dir := checkFolder(t)
	p := &pullRequest{bodies: []string{"somebody speaks"}}
	summary := workflow(t, p, "token")
	for _, args := range [][]string{{}, {"--policy", "sqrt-staffing"}} {
		code, out, problem := runCheck(t, dir, append([]string{"one.toml", "--comment", "--only", "one"}, args...)...)
		if code > 1 {
			t.Fatalf("exit %d\n%s%s", code, out, problem)
		}
	}
	if len(p.bodies) != 3 { // another policy is another check
		t.Fatalf("%d comments: %q", len(p.bodies), p.bodies)
	}
	for range 2 {
		if code, out, problem := runCheck(t, dir, "one.toml", "--comment", "--only", "one"); code != 0 {
			t.Fatalf("exit %d\n%s%s", code, out, problem)
		}
	}
	if len(p.bodies) != 3 || p.bodies[0] != "somebody speaks" || !strings.HasPrefix(p.bodies[1], "<!-- skynet check: one.toml - -only one -->\n### ✓ skynet check\n") {
		t.Errorf("%q", p.bodies)
	}
	if _, err := os.Stat(summary); err == nil {
		t.Error("the summary has it as well")
	}
}

// TestCheckWithoutRights: a fork's run has no token, or one that may not write.
func TestCheckWithoutRights(t *testing.T) {
	dir := checkFolder(t)
	for _, x := range []struct {
		name, token string
		deny, code  int
		says        string
	}{
		{"no token", "", 0, 0, "there is no GITHUB_TOKEN"},
		{"a token that may only read", "token", http.StatusForbidden, 0, "the token may not write comments"},
		{"GitHub is down", "token", http.StatusBadGateway, 3, "502 Bad Gateway"},
	} {
		t.Run(x.name, func(t *testing.T) {
			summary := workflow(t, &pullRequest{deny: x.deny}, x.token)
			code, _, problem := runCheck(t, dir, "one.toml", "--comment")
			text, err := os.ReadFile(summary)
			if code != x.code || !strings.Contains(problem, x.says) || err != nil || !strings.Contains(string(text), "### ✓ skynet check") {
				t.Errorf("exit %d, %v, says %s\nsummary: %s", code, err, problem, text)
			}
		})
	}
	t.Run("a verdict matters more than a comment", func(t *testing.T) {
		workflow(t, &pullRequest{deny: http.StatusBadGateway}, "token")
		if code, _, problem := runCheck(t, dir, "one.toml", "--comment", "--policy", "big.toml"); code != exitBadInput {
			t.Errorf("a policy that is not there: exit %d: %s", code, problem)
		}
		if err := os.WriteFile(filepath.Join(dir, "big.toml"), []byte("name = \"static\"\n[params]\ninstances = 19\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		if code, _, problem := runCheck(t, dir, "one.toml", "--comment", "--policy", "big.toml"); code != cli.ExitBroken || !strings.Contains(problem, "502") {
			t.Errorf("exit %d: %s", code, problem)
		}
	})
	t.Run("no summary either", func(t *testing.T) {
		workflow(t, &pullRequest{}, "")
		t.Setenv("GITHUB_STEP_SUMMARY", "")
		if code, _, problem := runCheck(t, dir, "one.toml", "--comment"); code != 0 || !strings.Contains(problem, "no job summary to write to") {
			t.Errorf("exit %d: %s", code, problem)
		}
	})
	t.Run("an event that cannot be read", func(t *testing.T) {
		workflow(t, &pullRequest{}, "token")
		t.Setenv("GITHUB_REF", "")
		t.Setenv("GITHUB_EVENT_PATH", filepath.Join(dir, "none.json"))
		if code, _, problem := runCheck(t, dir, "one.toml", "--comment"); code != exitBadInput || !strings.Contains(problem, "GITHUB_EVENT_PATH") {
			t.Errorf("exit %d: %s", code, problem)
		}
	})
}

// TestCheckRecording: a recording is downloaded once, by its hash; another
// content stops the check.
func TestCheckRecording(t *testing.T) {
	const trace = "arrival_s,service_s,type,priority\n0,1,photo,0\n1,2,photo,0\n"
	served, asked := trace, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write([]byte(served))
	}))
	defer server.Close()
	cache, dir := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("CI", "true")
	sum := sha256.Sum256([]byte(trace))
	text := fmt.Sprintf("[trace]\nurl = \"%s/week.csv\"\nsha256 = \"%s\"\n[[class]]\nname = \"all\"\ntarget = \"10m\"\nattain = 0.5\n[policy]\nname = \"static\"\n", server.URL, hex.EncodeToString(sum[:]))
	if err := os.WriteFile(filepath.Join(dir, "remote.toml"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}

	served = trace + "2,1,photo,0\n"
	code, _, problem := runCheck(t, dir, "remote.toml", "--update", "--reason", "x")
	if code != exitBadInput || !strings.Contains(problem, "its sha256 is ") || !strings.Contains(problem, hex.EncodeToString(sum[:])) {
		t.Errorf("another content: exit %d, %s", code, problem)
	}
	if _, err := os.Stat(filepath.Join(dir, "baselines", "remote.json")); err == nil {
		t.Error("a baseline was written")
	}

	served, asked = trace, 0
	for _, args := range [][]string{{"--update", "--reason", "x"}, {}, {"--offline"}} {
		if code, out, problem := runCheck(t, dir, append([]string{"remote.toml"}, args...)...); code != 0 {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, problem)
		}
	}
	if asked != 1 {
		t.Errorf("downloaded %d times, want once", asked)
	}
}
