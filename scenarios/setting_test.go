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
	s, err := LoadWith(path, Replace{Set: []Setting{{"cloud.boot.median", "31s"}, {"tick", `"2m"`}, {"cloud.max_instances", "7"}}})
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
		{"class.target", "31s"}:           `class.target = 31s: class is no table`,
		{"cloud.boot.median.x", "31s"}:    `cloud.boot.median`,
		{"tick", "\"1m\"\nduration=\"\""}: `tick = "\"1m\"\nduration=\"\"": must be a duration`,
	} {
		if _, err := LoadWith(path, Replace{Set: []Setting{set}}); err == nil || !strings.Contains(err.Error(), want) {
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
		p, err := PolicyWith(c.path, c.name, &catalog, []Setting{{"instances", "5"}, {"type", "m1.small"}})
		if err != nil {
			t.Fatal(err)
		}
		if p.Values["instances"] != 5.0 || p.Values["type"].([]string)[0] != "m1.small" || p.Path != c.want {
			t.Errorf("got %v of %q", p.Values, p.Path)
		}
	}
	_, err := PolicyWith("", "static", &catalog, []Setting{{"instance", "5"}})
	if want := `policy static: params.instance: unknown parameter of static (did you mean "instances"?)`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := PolicyWith("", "statik", &catalog, []Setting{{"instances", "5"}}); err == nil || !strings.Contains(err.Error(), `did you mean "static"`) {
		t.Errorf("got %v", err)
	}
}
