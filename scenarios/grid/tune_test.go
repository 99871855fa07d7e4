package grid

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/scenarios"
)

// learns is a scenario with two days to learn on before the judged time, for
// which 40 instances are far too many.
var learns = strings.NewReplacer(`"3h"`, `"60h"`, `"10m"`, `"48h"`, "0.2", "0.02").Replace(small)

// tuned runs a grid and returns its rows as JSON, the rows, and how many cells
// were found in the store.
func tuned(t *testing.T, g *Grid) (text []byte, rows []Row, found int) {
	t.Helper()
	if errs := g.Check(); len(errs) > 0 {
		t.Fatal(errs)
	}
	hits := make(chan bool, g.Cells())
	g.Done = func(kept bool) { hits <- kept }
	err := g.Run(t.Context(), func(_ *scenarios.Scenario, list []Row) error {
		rows = append(rows, list...)
		for _, r := range list {
			b, err := json.Marshal([]any{r.Name, r.Policy.Hash(), r.Tuning, r.Trials, r.Own})
			if err != nil {
				return err
			}
			text = append(text, b...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(hits) != g.Cells() {
		t.Errorf("%d cells were told of, want %d", len(hits), g.Cells())
	}
	close(hits)
	for hit := range hits {
		if hit {
			found++
		}
	}
	return text, rows, found
}

func tuningGrid(t *testing.T, scenario string) *Grid {
	t.Helper()
	dir := t.TempDir()
	return &Grid{
		Scenarios: []*scenarios.Scenario{load(t, write(t, dir, "a.toml", scenario))},
		Policies: []Contender{
			{Name: "first", Path: write(t, dir, "first.toml", "name = \"static\"\n[params]\ninstances = 40\n")},
			{Name: "many", Path: write(t, dir, "many.toml", "name = \"static\"\n[params]\ninstances = 40\n")},
			{Name: "hpa", Of: "hpa"},
		},
		Runs: 2, Parallel: 1, Tune: 6,
	}
}

// Every policy but the first is tuned on what lies before the judged time, and
// judged with what it found there.
func TestTune(t *testing.T) {
	g := tuningGrid(t, learns)
	if n := g.Cells(); n != 3*2+2*(6+2) {
		t.Errorf("%d cells, want 3 policies with 2 seeds, and 2 with 6 sets and untuned", n)
	}
	want, rows, _ := tuned(t, g)
	first, many, hpa := &rows[0], &rows[1], &rows[2]
	if first.Tuning != nil || many.Tuning == nil || hpa.Tuning == nil {
		t.Fatal("all but the first are tuned")
	}
	x := many.Tuning
	if x.Sets != 6 || x.KeptSets < 1 || x.Hindsight || x.FromS != 48*3600*2/5 || x.ToS != 48*3600 {
		t.Errorf("tuned %+v, want 6 sets judged from two fifths of what lies before the judged time", x)
	}
	if !x.Own.Kept || !x.Chosen.Kept || x.Chosen.CostUSD > x.Own.CostUSD/2 || x.Params["instances"] == "" {
		t.Errorf("40 instances are far too many: own %+v, chosen %+v, %v", x.Own, x.Chosen, x.Params)
	}
	if first.Own != nil {
		t.Error("the first is not tuned, and has no other parameters")
	}
	for k := range first.Trials {
		if !reflect.DeepEqual(many.Own[k], first.Trials[k]) {
			t.Errorf("run %d: with its own parameters many is what the first is", k)
		}
		was, is := first.Trials[k].Figures.Judged.CostUSD, many.Trials[k].Figures.Judged.CostUSD
		if !(is < was/2) || !many.Trials[k].Kept {
			t.Errorf("run %d: judged with what was found costs %v, kept %v; untuned %v", k, is, many.Trials[k].Kept, was)
		}
	}
	g.Parallel = 4
	if got, _, _ := tuned(t, g); !bytes.Equal(got, want) {
		t.Error("four at once gave other bytes")
	}
	digest := g.Digest()
	g.Tune = 0
	if g.Digest() == digest {
		t.Error("untuned has the same digest")
	}
}

// A tuning that is stopped goes on where it stopped, and comes to the same.
func TestTuneStopped(t *testing.T) {
	g := tuningGrid(t, learns)
	want, _, _ := tuned(t, g)
	g.Store = &Store{Dir: t.TempDir()}
	ctx, stop := context.WithCancel(t.Context())
	done := 0
	g.Done = func(bool) {
		if done++; done == 8 { // in the second policy's tuning
			stop()
		}
	}
	err := g.Run(ctx, func(*scenarios.Scenario, []Row) error {
		t.Error("an incomplete scenario was handed over")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want that it was canceled", err)
	}
	got, _, found := tuned(t, g)
	if !bytes.Equal(got, want) {
		t.Error("resumed: other bytes")
	}
	if found != 8 {
		t.Errorf("%d cells were found, want the 8 that were finished", found)
	}
	if got, _, found := tuned(t, g); found != g.Cells() || !bytes.Equal(got, want) {
		t.Errorf("again: %d cells were found, want all %d", found, g.Cells())
	}
}

// Where less than a day lies before the judged time, or nothing arrives in it,
// policies are tuned on the judged time itself.
func TestTuneInHindsight(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "late.csv", "arrival_s,service_s,type,priority\n60,1,x,0\n180000,10,x,0\n180600,10,x,0\n")
	late := strings.Replace(learns, learns[strings.Index(learns, "[generate]"):strings.Index(learns, "[[class]]")], "[trace]\nfile = \""+filepath.Join(dir, "late.csv")+"\"\n", 1)
	for name, text := range map[string]string{
		"a short time":       strings.Replace(learns, `"48h"`, `"6h"`, 1),
		"nothing to time":    strings.Replace(learns, `judge_from = "48h"`, "", 1),
		"no job before that": late,
	} {
		g := tuningGrid(t, text)
		g.Tune, g.Runs = 3, 1
		_, rows, _ := tuned(t, g)
		x := rows[1].Tuning
		if !x.Hindsight || x.ToS != 0 || x.FromS != g.Scenarios[0].JudgeFrom.Seconds() {
			t.Errorf("%s: tuned %+v, want the judged time", name, x)
			continue
		}
		if len(x.Params) == 0 && !reflect.DeepEqual(rows[1].Own, rows[1].Trials) {
			t.Errorf("%s: its own parameters were chosen, and are judged otherwise", name)
		}
		// what it came to there is what it comes to in the first run
		var best float64
		for _, tr := range rows[1].Trials {
			best = tr.Figures.Judged.CostUSD
		}
		if best != x.Chosen.CostUSD {
			t.Errorf("%s: chosen for %v, judged %v", name, x.Chosen.CostUSD, best)
		}
	}
}

// What a sweep set stays as it is, and a policy without parameters is not tuned.
func TestTuneOnlyWhatMayMove(t *testing.T) {
	g := tuningGrid(t, strings.Replace(learns, `"48h"`, `"6h"`, 1))
	g.Policies[1].Set = []scenarios.Setting{{Key: "instances", Value: "9"}}
	g.Policies[2].Set = []scenarios.Setting{{Key: "max", Value: "7"}}
	g.Runs, g.Tune = 1, 3
	_, rows, _ := tuned(t, g)
	if rows[1].Tuning != nil {
		t.Errorf("all that static has was set, and it was tuned: %+v", rows[1].Tuning)
	}
	if x := rows[2].Tuning; x == nil || x.Params["max"] != "" {
		t.Errorf("tuned %+v; want hpa tuned, but for the max that was set", x)
	}
	if got := rows[2].Policy.Values["max"]; got != 7.0 {
		t.Errorf("max = %v, want what was set", got)
	}
}

// A bound that is found anew takes the place of the one that trials were kept
// with.
func TestBoundOfAnotherVersion(t *testing.T) {
	lower := 1.0
	g := tuningGrid(t, small)
	g.Tune, g.Store = 0, &Store{Dir: t.TempDir()}
	g.Version = func(policy string) string {
		if policy == "" {
			return "bounds 1"
		}
		return "runs 1"
	}
	g.Yardstick = Yardstick{Name: "lower", Of: func(context.Context, *scenarios.World, uint64) (*Bound, error) { return &Bound{LowerUSD: lower}, nil }}
	_, before, _ := tuned(t, g)
	lower = 2
	g.Version = func(policy string) string {
		if policy == "" {
			return "bounds 2"
		}
		return "runs 1"
	}
	_, after, found := tuned(t, g)
	if found != g.Cells() {
		t.Errorf("%d runs were found, want all", found)
	}
	for i := range after {
		for k, x := range after[i].Trials {
			if x.LowerUSD != 2 || before[i].Trials[k].LowerUSD != 1 {
				t.Errorf("bounds %v and %v, want 1 and then 2", before[i].Trials[k].LowerUSD, x.LowerUSD)
			}
			y := *x
			y.LowerUSD = 1
			if !reflect.DeepEqual(&y, before[i].Trials[k]) {
				t.Error("another bound changed more than the bound")
			}
		}
	}
}
