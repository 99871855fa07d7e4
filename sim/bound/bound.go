package bound

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// Options of Compute. The zero Options compute bound and plan.
type Options struct {
	// LowerOnly leaves out the plan, which takes most of the time.
	LowerOnly bool
	// Effort is how many times as many changes as usual the plan's search tries,
	// to EffortMax; below 1: as many as usual. Its time grows with it.
	Effort int
	// Parallel is how many goroutines may work at once; 0: one.
	Parallel int
	// Progress is called now and then with how far the work has come.
	Progress func(stage string, done, total int64)
}

// EffortMax is the most that Options.Effort may be.
const EffortMax = 100

// Result is the yardstick of a scenario with one seed.
type Result struct {
	Scenario string
	Seed     uint64
	// LowerUSD is the certified lower bound on the judged cost of every policy
	// that keeps the promises of the classes.
	LowerUSD float64
	// Bounds are the bounds whose largest is LowerUSD, in a fixed order.
	Bounds []Bound
	// PlanUSD is the judged cost of the best plan, replayed; 0 with LowerOnly.
	PlanUSD float64
	// Gap is PlanUSD ÷ LowerUSD − 1; 0 without a plan or a bound.
	Gap float64
	// Effort is that of the plan's search, from 1 to EffortMax; 0 with LowerOnly.
	Effort int
	// Kept: the plan kept every class's promise in its replay.
	Kept bool
	// Replay is what the plan's replay came to; nil with LowerOnly.
	Replay *sim.Figures
	// Plan are the instances to launch, in the order of their launch.
	Plan []Lease
	// FloorUSD is the judged work on the cheapest capacity at full load.
	FloorUSD float64
	// Step is the length of a step of the grid, and From the time since the
	// trace's start at which Price begins.
	Step, From time.Duration
	// Price is the shadow price of a slot of the unit type by step, in dollars
	// per hour, as the fluid problem has it: what the cost would rise by if one
	// slot-hour more were asked for then. It tells when capacity is scarce, and
	// need not be the price that proves the bound.
	Price []float64
}

// Bound is one way of bounding the cost from below.
type Bound struct {
	Name string
	USD  float64
}

// Lease is one instance of the plan: launched at a tick, drained at a later one.
type Lease struct {
	Type          string
	Launch, Drain time.Duration // since the trace's start
}

// Compute returns the yardstick of the world cfg for the trace that open opens.
// It reads the trace once for the bound and once for every replay of the plan.
// It fails on what cannot be promised to anybody, on a spot market, and with
// the errors of ctx and of the trace.
func Compute(ctx context.Context, cfg *sim.Config, open func() (traces.Source, error), opt Options) (*Result, error) {
	w, err := newWorld(cfg)
	if err != nil {
		return nil, err
	}
	g, err := w.read(ctx, open, opt)
	if err != nil {
		return nil, err
	}
	r := &Result{Scenario: cfg.Name, Seed: cfg.Seed, FloorUSD: g.floor(w)}
	if opt.LowerOnly {
		if err := r.lower(ctx, w, g, opt); err != nil {
			return nil, err
		}
		return r, nil
	}
	opt.Effort = min(max(opt.Effort, 1), EffortMax)
	r.Effort = opt.Effort
	if err := r.both(ctx, w, g, open, opt); err != nil {
		return nil, err
	}
	if r.LowerUSD > 0 && r.PlanUSD > 0 {
		r.Gap = r.PlanUSD/r.LowerUSD - 1
	}
	return r, nil
}

// both computes bound and plan, beside each other if it may. Neither needs
// anything of the other.
func (r *Result) both(ctx context.Context, w *world, g *grid, open func() (traces.Source, error), opt Options) error {
	if opt.Parallel <= 1 {
		if err := r.lower(ctx, w, g, opt); err != nil {
			return err
		}
		return r.plan(ctx, w, g, open, opt)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	coarser := *g // the plan joins steps
	coarser.cells = slices.Clone(g.cells)
	var wait sync.WaitGroup
	wait.Go(func() {
		quiet := opt // the plan takes longer, and one bar is enough
		quiet.Progress = nil
		quiet.Parallel = opt.Parallel - 1
		if err := r.lower(ctx, w, g, quiet); err != nil {
			stop(err)
		}
	})
	if err := r.plan(ctx, w, &coarser, open, opt); err != nil {
		stop(err)
	}
	wait.Wait()
	return context.Cause(ctx)
}
