package main

import (
	"os"
	"testing"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// A generated week is drawn once for all candidates that come for it one after
// the other, and forgotten when there is no room for it.
func TestWorldsAreShared(t *testing.T) {
	t.Chdir(t.TempDir())
	const scenario = `
duration = "1h"
[generate]
model = "poisson"
[[generate.stream]]
type = "photo"
per_second = 1.0
service = { law = "exponential", mean = "2s" }
[[class]]
name = "upload"
target = "60s"
attain = 0.9
`
	if err := os.WriteFile("s.toml", []byte(scenario), 0o666); err != nil {
		t.Fatal(err)
	}
	b, err := newApp(t.Context(), os.Stderr, os.Stderr).openBench([]string{"s.toml"}, "")
	if err != nil {
		t.Fatal(err)
	}
	b.worlds.room = 8000 // two hours of 3600 jobs
	open := func(seed uint64) *scenarios.World {
		t.Helper()
		w, err := b.worlds.open(t.Context(), &tune.Fold{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	first, second := open(1), open(2)
	if open(1) != first || open(2) != second || first == second {
		t.Error("a week in memory was drawn again")
	}
	open(3)
	if len(b.worlds.opened) != 2 {
		t.Errorf("%d weeks in memory, there is room for 2", len(b.worlds.opened))
	}
	if open(2) != second {
		t.Error("the week wanted most recently was forgotten")
	}
	if open(1) == first {
		t.Error("the week wanted least recently was kept")
	}
	// On it or drawn anew, a run comes to the same.
	fold := &tune.Fold{Seed: 1}
	m, err := b.evaluate(t.Context(), tune.Raw{"quantile": 0.8}, fold)
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenarios.Load("s.toml")
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.World()
	if err != nil {
		t.Fatal(err)
	}
	p, err := scenarios.NewPolicy("skynet", map[string]any{"quantile": 0.8})
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.Run(t.Context(), p, 1, sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if m.CostUSD != r.Figures.Judged.CostUSD || len(m.Promises) != 1 || len(m.Attained) != 1 || *m.P95S != *r.Figures.Classes["upload"].Sojourn.P95 {
		t.Errorf("metrics %+v of figures %+v", m, r.Figures)
	}
}
