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
		got, err := KindOf(path)
		if got != c.want || (err == nil) != (c.say == "") || err != nil && !strings.Contains(err.Error(), c.say) {
			t.Errorf("%q: got %v, %v; want %v, %q", c.text, got, err, c.want, c.say)
		}
	}
}

// The hash of a world follows its values and the content of its files, not how
// or where they are written, nor who decides.
func TestHash(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	const scenario = "[trace]\nfile = \"t.csv\"\n[[class]]\nname = \"all\"\ntarget = \"5m\"\nattain = 0.9\n"
	const trace = "arrival_s,service_s,type,priority\n0,1,a,0\n"
	write := func(dir, name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	hash := func(path string) string {
		t.Helper()
		s, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		h, err := s.Hash()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	write(dir, "t.csv", trace)
	write(elsewhere, "u.csv", trace)
	want := hash(write(dir, "s.toml", scenario))
	for _, c := range []struct {
		name, dir, file, text string
		same                  bool
	}{
		{"written otherwise", dir, "s.toml", "# a comment\n" + strings.Replace(scenario, `"5m"`, `"300s"`, 1), true},
		{"elsewhere", elsewhere, "s.toml", strings.Replace(scenario, "t.csv", "u.csv", 1), true},
		{"another policy", dir, "s.toml", scenario + "[policy]\nname = \"static\"\n", true},
		{"another name", dir, "z.toml", scenario, false},
		{"another target", dir, "s.toml", strings.Replace(scenario, "5m", "6m", 1), false},
		{"a default spelled out", dir, "s.toml", "tick = \"1m\"\n" + scenario, true},
	} {
		if got := hash(write(c.dir, c.file, c.text)); (got == want) != c.same {
			t.Errorf("%s: same is %v, want %v", c.name, got == want, c.same)
		}
	}
	write(dir, "t.csv", trace+"1,1,a,0\n")
	if hash(write(dir, "s.toml", scenario)) == want {
		t.Error("another trace of the same name has the same hash")
	}
}
