package tune

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The search finds the bottom of the bowl through weather ten times as large as
// what is left to win, because candidates share it.
func TestRunFindsTheKnownBest(t *testing.T) {
	w := &world{shared: 0.2, own: 0.002}
	o, err := Run(t.Context(), bowlConfig(w, 500, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	b := o.Find(Recommended)
	if b == nil || b.Has(Defaults) || !o.Better || o.Advice != slices.IndexFunc(o.Rows, func(r Row) bool { return r.Has(Recommended) }) {
		t.Fatalf("better %v, advice %d, rows %+v: want the recommendation to beat the defaults", o.Better, o.Advice, o.Rows)
	}
	// Without weather the defaults cost 1.83 and the bottom costs 1.
	x := b.Params["x"].(float64)
	clear := &world{}
	m, err := clear.evaluate(t.Context(), b.Params, &Fold{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Ratio() > 1.05 || math.Abs(x-0.7) > 0.15 || b.Params["c"] != "b" {
		t.Errorf("found %v at %.3f × the floor, want about x = 0.7 and c = b at 1.00", b.Params, m.Ratio())
	}
	if b.Params["inert"] != 0.5 {
		t.Errorf("inert = %v: a parameter without effect must be back at its default, 0.5", b.Params["inert"])
	}
	if b.Params["limit"] != 60.0 {
		t.Errorf("limit = %v: a fixed parameter must stay at the base's 60", b.Params["limit"])
	}
	if got := o.Worth["inert"]; got > 0.01 {
		t.Errorf("inert is worth %v, want about nothing", got)
	}
	if runs := int(w.runs.Load()); runs != o.Runs || runs > 500 {
		t.Errorf("took %d runs and says %d, want at most 500", runs, o.Runs)
	}
}

// A promise moves the best to its edge, from the side that keeps it.
func TestRunKeepsPromises(t *testing.T) {
	w := &world{needs: 0.85, shared: 0.05, own: 0.001}
	o, err := Run(t.Context(), bowlConfig(w, 500, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{Cheapest, Recommended, Fastest} {
		r := o.Find(name)
		if x := r.Params["x"].(float64); x < 0.85 || !r.Held.Keeps() || r.Held.Kept != r.Held.N {
			t.Errorf("%s has x = %v and kept %d of %d weeks, want at least 0.85 and all", name, x, r.Held.Kept, r.Held.N)
		}
	}
	if x := o.Find(Cheapest).Params["x"].(float64); x > 0.95 {
		t.Errorf("the cheapest has x = %v, want near 0.85", x)
	}
	if d := o.Find(Defaults); d == nil || d.Held.Keeps() {
		t.Errorf("defaults %+v: they are among the rows and break the promise", d)
	}
	if !o.Better {
		t.Error("not better than defaults that break a promise")
	}
	fast, cheap := o.Find(Fastest), o.Find(Cheapest)
	if fast.Held.Latency.Mean() > cheap.Held.Latency.Mean() {
		t.Error("the fastest is slower than the cheapest")
	}
}

// Where nothing beats the defaults, the defaults are recommended.
func TestRunIsHonest(t *testing.T) {
	cfg := bowlConfig(&world{shared: 0.05}, 120, 1, 2)
	space, err := NewSpace(&bowl, nil, []string{"inert"})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Space = space
	o, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if o.Better || !o.Rows[o.Advice].Has(Defaults) {
		t.Errorf("better %v, advice %v: nothing was to be won", o.Better, o.Rows[o.Advice].Names)
	}
}

func TestRunWithoutFeasiblePoint(t *testing.T) {
	cfg := bowlConfig(&world{needs: 1.5}, 100, 1, 2)
	_, err := Run(t.Context(), cfg)
	var infeasible *InfeasibleError
	if !errors.As(err, &infeasible) || !infeasible.BadInput() {
		t.Fatalf("error %v, want that no candidate keeps the promise", err)
	}
	// The least broken is as near to x = 1.5 as x can be: a third short, or a
	// little more.
	if got := infeasible.Promise.Margin.Mean(); got < -0.45 || got > -0.33 {
		t.Errorf("the promise is broken by %.2f, want about a third: %v", -got, err)
	}
	for _, want := range []string{`"x"`, "promised enough", "keeps it in 0 of"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	cfg.EvenBroken = true
	o, err := Run(t.Context(), cfg)
	if err != nil || o.Feasible || o.Rows[o.Advice].Held.Keeps() {
		t.Errorf("with EvenBroken: error %v, want the least broken", err)
	}
}

func TestRunRefusesTooSmallBudgets(t *testing.T) {
	cfg := bowlConfig(&world{}, 500, 2, 1)
	cfg.Budget = BudgetMin(2) - 1
	if _, err := Run(t.Context(), cfg); err == nil || err.Error() != "budget = 59: must be at least 60 runs" {
		t.Errorf("error %v, want one that names the least budget", err)
	}
	w := &world{shared: 0.05, own: 0.01}
	cfg = bowlConfig(w, BudgetMin(1), 1, 1)
	o, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if o.Runs > cfg.Budget || int(w.runs.Load()) > cfg.Budget {
		t.Errorf("%d runs of a budget of %d", w.runs.Load(), cfg.Budget)
	}
}

func TestSeveralScenarios(t *testing.T) {
	w := &world{shared: 0.1, own: 0.002}
	cfg := bowlConfig(w, 600, 3, 2)
	o, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !o.Better || o.Runs > 600 {
		t.Errorf("better %v in %d runs, want yes in at most 600", o.Better, o.Runs)
	}
	left, err := LeaveOut(t.Context(), cfg, 300)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 3 {
		t.Fatalf("%d scenarios left out, want 3", len(left))
	}
	for i, x := range left {
		if x.Scenario != i || x.Saved.Mean() < 0.1 || len(x.Saved.Values) != x.Held.N {
			t.Errorf("left out %d: saved %.2f in %d weeks, want more than 0.1: all three are the same bowl", x.Scenario, x.Saved.Mean(), x.Held.N)
		}
	}
}

func TestSweep(t *testing.T) {
	cfg := bowlConfig(&world{needs: 0.5, shared: 0.05}, 400, 1, 2)
	values := []float64{0.3, 0.4, 0.5, 0.6, 0.7, 0.8}
	rows, o, err := Sweep(t.Context(), cfg, "x", values)
	if err != nil {
		t.Fatal(err)
	}
	best := 0
	for i, r := range rows {
		if r.Value != values[i] || r.Summary.N != len(cfg.Search)+len(cfg.Judge) {
			t.Errorf("row %d: value %v over %d weeks", i, r.Value, r.Summary.N)
		}
		if kept := r.Summary.Keeps(); kept != (r.Value >= 0.5) {
			t.Errorf("%v keeps its promise: %v", r.Value, kept)
		}
		if rows[best].Summary.Ratio.Mean() > r.Summary.Ratio.Mean() {
			best = i
		}
	}
	if values[best] != 0.7 || o.Find(Cheapest).Params["x"] != 0.7 {
		t.Errorf("cheapest %v and %v, want 0.7", values[best], o.Find(Cheapest).Params["x"])
	}
	if _, _, err := Sweep(t.Context(), cfg, "c", values); err == nil {
		t.Error("a choice was swept")
	}
}

// outcomeJSON returns everything a tuning came to.
func outcomeJSON(t *testing.T, o *Outcome) string {
	t.Helper()
	text, err := json.MarshalIndent(o, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRunIsReproducible(t *testing.T) {
	run := func(cfg *Config) string {
		o, err := Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return outcomeJSON(t, o)
	}
	const budget = 200
	made := func(parallel int) *Config {
		return bowlConfig(&world{needs: 0.4, shared: 0.1, own: 0.01}, budget, 1, parallel)
	}
	want := run(made(1))
	if diff := cmp.Diff(want, run(made(7))); diff != "" {
		t.Errorf("seven at once:\n%s", diff)
	}
	cfg := made(2)
	cfg.Runner = &sharded{t: t, shards: 5, local: cfg.Runner.(*Local)}
	if diff := cmp.Diff(want, run(cfg)); diff != "" {
		t.Errorf("in shards, the last first:\n%s", diff)
	}
	for _, stop := range []int64{1, 37, 120, 160} {
		memory := &Memory{}
		w := &world{needs: 0.4, shared: 0.1, own: 0.01, stopAt: stop}
		cfg := bowlConfig(w, budget, 1, 2)
		cfg.Memory = memory
		if _, err := Run(t.Context(), cfg); !errors.Is(err, errStopped) {
			t.Fatalf("stopped at %d: %v", stop, err)
		}
		known := memory.Len()
		if known < int(stop)-2 {
			t.Errorf("stopped at run %d, %d are known", stop, known)
		}
		w = &world{needs: 0.4, shared: 0.1, own: 0.01}
		cfg = bowlConfig(w, budget, 1, 2)
		cfg.Memory = memory
		if diff := cmp.Diff(want, run(cfg)); diff != "" {
			t.Errorf("resumed after run %d:\n%s", stop, diff)
		}
		if again := int(w.runs.Load()); again+known > budget {
			t.Errorf("resumed after run %d: %d runs were done twice", stop, again+known-budget)
		}
	}
	cfg = made(2)
	cfg.Seed = 2
	if run(cfg) == want {
		t.Error("another seed searches the same")
	}
}

// What is cheaper because it breaks a promise more often is not recommended.
func TestRunDoesNotTradePromisesForMoney(t *testing.T) {
	w := &world{shared: 0.05}
	cfg := bowlConfig(w, 300, 1, 2)
	// On the weeks that judge, and on them only, everything but the defaults
	// breaks a promise now and then.
	first := cfg.Judge[0][0].Seed
	cfg.Runner = &Local{Parallel: 2, Evaluate: func(ctx context.Context, c Raw, f *Fold) (*Metrics, error) {
		m, err := w.evaluate(ctx, c, f)
		if err != nil {
			return nil, err
		}
		p := Promise{Name: "p", Want: "kept", Margin: 1, Kept: true}
		if f.Seed >= first && f.Seed%3 == 0 && c["x"] != 0.2 {
			p.Margin, p.Kept = -0.1, false
		}
		m.Promises = append(m.Promises, p)
		return m, nil
	}}
	o, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	b := o.Find(Recommended)
	if b.Has(Defaults) || !b.Held.Keeps() || b.Held.Kept == b.Held.N {
		t.Fatalf("%v kept %d of %d weeks: the world is not as it should be", b.Names, b.Held.Kept, b.Held.N)
	}
	if o.Better || !o.Rows[o.Advice].Has(Defaults) {
		t.Errorf("recommends %v, which breaks a promise that the defaults keep", o.Rows[o.Advice].Names)
	}
}
