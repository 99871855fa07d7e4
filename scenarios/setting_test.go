package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// A setting takes the place of a value as if it stood in the file, and is
// checked as if it did.
func TestSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "small.toml")
	if err := os.WriteFile(path, []byte(small), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := LoadWith(t.Context(), path, Replace{Set: []Setting{{"cloud.boot.median", "31s"}, {"tick", `"2m"`}, {"cloud.max_instances", "7"}}})
	if err != nil {
		t.Fatal(err)
	}
	if s.Cloud.Boot.Median != 31*time.Second || s.Tick != 2*time.Minute || s.Cloud.MaxInstances != 7 {
		t.Errorf("boot %v, tick %v, at most %d instances", s.Cloud.Boot.Median, s.Tick, s.Cloud.MaxInstances)
	}
	if want := `small cloud.boot.median=31s tick="2m" cloud.max_instances=7`; s.Name != want {
		t.Errorf("it is called %q, want %q", s.Name, want)
	}
	for set, want := range map[Setting]string{
		{"cloud.boot.meridian", "31s"}:    `cloud.boot.meridian: unknown key (did you mean "median"?)`,
		{"cloud.boot.median", "31"}:       `cloud.boot.median = 31: must be a duration`,
		{"cloud.max_instances", "0"}:      `cloud.max_instances = 0: must be`,
		{"class.target", "31s"}:           `class.target = 31s: class is a list of tables`,
		{"cloud.boot.median.x", "31s"}:    `cloud.boot.median`,
		{"tick", "\"1m\"\nduration=\"\""}: `tick = "\"1m\"\nduration=\"\"": must be a duration`,
	} {
		if _, err := LoadWith(t.Context(), path, Replace{Set: []Setting{set}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", set, err, want)
		}
	}
}

func TestPolicyWith(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.toml")
	if err := os.WriteFile(path, []byte("name = \"static\"\n[params]\ninstances = 2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	catalog := policy.EC2in2008()
	for _, c := range []struct {
		path, name string
		want       string
	}{{path, "", path}, {"", "static", ""}} {
		p, err := policyWith(t.Context(), c.path, c.name, &catalog, []Setting{{"instances", "5"}, {"type", "m1.small"}})
		if err != nil {
			t.Fatal(err)
		}
		if p.Values["instances"] != 5.0 || p.Values["type"].([]string)[0] != "m1.small" || p.Path != c.want {
			t.Errorf("got %v of %q", p.Values, p.Path)
		}
	}
	_, err := policyWith(t.Context(), "", "static", &catalog, []Setting{{"instance", "5"}})
	if want := `command line: policy.instance: unknown parameter of static (did you mean "instances"?)`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := policyWith(t.Context(), "", "statik", &catalog, []Setting{{"instances", "5"}}); err == nil || !strings.Contains(err.Error(), `did you mean "static"`) {
		t.Errorf("got %v", err)
	}
}

// TestSetPolicy: parameters go to the policy that decides, wherever it stands.
func TestSetPolicy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.toml")
	if err := os.WriteFile(path, []byte("name = \"static\"\n[params]\ninstances = 2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	world, _, _ := strings.Cut(small, "[policy]")
	inside := world + "[policy]\nname = \"static\"\n[policy.params]\ninstances = 3\n"
	for _, c := range []struct{ name, text, policy string }{
		{"beside the name", small, ""},
		{"in a table", inside, ""},
		{"by name", small, "static"},
		{"in a file", small, path},
		{"in a file that the scenario names", world + "[policy]\nfile = " + quoted(path), ""},
	} {
		s, err := read("small.toml", []byte(c.text), Replace{Policy: c.policy, Set: []Setting{{"policy.instances", "5"}, {"policy.params.type", "m1.small"}}})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := s.Decides().Values; got["instances"] != 5.0 || got["type"].([]string)[0] != "m1.small" {
			t.Errorf("%s: got %v", c.name, got)
		}
		for set, want := range map[Setting]string{
			{"policy.instancs", "5"}:                   `command line: policy.instancs: unknown parameter of static (did you mean "instances"?)`,
			{"policy.params.instancs", "5"}:            `command line: policy.instancs: unknown parameter of static (did you mean "instances"?)`,
			{"policy.instances", "-1"}:                 `command line: policy.instances = -1: must be a whole number from 0 to 100000`,
			{"policy.type", "m1.smal"}:                 `command line: policy.type = "m1.smal": must be a type of ec2-2008`,
			{"policy.type", `["m1.small","m1.large"]`}: `command line: policy.type = ["m1.small", "m1.large"]: must be one instance type`, // as the policy itself says
		} {
			_, err = read("small.toml", []byte(c.text), Replace{Policy: c.policy, Set: []Setting{set}})
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, %v: got %v, want %s", c.name, set, err, want)
			}
		}
	}
}

// TestSetPolicyOfFile: what the policy's file has wrong itself is told to be there.
func TestSetPolicyOfFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.toml")
	if err := os.WriteFile(path, []byte("name = \"static\"\n[params]\ninstances = -2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	world, _, _ := strings.Cut(small, "[policy]")
	text := world + "[policy]\nfile = " + quoted(path)
	_, err := read("small.toml", []byte(text), Replace{Set: []Setting{{"policy.typ", "m1.small"}}})
	want := []string{
		path + ":3: params.instances = -2: must be a whole number from 0 to 100000",
		`command line: policy.typ: unknown parameter of static (did you mean "type"?)`,
	}
	for _, line := range want {
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+line) {
			t.Errorf("got %v, want %s", err, line)
		}
	}
}

// TestSetStep: the steps of a script are tables of a list.
func TestSetStep(t *testing.T) {
	world, _, _ := strings.Cut(small, "[policy]")
	text := world + "[policy]\nname = \"scripted\"\n[[policy.step]]\nat = \"0s\"\nlaunch = 1\ntype = \"c1.xlarge\"\n"
	s, err := read("small.toml", []byte(text), Replace{Set: []Setting{{"policy.step[1].launch", "3"}}})
	if err != nil || len(s.Decides().Steps) != 1 || s.Decides().Steps[0].Launch != 3 {
		t.Errorf("got %+v, %v", s, err)
	}
}

// TestSetInBrackets: a list of tables may be written within brackets.
func TestSetInBrackets(t *testing.T) {
	world, _, _ := strings.Cut(small, "[policy]")
	text := world + "[policy]\nname = \"scripted\"\nstep = [{ at = \"0s\", launch = 1, type = \"c1.xlarge\" }]\n"
	s, err := read("small.toml", []byte(text), Replace{Set: []Setting{{"policy.step[1].launch", "3"}}})
	if err != nil || s.Decides().Steps[0].Launch != 3 {
		t.Errorf("got %+v, %v", s, err)
	}
	_, err = read("small.toml", []byte(text), Replace{Set: []Setting{{"policy.step[2].launch", "3"}}})
	if want := "there is no step[2]: it has 1 of them"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestSetIsNotTheFilesFault: a mistake on the command line is told to be there, one
// in the file where it stands.
func TestSetIsNotTheFilesFault(t *testing.T) {
	for _, c := range []struct {
		set  Setting
		want string
	}{
		{Setting{"cloud.billing", "houry"}, `command line: cloud.billing = "houry": must be one of hourly, per-second (did you mean "hourly"?)`},
		{Setting{"cloud.boot.median", "30"}, "command line: cloud.boot.median = 30: must be a duration with its unit"},
		{Setting{"cloud.boot.median", "99999999h"}, `command line: cloud.boot.median = "99999999h": must be a duration from 1ms to 24h`},
		{Setting{"class[1].attain", "2"}, "command line: class[1].attain = 2: must be a number from 0 to 1"},
		{Setting{"class[7].attain", "1"}, "command line: class[7].attain = 1: there is no class[7]"},
		{Setting{"class.attain", "1"}, "command line: class.attain = 1: class is a list of tables, the first of which is class[1]"},
		{Setting{"class[x].attain", "1"}, `command line: "class[x]": unknown key`},
		{Setting{"clood.billing", "hourly"}, `command line: clood: unknown key (did you mean "cloud"?)`},
		{Setting{"class[1]", "1"}, `command line: "class[1]": unknown key`},
		{Setting{"class[01].attain", "2"}, "command line: class[1].attain = 2: must be a number from 0 to 1"},
		{Setting{"class[1]. attain", "1"}, `command line: class[1]." attain": unknown key (did you mean "attain"?)`},
		{Setting{"duration.x", "1"}, "command line: duration.x = 1: duration is no table"},
	} {
		_, err := read("small.toml", []byte("duration = \"1h\"\n"+small), Replace{Set: []Setting{c.set}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %s", c.set, err, c.want)
		}
	}
	_, err := read("small.toml", []byte("tick = 60\n"+small), Replace{Set: []Setting{{"seed", "-1"}}})
	if err == nil || !strings.Contains(err.Error(), "small.toml:1: tick = 60") || !strings.Contains(err.Error(), "command line: seed = -1") {
		t.Errorf("got %v", err)
	}
}

func TestParseSetting(t *testing.T) {
	got, err := ParseSetting("trace.cut=[\"0h\", \"1h\"]")
	if err != nil || got != (Setting{"trace.cut", `["0h", "1h"]`}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"", "tick", "=1m", "tick=", ".tick=1m", "a..b=1", "a.=1"} {
		if _, err := ParseSetting(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
