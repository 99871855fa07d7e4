package scenarios

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/traces"
)

// exampleFor returns what ExampleFor writes for a trace file of this text, and
// the scenario that it is.
func exampleFor(t *testing.T, name, text string) (string, *Scenario) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, name), text)
	src, err := traces.Open(filepath.Join(dir, name), traces.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	example, err := ExampleFor("x", name, src)
	if err != nil {
		t.Fatal(err)
	}
	s, err := read(filepath.Join(dir, "x.toml"), example, Replace{})
	if err != nil {
		t.Fatalf("%v\n%s", err, example)
	}
	return string(example), s
}

// A class can be told by its name, in whatever letters its type is written.
func TestClassName(t *testing.T) {
	for jobType, want := range map[string]string{
		"photo":                     "photo",
		"video_hd":                  "video_hd",
		"Éclairage":                 "Eclairage",
		"naïve \"quoted\"":          "naive_quoted",
		"Compositing — finale":      "Compositing_finale",
		"<script>alert(1)</script>": "script_alert_1_script",
		"emoji 🎞️ render":           "emoji_render",
		"日本語の写真":                    "unnamed",
		"":                          "unnamed",
		strings.Repeat("x", 200):    strings.Repeat("x", 64),
	} {
		if got := className(jobType); got != want {
			t.Errorf("className(%q) = %q, want %q", jobType, got, want)
		}
	}
}

// TestExampleForDerivesFromTheTrace follows each derived number to the jobs it
// comes from.
func TestExampleForDerivesFromTheTrace(t *testing.T) {
	var jobs strings.Builder
	jobs.WriteString("arrival_s,service_s,type,priority\n")
	for i := range 1000 { // ten hours; at the hour 5, 360 jobs of 30 s: 3 busy cores
		at := float64(i) * 18000 / 640
		if i >= 640 {
			at = 18000 + float64(i-640)*10
		}
		if i == 999 {
			at = 36000
		}
		jobs.WriteString(tomlFloat(math.Floor(at)) + ",30," + []string{"urgent,0", "soon,1", "later,2"}[i%3] + "\n")
	}
	text, s := exampleFor(t, "t.csv", jobs.String())
	for _, line := range []string{
		`judge_from = "1h"                # the time before`, // a tenth of ten hours
		`name = "urgent"                  # 334 jobs, 33.4 % of the work, priority 0`,
		`type = "urgent"                  # service: mean 30s, half within 30s, 95 % within 30s, longest 30s`,
		`reference_speed = 1.0            # of the core that service times were measured on, assumed`,
		`catalog = "ec2-2008"`,
		`billing = "hourly"`,
		`fleet_max = 20 `,
		`# instances at once. The busiest hour, 5h after the start, keeps 2.99`,
		`hour_max_usd = 10.0`,
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	targets := map[string]time.Duration{}
	for _, c := range s.Classes {
		targets[c.Name] = time.Duration(c.Target)
	}
	for name, want := range map[string]time.Duration{"urgent": 2 * time.Minute, "soon": 2 * time.Minute, "later": 30 * time.Minute, "rest": time.Hour} {
		if targets[name] != want {
			t.Errorf("target of %s %v, want %v", name, targets[name], want)
		}
	}
}

// TestExampleForTheCloudOfItsTime has a trace that says when it began.
func TestExampleForTheCloudOfItsTime(t *testing.T) {
	unix := "; UnixStartTime: 1717200000\n" // June 2024
	job := "1 0 3 4 1 -1 -1 1 -1 -1 1 1 1 -1 1 1 -1 -1\n"
	text, _ := exampleFor(t, "t.swf", unix+job)
	for _, line := range []string{"start = 2024-06-01T00:00:00Z ", `catalog = "ec2-2026"`, `billing = "per-second"`, "reference_speed = 5.0 ", "this trace is short"} {
		if !strings.Contains(text, line) {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	if text, _ = exampleFor(t, "t.swf", "; UnixStartTime: 1027839845\n"+job); !strings.Contains(text, `catalog = "ec2-2008"`) {
		t.Errorf("2002 in the cloud of 2026:\n%s", text)
	}
}

// TestExampleForManyTypes has more types than classes.
func TestExampleForManyTypes(t *testing.T) {
	text := "arrival_s,service_s,type,priority\n"
	for i := range 12 {
		text += strings.Repeat("0,1,type"+string(rune('a'+i))+",0\n", 20-i)
	}
	example, s := exampleFor(t, "t.csv", text)
	if len(s.Classes) != classesMost+1 {
		t.Errorf("%d classes", len(s.Classes))
	}
	if want := "42 jobs of 4 more types, and whatever else comes"; !strings.Contains(example, want) {
		t.Errorf("no %q in\n%s", want, example)
	}
}

// TestExampleForAGrid has work for thousands of cores: what may be launched at once
// stays within what a guard allows without a word of assent.
func TestExampleForAGrid(t *testing.T) {
	var jobs strings.Builder
	jobs.WriteString("arrival_s,service_s,type,priority\n")
	for i := range 6000 {
		fmt.Fprintf(&jobs, "%d,36000,grid,0\n", i)
	}
	text, s := exampleFor(t, "t.csv", jobs.String())
	for _, line := range []string{"fleet_max = 5000 ", "launch_max = 500 ", " keeps 36 000\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
	if got := s.guard; got == nil || got.LaunchMax != 500 || got.FleetMax != 5000 {
		t.Errorf("guard %+v", got)
	}
}

func TestTypeSurveyQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var s typeSurvey
		var all []int64
		scale := math.Exp(rng.Float64() * 43)
		for range 200 {
			v := min(max(int64(rng.ExpFloat64()*scale), 1), traces.TimeMax)
			all = append(all, v)
			s.add(v, 0)
		}
		slices.Sort(all)
		for _, p := range []float64{0.5, 0.95, 1} {
			want := all[int(p*200)-1]
			got := int64(s.quantile(p))
			if got < want || float64(got) > float64(want)*1.125+1 {
				t.Fatalf("quantile %v: %d, want %d to an eighth more", p, got, want)
			}
		}
	}
}
