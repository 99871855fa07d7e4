package scenarios

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/policy"
)

// The hash of a scenario follows what it says about its world, and nothing else.
func TestHash(t *testing.T) {
	dir := t.TempDir()
	hash := func(path, text string) string {
		s, err := read(filepath.Join(dir, path), []byte(text), Replace{})
		if err != nil {
			t.Fatal(err)
		}
		return s.Hash()
	}
	write(t, filepath.Join(dir, "t.csv"), "arrival_s,service_s,type,priority\n0,1,a,0\n")
	write(t, filepath.Join(dir, "moved.csv"), "arrival_s,service_s,type,priority\n0,1,a,0\n")
	write(t, filepath.Join(dir, "boots.csv"), "boot_s\n90\n100\n")
	base := hash("s.toml", partsScenario)
	change := func(old, new string) string {
		text := strings.Replace(partsScenario, old, new, 1)
		if text == partsScenario {
			t.Fatalf("no %q to change", old)
		}
		return text
	}
	for name, text := range map[string]string{
		"another file":       partsScenario,
		"a title":            "title = \"x\"\n" + partsScenario,
		"a comment":          "# x\n" + partsScenario,
		"another seed":       "seed = 9\n" + partsScenario,
		"a default written":  change(`judge_from = "10m"`, "judge_from = \"10m\"\ntick = \"1m\""),
		"another unit":       change(`judge_from = "10m"`, `judge_from = "600s"`),
		"another policy":     change("instances = 2", "instances = 3"),
		"another trace file": change("t.csv", "moved.csv"),
	} {
		if hash("other.toml", text) != base {
			t.Errorf("%s changes the hash", name)
		}
	}
	for name, text := range map[string]string{
		"the target":     change(`"1m"`, `"2m"`),
		"the promise":    change("max = 100.0", "max = 90.0"),
		"the time":       change(`judge_from = "10m"`, `judge_from = "11m"`),
		"the boot lag":   change(`value = "30s"`, `value = "31s"`),
		"a fault":        change("factor = 2.0", "factor = 2.5"),
		"the billing":    change("[cloud]", "[cloud]\nbilling = \"per-second\""),
		"a service time": change(`file = "t.csv"`, "file = \"t.csv\"\nservice_scale = 2.0"),
		"a guard":        change("[[window]]", "[guard]\nfleet_max = 9\n[[window]]"),
	} {
		if hash("s.toml", text) == base {
			t.Errorf("%s does not change the hash", name)
		}
	}
	empirical := change(`{ model = "fixed", value = "30s" }`, `{ model = "empirical", file = "boots.csv" }`)
	before := hash("s.toml", empirical)
	write(t, filepath.Join(dir, "boots.csv"), "boot_s\n90\n110\n")
	if hash("s.toml", empirical) == before {
		t.Error("a file that the scenario refers to does not change the hash")
	}
}

func TestTraceHash(t *testing.T) {
	s, _ := partsWorld(t)
	first, err := s.TraceHash()
	if err != nil || len(first) != 64 {
		t.Fatalf("hash %q, error %v", first, err)
	}
	trace := filepath.Join(filepath.Dir(s.Path), "t.csv")
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	write(t, trace, string(text)+"99999,1,a,0\n")
	if second, err := s.TraceHash(); err != nil || second == first {
		t.Errorf("another trace has the same hash; error %v", err)
	}
	if err := os.Remove(trace); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TraceHash(); !os.IsNotExist(err) {
		t.Errorf("error %v, want that the trace is gone", err)
	}
}

