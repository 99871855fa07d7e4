package main

import (
	"context"
	"errors"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/grid"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/bound"
	"github.com/skynet-ec2/skynet/sim/trial"
	"github.com/skynet-ec2/skynet/traces"
)

// boundNames are the words of compare's --bound: the certified bound; that and
// the best plan known, which takes longer; the floor of work, which takes no
// time.
var boundNames = []string{"lower", "plan", "floor"}

// yardstick returns what costs are compared with.
func yardstick(name string, a *app, progress *Progress) grid.Yardstick {
	y := grid.Yardstick{Name: name}
	if name == "floor" {
		return y
	}
	y.Of = func(ctx context.Context, w *scenarios.World, seed uint64) (*grid.Bound, error) {
		defer progress.Add(1)
		cfg := w.Config(seed)
		open := func() (traces.Source, error) { return w.Source(seed) }
		r, err := bound.Compute(ctx, cfg, open, bound.Options{LowerOnly: name == "lower"})
		switch {
		case err != nil && (ctx.Err() != nil || errors.Is(err, context.Canceled)):
			return nil, err
		case err != nil:
			// a world without a bound can be compared all the same
			a.log.Warn("no bound; costs are compared with the floor of work", "scenario", cfg.Name, "seed", seed, "why", err)
			return &grid.Bound{}, nil
		}
		b := &grid.Bound{LowerUSD: r.LowerUSD}
		if name == "plan" && r.Kept {
			b.PlanUSD, b.Supply = r.PlanUSD, supplyOf(r.Plan, cfg)
		}
		return b, nil
	}
	return y
}

// supplyOf returns the reference cores that a plan has ready, by changes: each
// instance from its launch and the time it takes to boot until it is drained.
func supplyOf(plan []bound.Lease, cfg *sim.Config) trial.Supply {
	env := cfg.Env()
	var steps []trial.Change
	for _, l := range plan {
		t := env.Catalog.Types[env.Catalog.Index(l.Type)]
		cores := float64(t.Slots) * t.Speed
		ready := l.Launch + env.BootGuess
		if ready < l.Drain {
			steps = append(steps, trial.Change{AtS: ready.Seconds(), Cores: cores}, trial.Change{AtS: l.Drain.Seconds(), Cores: -cores})
		}
	}
	return trial.SupplyOf(steps)
}
