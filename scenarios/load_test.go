package scenarios

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/policy"
)

var update = flag.Bool("update", false, "rewrite golden files and docs/scenario.md")

// golden compares got with a file, or rewrites it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); go test ./scenarios -update rewrites it:\n%s", path, diff)
	}
}

// read returns the scenario that text says, which stands at path.
func read(path string, text []byte, with Replace) (*Scenario, error) {
	return parseScenario(context.Background(), path, text, with)
}

func TestEveryMistakeIsReported(t *testing.T) {
	_, err := Load("testdata/mistakes.toml")
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("error %v, want Problems", err)
	}
	golden(t, "testdata/mistakes.txt", []byte(err.Error()+"\n"))

	// The golden file records; these must hold whatever it says.
	for key, line := range map[string]int{
		"tick": 3, "Seed": 4, "judge_from": 5, "fast_tick": 7, "trace.file": 10, "trace.service_scale": 11, "trace.cut": 12,
		"class[1].attain": 18, "class[2].name": 21, "class[2].priority": 22, "class[2].target": 23,
		"class[3]": 26, "class[3].attian": 30, "class[3].attain": 26,
		"cloud.catalog": 33, "cloud.billing": 34, "cloud.boot.value": 35, "cloud.max_instances": 36, "cloud.boot_of.\"m1.small\"": 39,
		"queue.beat": 41, "fault[1].from": 46, "fault[2].factor": 48, "fault[3].kind": 54,
		"guard.fleet_max": 58, "window[1].to": 63, "promise[1].metric": 66, "promise[2]": 69, "policy.name": 73,
	} {
		found := false
		for _, p := range problems {
			found = found || p.Key == key && p.Line == line && p.File == "testdata/mistakes.toml"
		}
		if !found {
			t.Errorf("no problem with %s on line %d", key, line)
		}
	}
	for i := 1; i < len(problems); i++ {
		if problems[i].Line < problems[i-1].Line {
			t.Errorf("problem %d stands before line %d of the one before", i, problems[i-1].Line)
		}
	}
}

// small is a scenario that other tests spoil.
const small = `
[generate]
model = "photo-site"
scale = 0.01
duration = "1h"
[[class]]
name = "all"
target = "1m"
attain = 0.9
[policy]
name = "static"
instances = 1
`

