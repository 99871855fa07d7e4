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
