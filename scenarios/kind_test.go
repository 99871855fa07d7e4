package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKindOf(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		text string
		want FileKind
		say  string
	}{
		{"title = \"a\"\n[[class]]\nname = \"x\"\n", ScenarioFile, ""},
		{"[generate]\nmodel = \"photo-site\"\n[policy]\nname = \"static\"\n", ScenarioFile, ""},
		{"name = \"skynet\"\n[params]\n", PolicyFile, ""},
		{"[[step]]\nat = \"0s\"\n", PolicyFile, ""},
		{"[[type]]\nname = \"m1.small\"\n", 0, "a catalog of instance types: neither"},
		{"clas = 1\n", 0, "neither a scenario, which has [[class]] tables, nor a policy, which has a name"},
		{"", 0, "neither"},
		{"= 3", 0, "x.toml:1: not TOML"},
	} {
		path := filepath.Join(dir, "x.toml")
		if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := KindOf(t.Context(), path)
		if got != c.want || (err == nil) != (c.say == "") || err != nil && !strings.Contains(err.Error(), c.say) {
			t.Errorf("%q: got %v, %v; want %v, %q", c.text, got, err, c.want, c.say)
		}
	}
}

// A file of another kind than is expected is called by what it is, and its keys are
// not counted out one by one.
func TestFilesOfAnotherKind(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"policy.toml":   "name = \"static\"\n[params]\ninstances = 2\n",
		"scenario.toml": small,
		"CI jobs.csv":   "id,queued_at\n1,2026-03-02\n",
		"week":          "PAR1\x15\x04",
		"das2.gwf":      "# JobID\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		scenario, policy string
		want             string
	}{
		{"policy.toml", "", "policy.toml: a policy, not a scenario: --policy names it, or file in the scenario's [policy]"},
		{"scenario.toml", "scenario.toml", "scenario.toml: a scenario, not a policy: a policy's file holds what stands in a scenario's [policy], name at the top, parameters in [params]"},
		{"CI jobs.csv", "", "CI jobs.csv: a trace, not a TOML file; to make a scenario of it, run: skynet scenario new FILE.toml --from-trace 'CI jobs.csv'"},
		{"das2.gwf", "", "das2.gwf: a trace, not a TOML file; to make a scenario of it, run: skynet scenario new FILE.toml --from-trace das2.gwf"},
		{"week", "", "week: a trace, not a TOML file; to make a scenario of it, run: skynet scenario new FILE.toml --from-trace week"},
	} {
		for _, set := range [][]Setting{nil, {{"policy.instances", "3"}}} {
			_, err := LoadWith(t.Context(), c.scenario, Replace{Policy: c.policy, Set: set})
			if err == nil || err.Error() != c.want {
				t.Errorf("%s with policy %q and %v: %v\nwant %s", c.scenario, c.policy, set, err, c.want)
			}
		}
	}
}

func TestIsPolicyName(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, file := range []string{"skynet", "mine"} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for word, want := range map[string]bool{
		"skynet": true, "hpa": true, "hpaa": true, // a name misspelled
		"mine": false, "./skynet": false, "skynet.toml": false, "": false,
	} {
		if got := IsPolicyName(word); got != want {
			t.Errorf("%q: %t, want %t", word, got, want)
		}
	}
}