func TestMistakesOneByOne(t *testing.T) {
	if _, err := read("small.toml", []byte(small), Replace{}); err != nil {
		t.Fatalf("the scenario without a mistake: %v", err)
	}
	for _, test := range []struct{ name, text, want string }{
		{"syntax", "title = \n" + small, "small.toml:1: not TOML: "},
		{"twice", "tick = \"1m\"\ntick = \"1m\"\n" + small, "small.toml:2: not TOML: "},
		{"binary", "\x00\x01", "not TOML: "},
		{"empty", "", "neither a [trace] nor a [generate] table"},
		{"both traces", small + "[trace]\nfile = \"testdata/boots.csv\"\n", "generate: there is a [trace] table as well"},
		{"infinite", small + "[budget]\nday_usd = inf\n", "budget.day_usd = inf: must be a number"},
		{"local time", "start = 2008-06-01T00:00:00\n" + small, "start = 2008-06-01T00:00:00: must be a date and time with its zone"},
		{"date", "start = 2008-06-01\n" + small, "start = 2008-06-01: must be a date and time with its zone"},
		{"time of day", "start = 07:00:00\n" + small, "start = 07:00:00: must be a date and time with its zone"},
		{"duration without unit", "tick = \"60\"\n" + small, `tick = "60": must be a duration with its unit`},
		{"duration as number", "tick = 60\n" + small, `tick = 60: must be a duration with its unit, such as "60s"`},
		{"duration out of bounds", "tick = \"9s\"\n" + small, `tick = "9s": must be a duration from 10s to 24h`},
		{"duration too long for an int64", "duration = \"99999999h\"\n" + small, "duration"},
		{"table for value", "[tick]\na = 1\n" + small, "tick = {…}: must be a duration"},
		{"value for table", "queue = 1\n" + small, "queue = 1: must be a table"},
		{"value for tables", "fault = 1\n" + small, "fault = 1: must be a list of tables, written [[fault]]"},
		{"home elsewhere", small + "[queue]\nlaunch_max = 1\n", "queue.launch_max: unknown key here: it belongs in [guard]"},
		{"home at the top", small + "[queue]\nfast_ticks = true\n", "queue.fast_ticks: unknown key here: it belongs at the top of the file"},
		{"key of another kind", small + "[[fault]]\nkind = \"store-down\"\nfactor = 2\n", `fault[1].factor: kind = "store-down" has no such key`},
		{"unknown type", small + "[[fault]]\nkind = \"refuse\"\ntypes = \"c1.xlage\"\n", `did you mean "c1.xlarge"?`},
		{"unknown zone", small + "[[fault]]\nkind = \"refuse\"\nzones = [\"a\", \"b\"]\n", `fault[1].zones[2] = "b": must be a zone of the cloud: a`},
		{"unknown signal", small + "[[fault]]\nkind = \"zero\"\nsignals = \"que\"\n", `did you mean "queue"?`},
		{"no spot market", small + "[[fault]]\nkind = \"spot-interruption\"\n", "there is no spot market"},
		{"poison for ever", small + "[[failure]]\npoison = 0.1\n", "queue.max_attempts must be given"},
		{"promise of nothing", small + "[[promise]]\nmetric = \"cost_usd\"\n", "promise[1]: neither min nor max"},
		{"promise backwards", small + "[[promise]]\nmetric = \"cost_usd\"\nmin = 2\nmax = 1\n", "promise[1].min = 2.0: must be at most max (1.0)"},
		{"unknown figure", small + "[[promise]]\nmetric = \"cost_uds\"\nmax = 1\n", `promise[1].metric = "cost_uds": must be a figure of the results (docs/scenario.md lists them) (did you mean "cost_usd"?)`},
		{"figure that is a text", small + "[[promise]]\nmetric = \"digest\"\nmax = 1\n", "must be a figure"},
		{"figure that is a table", small + "[[promise]]\nmetric = \"slack\"\nmax = 1\n", "must be a figure"},
		{"unknown per", small + "[[promise]]\nmetric = \"cost_usd\"\nper = \"jobs\"\nmax = 1\n", "promise[1].per"},
		{"guard", small + "[guard]\nlaunch_max = 50\nfleet_max = 40\n", "guard.fleet_max = 40: must be at least guard.launch_max (50)"},
		{"guard beyond bounds", small + "[guard]\nfleet_max = 10000\n", "guard.fleet_max = 10000: must be at most 5000 (beyond_bounds = true allows more)"},
		{"unknown policy", strings.Replace(small, `"static"`, `"statik"`, 1), `policy.name = "statik": must be one of`},
		{"unknown parameter", strings.Replace(small, "instances", "instance", 1), `policy.instance: unknown parameter of static (did you mean "instances"?)`},
		{"parameter out of bounds", strings.Replace(small, "instances = 1", "instances = 1.5", 1), "policy.instances = 1.5: must be a whole number"},
		{"parameter of unknown type", small + "type = \"c1.huge\"\n", `policy.type = "c1.huge": must be a type of ec2-2008`},
		{"parameter twice", small + "[policy.params]\ninstances = 2\n", "policy.instances: it stands in params as well"},
		{"script without steps", strings.Replace(small, `"static"`, `"scripted"`, 1), "policy.step: missing"},
		{"steps without script", small + "[[policy.step]]\nat = \"0s\"\nlaunch = 1\ntype = \"m1.small\"\n", "only the policy scripted has steps"},
		{"trace file not there", small[strings.Index(small, "[[class]]"):] + "[trace]\nfile = \"testdata/boot.csv\"\n", `trace.file: "testdata/boot.csv": no such file or directory (did you mean "boots.csv"?)`},
		{"policy file not there", strings.Replace(small, `name = "static"`, `file = "no.toml"`, 1), `policy.file: "no.toml": no such file`},
		{"class nobody generates", small[:strings.Index(small, "[[class]]")] + "[[class]]\nname = \"x\"\ntype = \"photos\"\ntarget = \"1m\"\nattain = 0.5\n" + small[strings.Index(small, "[[class]]"):], `class[1]: no generated job can reach it: none has the type "photos" (did you mean "photo"?)`},
		{"generated but unclassed", strings.Replace(small, `name = "all"`, "name = \"all\"\ntype = \"photo\"", 1), `generated jobs of type "video_sd", priority 0 match no class`},
		{"generator's own check", strings.Replace(small, "scale = 0.01", "scale = 0.01\nvideo_sd_share = 0.6\nvideo_hd_share = 0.6", 1), "generate.video_sd_share + video_hd_share = 1.2: must be from 0 to 1"},
		{"judged after the end", "duration = \"1h\"\njudge_from = \"1h\"\n" + small, `judge_from = "1h": must be less than duration (1h)`},
		{"no class", "class = []\n" + small[:strings.Index(small, "[[class]]")] + small[strings.Index(small, "[policy]"):], "class = []: must be at least one [[class]]"},
		{"two classes of a name", small + "[[class]]\nname = \"all\"\npriority = 1\ntarget = \"1m\"\nattain = 0.5\n", "must be another name"},
		{"deep", "a = " + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "\n", "line 1: nested deeper than 32"},
		{"deep tables", "a = " + strings.Repeat("{a=", 50_000) + "1" + strings.Repeat("}", 50_000) + "\n", "nested deeper than 32"},
		{"deep key", strings.Repeat("a.", 100_000) + "a = 1\n", "nested deeper than 32"},
		{"large", strings.Repeat("# a comment\n", 100_000), "larger than 1048576 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := read("small.toml", []byte(test.text), Replace{})
			var problems Problems
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error\n%v\nwant one with\n%s", err, test.want)
			}
			if !problems.BadInput() {
				t.Error("not marked as the user's")
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := Load("testdata/none.toml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want fs.ErrNotExist", err)
	}
}

func TestValues(t *testing.T) {
	s, err := Load("testdata/rich.toml")
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, got, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	c := s.config(tracesMeta())
	check("name", c.Name, "rich")
	check("title", s.Title, `rich "and" quoted: é`)
	check("start", c.Start, time.Date(2008, 6, 2, 7, 0, 0, 0, time.UTC))
	check("duration", c.Duration, 48*time.Hour)
	check("generated", s.generated(), 36*time.Hour)
	check("lease", c.Lease, time.Minute)
	check("beat", c.Beat, 10*time.Second)
	check("types", s.Classes[0].Types, []string{"photo", "video_sd"})
	check("class", c.Classes[0].On, policy.Wait)
	check("any priority", c.Classes[1].Priority, -1)
	check("slots", []int{c.Catalog.Types[0].Slots, c.Catalog.Types[1].Slots}, []int{1, 16})
	check("billing", c.Catalog.Billing, policy.Hourly)
	check("boot", c.Boot[""].Value, 150*time.Second)
	check("empirical boot", c.Boot["big.one"].Samples, []time.Duration{40 * time.Second, 61500 * time.Millisecond, 150250 * time.Millisecond})
	check("spot price", c.Spot.Series["small"][1].Price, policy.MicroUSD(50_000))
	check("weekly window", c.Windows[0].Weekly, true)
	check("window", c.Windows[0].From, 6*24*time.Hour+22*time.Hour)
	check("guard", []int{c.Guard.LaunchMax, c.Guard.InFlightMax, c.Guard.FleetMax}, []int{5, 10, 20})
	check("guard day", c.Guard.DayMax, policy.MicroUSD(12_500_000))
	check("guard hour follows the day", c.Guard.HourMax, policy.MicroUSD(12_500_000))
	check("budget", c.BudgetDay, policy.MicroUSD(10_000_000))
	check("fault without end", c.Faults[0].To, time.Duration(0))
	check("failure", c.Failures[0].Poison, 0.0005)
	check("step", s.policy.Steps[0].Keep, 59*time.Minute)
}

// TestDefaultsOfTheContract holds defaults that other people's files rely on.
func TestDefaultsOfTheContract(t *testing.T) {
	s, err := read("small.toml", []byte(small), Replace{})
	if err != nil {
		t.Fatal(err)
	}
	c := s.config(tracesMeta())
	if c.Tick != time.Minute || c.Seed != 1 || c.JudgeFrom != 0 || c.UTCOffset != 0 || c.Duration != 0 {
		t.Errorf("tick %v, seed %d, judge_from %v, utc_offset %v, duration %v", c.Tick, c.Seed, c.JudgeFrom, c.UTCOffset, c.Duration)
	}
	if c.Lease != 30*time.Second || c.Beat != 10*time.Second || c.MaxAttempts != 0 {
		t.Errorf("lease %v, beat %v, attempts %d", c.Lease, c.Beat, c.MaxAttempts)
	}
	if c.Catalog.Name != "ec2-2008" || c.Catalog.Billing != policy.Hourly || c.ReferenceSpeed != 1 || !c.Start.Equal(unknownStart) {
		t.Errorf("catalog %s, billing %v, reference speed %v, start %v", c.Catalog.Name, c.Catalog.Billing, c.ReferenceSpeed, c.Start)
	}
	if c.Guard != nil {
		t.Error("a scenario without [guard] has one")
	}
	if unknownStart.Weekday() != time.Monday {
		t.Error("an unknown start is not a Monday")
	}
}

// TestGuardFollowsWhatIsGiven: a limit that is left out never contradicts one
// that is given.
func TestGuardFollowsWhatIsGiven(t *testing.T) {
	for text, want := range map[string][3]int{ // launch, in flight, fleet
		"":                                   {100, 200, 500},
		"launch_max = 7":                     {7, 14, 500},
		"in_flight_max = 3":                  {3, 3, 500},
		"fleet_max = 10":                     {2, 4, 10},
		"fleet_max = 1":                      {1, 1, 1},
		"fleet_max = 10\nlaunch_max = 10":    {10, 10, 10},
		"launch_max = 5\nin_flight_max = 6":  {5, 6, 500},
		"month_max_usd = 1.0":                {100, 200, 500},
		"day_max_usd = 1.0\nfleet_max = 100": {20, 40, 100},
	} {
		s, err := read("small.toml", []byte(small+"[guard]\n"+text+"\n"), Replace{})
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := [3]int{s.guard.LaunchMax, s.guard.InFlightMax, s.guard.FleetMax}; got != want {
			t.Errorf("%q: launch, in flight, fleet %v, want %v", text, got, want)
		}
	}
}

func TestScenarioFiles(t *testing.T) {
	paths, err := filepath.Glob("*.toml")
	if err != nil || len(paths) < 7 {
		t.Fatalf("%d scenarios, error %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			s, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Lint(t.Context()); err != nil {
				t.Error(err)
			}
			text, _ := os.ReadFile(path)
			if !bytes.HasPrefix(text, []byte("# ")) || !bytes.Contains(text, []byte("What to expect.")) {
				t.Error("does not open with the expectation in prose")
			}
			if i := bytes.LastIndex(text, []byte("\n[")); i < 0 || !bytes.HasPrefix(text[i+1:], []byte("[[promise]]")) {
				t.Error("does not end in promises")
			}
		})
	}
}

