package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckKeepsTolerances: what somebody chose in a baseline's file outlives the
// baseline, also where the scenario's world becomes another one.
func TestCheckKeepsTolerances(t *testing.T) {
	dir := checkFolder(t)
	baseline := filepath.Join(dir, "baselines", "one.json")
	replace := func(file, from, to string) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), from, to, 1)
		if changed == string(text) {
			t.Fatalf("%s: no %s in\n%s", file, from, text)
		}
		if err := os.WriteFile(file, []byte(changed), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const chosen = `"metric":"cost_usd","relative":0.75,`
	replace(baseline, `"metric":"cost_usd","relative":0.02,`, chosen)
	replace(filepath.Join(dir, "one.toml"), "per_second = 0.1", "per_second = 0.3")
	if code, out, problem := runCheck(t, dir, "one.toml", "--update", "--reason", "busier"); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, problem)
	}
	text, err := os.ReadFile(baseline)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{chosen, `"reason": "busier"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("there is no %s in\n%s", want, text)
		}
	}
}
