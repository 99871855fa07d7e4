package scenarios

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/sim"
)

const partsScenario = `
start = 2008-06-02T00:00:00Z
judge_from = "10m"
[trace]
file = "t.csv"
[[class]]
name = "all"
target = "1m"
attain = 0.5
[cloud]
boot = { model = "fixed", value = "30s" }
[[fault]]
kind = "refuse"
from = "1h"
to = "2h"
[[fault]]
kind = "price"
from = "90m"
factor = 2.0
[[window]]
name = "late"
from = "150m"
to = "160m"
[[promise]]
metric = "cost_usd"
max = 100.0
[[promise]]
metric = "jobs.lost"
max = 0.0
[[promise]]
metric = "classes.all.worst_hour"
min = 0.1
[policy]
name = "static"
instances = 2
type = "c1.xlarge"
`

// partsWorld is three hours of a job every ten seconds.
func partsWorld(t *testing.T) (*Scenario, *World) {
	t.Helper()
	dir := t.TempDir()
	var trace strings.Builder
	trace.WriteString("arrival_s,service_s,type,priority\n")
	for at := 0; at < 3*3600; at += 10 {
		fmt.Fprintf(&trace, "%d,30,a,0\n", at)
	}
	write(t, filepath.Join(dir, "t.csv"), trace.String())
	s, err := read(filepath.Join(dir, "s.toml"), []byte(partsScenario), Replace{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.World()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, w
}

func TestPart(t *testing.T) {
	s, w := partsWorld(t)
	if w.Kept() != 1080 {
		t.Errorf("%d jobs in memory, want 1080", w.Kept())
	}
	if span, err := w.Span(); err != nil || span != 3*time.Hour-10*time.Second {
		t.Errorf("span %v, error %v", span, err)
	}
	part := w.Part(100*time.Minute, 2*time.Hour, 170*time.Minute)
	c := part.Config(1)
	if want := w.config.Start.Add(100 * time.Minute); !c.Start.Equal(want) || c.JudgeFrom != 20*time.Minute || c.Duration != 70*time.Minute {
		t.Errorf("starts %v, judged from %v, for %v", c.Start, c.JudgeFrom, c.Duration)
	}
	// The refusals last for 20 minutes more, the dearer price from the beginning.
	want := []sim.Fault{
		{Kind: sim.Refuse, To: 20 * time.Minute},
		{Kind: sim.PriceChange, Factor: 2},
	}
	if diff := cmp.Diff(want, c.Faults, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Probability" || p.Last().String() == ".Signals" }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
	if x := c.Windows[0]; x.From != 50*time.Minute || x.To != time.Hour {
		t.Errorf("the window is from %v to %v", x.From, x.To)
	}
	if x := w.config.Windows[0]; x.From != 150*time.Minute {
		t.Errorf("a part moved the whole's window to %v", x.From)
	}
	got := arrivals(t, part, 1)
	if len(got) != 420 || got[0] != 0 || got[1] != int64(10*time.Second) {
		t.Errorf("%d jobs, the first at %v: want 420 from 0 on", len(got), got[:2])
	}
	if after := w.Part(3*time.Hour, 3*time.Hour, 0); len(after.config.Faults) != 1 {
		t.Errorf("faults %v after the refusals' end", after.config.Faults)
	}

	// A part that is the whole is the whole.
	run := func(w *World) *sim.Result {
		r, err := w.Run(t.Context(), nil, 1, sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	whole := run(w)
	if diff := cmp.Diff(whole.Figures, run(w.Part(0, 10*time.Minute, 0)).Figures); diff != "" {
		t.Error(diff)
	}
	// Of a part only what means the same in a part is judged.
	names := func(list []sim.Verdict) (names []string) {
		for _, v := range list {
			names = append(names, v.Name)
		}
		return names
	}
	f := run(part).Figures
	if diff := cmp.Diff([]string{"all", "jobs.lost", "classes.all.worst_hour"}, names(s.JudgePart(&f))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"all", "cost_usd", "jobs.lost", "classes.all.worst_hour"}, names(s.Judge(&f))); diff != "" {
		t.Error(diff)
	}
}

func TestMargins(t *testing.T) {
	lo, hi := 0.2, 0.25
	for _, c := range []struct {
		p      Promise
		x      float64
		margin float64
	}{
		{Promise{Min: &lo}, 0.3, 0.5},
		{Promise{Min: &lo}, 0.1, -0.5},
		{Promise{Max: &hi}, 0.2, 0.2},
		{Promise{Min: &lo, Max: &hi}, 0.24, 0.04},
		{Promise{Max: number(0)}, 0, 0},
		{Promise{Max: number(0)}, 1, -100},
	} {
		if got := c.p.margin(c.x); got < c.margin-1e-12 || got > c.margin+1e-12 {
			t.Errorf("%v within %s: margin %v, want %v", c.x, c.p.want(), got, c.margin)
		}
	}
	for _, c := range []struct{ attained, promised, left float64 }{{0.995, 0.99, 0.5}, {0.98, 0.99, -1}, {1, 1, 0}, {0.9995, 1, -0.5}} {
		if got := missesLeft(c.attained, c.promised); got < c.left-1e-9 || got > c.left+1e-9 {
			t.Errorf("%v of %v promised: %v left, want %v", c.attained, c.promised, got, c.left)
		}
	}
	// A promise is kept exactly where its margin is not negative.
	s, w := partsWorld(t)
	r, err := w.Run(t.Context(), nil, 1, sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range s.Judge(&r.Figures) {
		if v.Kept != (v.Margin >= 0) {
			t.Errorf("%s: kept %v with margin %v", v.Name, v.Kept, v.Margin)
		}
	}
	for _, v := range s.Judge(&sim.Figures{Classes: map[string]*sim.ClassFigures{}}) {
		if v.Kept || v.Margin >= 0 {
			if v.Name != "cost_usd" && v.Name != "jobs.lost" {
				t.Errorf("%s without a value: kept %v with margin %v", v.Name, v.Kept, v.Margin)
			}
		}
	}
}
