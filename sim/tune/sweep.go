package tune

import (
	"context"
	"fmt"
	"slices"

	"github.com/skynet-ec2/skynet/policy"
)

// SweepRow is what one value of a swept parameter came to.
type SweepRow struct {
	Value   float64 `json:"value"`
	Summary Summary `json:"summary"`

	candidate int
}

// sweepWeeksMax is how many weeks a sweep runs each value on at most.
const sweepWeeksMax = 20

// SweepWeeks returns how many weeks of so many scenarios a sweep of values has.
func SweepWeeks(budget, values, scenarios int) int {
	return min(budget/(values*scenarios), sweepWeeksMax)
}

// Sweep runs every value of one parameter on the same weeks, and returns what
// each came to and an outcome: of the values that keep their promises the
// cheapest, the one recommended and the fastest, against the base's own value.
// The first half of the weeks chooses, the second judges.
func Sweep(ctx context.Context, cfg *Config, name string, values []float64) ([]SweepRow, *Outcome, error) {
	p := cfg.Space.Spec.Param(name)
	if p == nil || p.Kind != policy.Number {
		return nil, nil, &InputError{fmt.Sprintf("policy %s has no number %q to sweep", cfg.Space.Spec.Name, name)}
	}
	t := newTuning(cfg)
	t.entries, t.index = nil, map[string]int{}
	t.add(cfg.Space.Base) // the defaults of a sweep: what the scenario runs today
	rows := make([]SweepRow, len(values))
	candidates := []int{0}
	for i, x := range values {
		v := policy.Values{}
		for k, y := range cfg.Space.Base { // map order: into another map
			v[k] = y
		}
		v[name] = x
		rows[i] = SweepRow{Value: x, candidate: t.add(v)}
		if rows[i].candidate != 0 {
			candidates = append(candidates, rows[i].candidate)
		}
	}
	t.report(Status{Part: "sweep"})
	all := slices.Concat(t.search, t.judge)
	if err := t.evaluate(ctx, grid(candidates, all)); err != nil {
		return nil, nil, err
	}
	sums := make([]Summary, len(candidates))
	for i, c := range candidates {
		sums[i] = t.summarize(c, t.search)
	}
	for i := range rows {
		rows[i].Summary = t.summarize(rows[i].candidate, all)
	}
	pick, ok := t.choose(candidates, sums, t.search)
	if !ok {
		least := t.lowest(candidates, t.search)
		if !cfg.EvenBroken {
			return rows, nil, &InfeasibleError{Promise: *sums[least].Worst(), Least: t.entries[candidates[least]].raw, Tried: len(candidates)}
		}
		pick = chosen{candidates[least], candidates[least], candidates[least]}
	}
	o, err := t.judgeAll(ctx, candidates, sums, pick, t.search, len(candidates))
	return rows, o, err
}