func TestPolicyFiles(t *testing.T) {
	paths, err := filepath.Glob("policies/*.toml")
	if err != nil || len(paths) < 4 {
		t.Fatalf("%d policies, error %v", len(paths), err)
	}
	catalog := policy.EC2in2008()
	for _, path := range paths {
		p, err := LoadPolicy(path, &catalog)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := p.New(policy.Env{Catalog: catalog, Tick: time.Minute}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	trace := filepath.Join(dir, "t.csv")
	write(t, trace, "arrival_s,service_s,type,priority\n0,1,other,3\n5.5,2,other,3\n")
	p := filepath.Join(dir, "p.toml")
	write(t, p, "name = \"scripted\"\n[[step]]\nat = \"0s\"\nlaunch = 1\ntype = \"m1.small\"\n")
	text := "duration = \"30m\"\n" + small + "\n[[fault]]\nkind = \"store-down\"\nfrom = \"20m\"\n"
	s, err := read("elsewhere/small.toml", []byte(text), Replace{Trace: trace, Policy: p})
	if err != nil {
		t.Fatal(err)
	}
	if s.Duration != 0 || s.Generate != nil || s.Trace.ServiceScale != 1 || !s.TraceReplaced() || s.policy.Name != "scripted" {
		t.Errorf("duration %v, generate %v, trace %+v, policy %s", s.Duration, s.Generate, s.Trace, s.policy.Name)
	}
	if got := count(t, s); got != 2 {
		t.Errorf("%d jobs, want 2", got)
	}

	write(t, p, "name = \"static\"\ninstances = 2\n")
	_, err = read("small.toml", []byte(small), Replace{Policy: p})
	if err == nil || !strings.Contains(err.Error(), p+":2: instances: unknown key here") && !strings.Contains(err.Error(), p+":2: instances: unknown key") {
		t.Errorf("a parameter outside [params]: error %v", err)
	}
	if _, err = read("small.toml", []byte(small), Replace{Policy: "none.toml"}); err == nil {
		t.Error("a policy file that is not there: no error")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"*.toml", "testdata/*.toml", "policies/*.toml"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Add([]byte(small))
	f.Add([]byte("a = [[[{b.c.\"d\" = '''x''''}]], 1e400, -nan, 1979-05-27]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := read("fuzz.toml", text, Replace{})
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("error %v, want Problems", err)
			}
			for i := range problems {
				if problems[i].File == "" || problems[i].Error() == "" {
					t.Errorf("problem %+v says nothing", problems[i])
				}
			}
			return
		}
		// What is accepted can be shown, and what is shown is accepted.
		var shown bytes.Buffer
		if err := s.Show(&shown); err != nil {
			t.Fatal(err)
		}
		again, err := read("fuzz.toml", shown.Bytes(), Replace{})
		if err != nil {
			t.Fatalf("shown:\n%s\nerror: %v", &shown, err)
		}
		var twice bytes.Buffer
		if err := again.Show(&twice); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(shown.String(), twice.String()); diff != "" {
			t.Fatalf("shown twice (-once +twice):\n%s", diff)
		}
	})
}

// A policy's file that is written as a scenario's [policy] is told what goes where.
func TestPolicyFileWrittenAsATable(t *testing.T) {
	catalog := policy.EC2in2008()
	for text, want := range map[string]string{
		"name = \"skynet\"\ntau = \"60s\"\n":                "p.toml:2: tau: unknown key here: it belongs in [params]",
		"[policy]\nname = \"skynet\"\n":                     "p.toml:1: policy: unknown key here: this file holds what stands in a scenario's [policy]",
		"name = \"skynet\"\nparms = 1\n":                    `p.toml:2: parms: unknown key (did you mean "params"?)`,
		"name = \"skynet\"\n[params]\nlook_ahed = \"2m\"\n": `did you mean "look_ahead"?`,
	} {
		if _, err := ParsePolicy("p.toml", []byte(text), &catalog); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
