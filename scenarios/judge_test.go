package scenarios

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/sim"
)

func number(x float64) *float64 { return &x }

// someFigures returns results in which every figure has a value, all different.
func someFigures() *sim.Figures {
	times := func(x float64) sim.TimeFigures {
		return sim.TimeFigures{Mean: number(x), P50: number(x + .1), P95: number(x + .2), P99: number(x + .3), Max: number(x + .4)}
	}
	most := 17
	return &sim.Figures{
		Seed: 1, DurationS: 2, CostUSD: 3,
		Slack: sim.SlackFigures{Mean: number(.25), PerDay: []*float64{number(.2), nil}, Min24h: number(.21)},
		Instances: sim.InstanceFigures{
			Launched: 5, Mean: 5.5,
			LaunchedByType: map[string]int{"c1.xlarge": 6}, CostByType: map[string]float64{"c1.xlarge": 7},
		},
		Jobs:    sim.JobFigures{Arrived: 8},
		Classes: map[string]*sim.ClassFigures{"upload": {Jobs: 9, Wait: times(10), Sojourn: times(11), Attained: number(.991)}},
		Windows: map[string]*sim.WindowFigures{"night": {InstancesMean: number(2), InstancesMax: &most}, "evening": {InstancesMean: number(10)}},
	}
}

func TestFigure(t *testing.T) {
	f := someFigures()
	for path, want := range map[string]float64{
		"seed": 1, "cost_usd": 3, "slack.mean": .25, "slack.per_day.0": .2, "instances.launched": 5, "instances.mean": 5.5,
		"instances.launched_by_type.c1.xlarge": 6, "instances.cost_by_type.c1.xlarge": 7, "jobs.arrived": 8,
		"classes.upload.jobs": 9, "classes.upload.wait_s.p99": 10.3, "classes.upload.sojourn_s.mean": 11,
		"classes.upload.attained": .991, "windows.night.instances_max": 17,
	} {
		if got, ok := figure(f, path); !ok || got != want {
			t.Errorf("%s = %v, %v, want %v", path, got, ok, want)
		}
	}
	for _, path := range []string{
		"", ".", "digest", "slack", "slack.per_day", "slack.per_day.1", "slack.per_day.2", "slack.per_day.-1", "slack.per_day.00",
		"slack.max_24h", "classes", "classes.upload", "classes.video.jobs", "classes.upload.worst_hour", "cost_usd.x", "Seed", "cost_usd.",
	} {
		if got, ok := figure(f, path); ok {
			t.Errorf("%s = %v, want no value", path, got)
		}
	}
}

// TestEveryNumberOfTheJSONIsAMetric walks the JSON and asks for every number
// in it by its path.
func TestEveryNumberOfTheJSONIsAMetric(t *testing.T) {
	f := someFigures()
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	n := &names{classes: []string{"upload"}, windows: []string{"night", "evening"}, types: []string{"c1.xlarge"}}
	asked := 0
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				walk(dotted(path, key), inner)
			}
		case []any:
			walk(dotted(path, "0"), v[0])
		case float64:
			asked++
			if !isMetric(path, n) {
				t.Errorf("%s is a number of the JSON but no metric", path)
			}
			if got, ok := figure(f, path); !ok || got != v {
				t.Errorf("%s = %v, %v, want %v", path, got, ok, v)
			}
		}
	}
	walk("", tree)
	if asked < 40 {
		t.Errorf("only %d numbers in the JSON", asked)
	}
	for _, path := range metrics(n) {
		if !isMetric(path, n) {
			t.Errorf("%s is listed and refused", path)
		}
	}
}