// What is written is read again, to the last figure.
func TestPolicyRoundTrip(t *testing.T) {
	lo, hi := 1.2, 1.4
	made, err := NewPolicy("skynet", map[string]any{
		"quantile": 0.8125, "tau": "7m30s", "form": "phi", "cold_launch": 3.0, "types": []any{"c1.xlarge", "c1.medium"},
	})
	if err != nil {
		t.Fatal(err)
	}
	made.Provenance = &Provenance{
		Version: "skynet v1", Policy: made.Label(), Budget: 500, Runs: 480, Seed: 7,
		TunedOn: `seeds 1 to 9, "quoted"`, JudgedOn: "seeds 10 to 20", Verdict: "B against the defaults: 1.9 % ±0.6 cheaper",
		Scenarios: []ProvenanceInput{{"photo-week", strings.Repeat("a", 64), TraceGenerated}},
		Figures:   []Figure{{"cost ÷ floor", 1.3, &lo, &hi, 11}, {"slack", 0.25, nil, nil, 1}},
	}
	var text bytes.Buffer
	if err := made.Write(&text); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "tuned.toml")
	write(t, path, text.String())
	catalog, _ := policy.CatalogByName("ec2-2008")
	got, err := LoadPolicy(path, &catalog)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text.String())
	}
	if diff := cmp.Diff(made.Provenance, got.Provenance); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(made.Values, got.Values); diff != "" || got.Label() != made.Label() {
		t.Error(diff)
	}
	var again bytes.Buffer
	if err := got.Write(&again); err != nil || again.String() != text.String() {
		t.Errorf("written again it is\n%s", again.String())
	}
	for _, c := range []struct{ old, new, want string }{
		{"budget = 500\n", "", "provenance.budget: missing: it must be given"},
		{"budget = 500", "budget = 0", "provenance.budget = 0: must be a whole number from 1 to 1000000000"},
		{"budget = 500", "budget = \"500\"", `provenance.budget = "500": must be a whole number from 1 to 1000000000`},
		{"verdict", "verdcit", `provenance.verdcit: unknown key (did you mean "verdict"?)`},
		{"[[provenance.scenario]]", "[provenance.scenario]", "provenance.scenario"},
		{"sha256 = \"aaa", "sha265 = \"aaa", `provenance.scenario[1].sha265: unknown key (did you mean "sha256"?)`},
	} {
		write(t, path, strings.Replace(text.String(), c.old, c.new, 1))
		if _, err := LoadPolicy(path, &catalog); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: error %v, want %s", c.new, c.old, err, c.want)
		}
	}
}

func TestDoubts(t *testing.T) {
	s, _ := partsWorld(t)
	trace, err := s.TraceHash()
	if err != nil {
		t.Fatal(err)
	}
	p := &Policy{Name: "skynet", Path: "tuned.toml", Spec: Policies()[0], Values: policy.Values{}}
	if doubts, err := p.Doubts(s, "v1"); err != nil || doubts != nil {
		t.Errorf("doubts %q of a file that claims nothing, error %v", doubts, err)
	}
	doubts := func(change func(*Provenance)) []string {
		t.Helper()
		p.Provenance = &Provenance{
			Version: "v1", Policy: "skynet",
			Scenarios: []ProvenanceInput{{"other", "x", "y"}, {"s", s.Hash(), trace}},
		}
		change(p.Provenance)
		list, err := p.Doubts(s, "v1")
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for _, c := range []struct {
		change func(*Provenance)
		want   []string
	}{
		{func(*Provenance) {}, nil},
		{func(p *Provenance) { p.Scenarios[1].Name = "renamed" }, nil},
		{func(p *Provenance) { p.Version = "v0" }, []string{"tuned.toml was tuned by v0, this is v1"}},
		{func(p *Provenance) { p.Policy = "skynet@123456" }, []string{"tuned.toml: its parameters were changed after they were tuned (skynet@123456 then, skynet now)"}},
		{func(p *Provenance) { p.Scenarios[1].SHA256 = "z" }, []string{"tuned.toml was tuned on s as it was before it changed: its figures may not hold"}},
		{func(p *Provenance) { p.Scenarios[1].TraceSHA256 = "z" }, []string{"tuned.toml was tuned on another trace of s: its figures may not hold"}},
		{func(p *Provenance) { p.Scenarios = p.Scenarios[:1] }, []string{"tuned.toml was tuned on other, not on s: its figures may not hold"}},
	} {
		if diff := cmp.Diff(c.want, doubts(c.change)); diff != "" {
			t.Error(diff)
		}
	}
}

// Every parameter of every policy survives its file: at both its bounds, between
// them, and with each of its choices.
func TestEveryPolicyRoundTrips(t *testing.T) {
	catalog, _ := policy.CatalogByName("ec2-2008")
	for _, spec := range Policies() {
		for turn := range 4 {
			raw := map[string]any{}
			for i := range spec.Params {
				p := &spec.Params[i]
				x := p.Min + (p.Max-p.Min)*[]float64{0, 1, 0.3, 1. / 7}[turn]
				switch p.Kind {
				case policy.Choice:
					raw[p.Name] = p.Choices[turn%len(p.Choices)]
				case policy.TypeList:
					raw[p.Name] = []any{"c1.medium"}
				case policy.Duration:
					raw[p.Name] = time.Duration(x).String()
				case policy.Integer:
					raw[p.Name] = math.Trunc(x)
				default:
					raw[p.Name] = x
				}
			}
			made, err := NewPolicy(spec.Name, raw)
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			if err := made.Write(&text); err != nil {
				t.Fatal(err)
			}
			got, err := ParsePolicy("tuned.toml", text.Bytes(), &catalog)
			if err != nil {
				t.Errorf("%s: %v in\n%s", spec.Name, err, text.String())
				continue
			}
			if diff := cmp.Diff(made.Values, got.Values); diff != "" {
				t.Errorf("%s: written and read (-was +is):\n%s", spec.Name, diff)
			}
		}
	}
}