func TestJudge(t *testing.T) {
	f := someFigures()
	class := func(name string, attain float64) Class {
		return Class{Name: name, Types: []string{name}, Target: 30 * time.Second, On: "sojourn", Attain: attain}
	}
	promise := func(metric, per string, low, high float64) Promise {
		p := Promise{Metric: metric, Per: per}
		if !math.IsNaN(low) {
			p.Min = &low
		}
		if !math.IsNaN(high) {
			p.Max = &high
		}
		return p
	}
	none := math.NaN()
	f.Classes["empty"] = &sim.ClassFigures{}
	f.Classes["rest"] = &sim.ClassFigures{}
	f.Classes["odd"] = &sim.ClassFigures{Jobs: 1, Attained: number(math.NaN())}
	f.Windows["gone"] = &sim.WindowFigures{InstancesMean: number(0)}
	rest := class("rest", .9)
	rest.Types = nil
	s := &Scenario{
		Classes: []Class{class("upload", .99), class("upload", .992), class("reported", 0), class("empty", .5), class("odd", .5), rest},
		Promises: []Promise{
			promise("cost_usd", "", none, 3), promise("cost_usd", "", none, 2.99), promise("slack.mean", "", .245, .27),
			promise("slack.max_24h", "", none, 1), promise("no.such", "", none, 1),
			promise("windows.night.instances_mean", "windows.evening.instances_mean", none, .25),
			promise("windows.night.instances_mean", "windows.gone.instances_mean", 0, none),
			promise("windows.gone.instances_mean", "windows.gone.instances_mean", 0, none),
		},
	}
	var got []string
	for _, v := range s.Judge(f) {
		mark := "broken"
		if v.Kept {
			mark = "kept"
		}
		got = append(got, strings.Join([]string{mark, v.Name, v.Got, v.Want}, " | "))
	}
	want := []string{
		"kept | upload | 99.1 % | ≥ 99 % within 30 s",
		"broken | upload | 99.1 % | ≥ 99.2 % within 30 s",
		"broken | empty | no jobs | ≥ 50 % within 30 s",
		"broken | odd | no job done | ≥ 50 % within 30 s",
		"kept | cost_usd | 3 | ≤ 3",
		"broken | cost_usd | 3 | ≤ 2.99",
		"kept | slack.mean | 0.25 | 0.245 to 0.27",
		"broken | slack.max_24h | no value | ≤ 1",
		"broken | no.such | no value | ≤ 1",
		"kept | windows.night.instances_mean ÷ windows.evening.instances_mean | 0.2 | ≤ 0.25",
		"broken | windows.night.instances_mean ÷ windows.gone.instances_mean | no value | ≥ 0",
		"broken | windows.gone.instances_mean ÷ windows.gone.instances_mean | no value | ≥ 0",
	}
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("verdict %d:\n got %s\nwant %s", i, g, w)
		}
	}
	s.replaced = true
	if n := len(s.Judge(f)); n != len(want)-4 { // empty, and three about windows
		t.Errorf("%d verdicts on a trace from outside, want %d: a class without jobs there, and windows, are left out", n, len(want)-4)
	}
}

func TestJudgeHours(t *testing.T) {
	share := func(x float64) *float64 { return &x }
	s := &Scenario{Classes: []Class{{Name: "upload", Types: []string{"photo"}, Target: 30 * time.Second, Attain: 0.99, WorstHour: 0.95}}}
	for _, tt := range []struct {
		worst *float64
		want  string
		kept  bool
	}{
		{share(0.96), "96 %", true},
		{share(0.949), "94.9 %", false},
		{nil, "no hour of 100 jobs", true},
	} {
		f := &sim.Figures{Classes: map[string]*sim.ClassFigures{"upload": {Jobs: 10, Attained: share(1), WorstHour: tt.worst}}}
		list := s.Judge(f)
		if len(list) != 2 {
			t.Fatalf("%d verdicts, want the class's and its hours'", len(list))
		}
		if v := list[1]; v.Kept != tt.kept || v.Got != tt.want || v.Name != "worst hour of upload" {
			t.Errorf("worst hour %v: %+v", tt.want, v)
		}
	}
}

func TestPercentIsNeverRoundedUp(t *testing.T) {
	for x, want := range map[float64]string{1: "100 %", .99999: "99.99 %", .9: "90 %", .99: "99 %", .123456: "12.34 %", 0: "0 %"} {
		if got := percent(x); got != want {
			t.Errorf("%v: %q, want %q", x, got, want)
		}
	}
}
