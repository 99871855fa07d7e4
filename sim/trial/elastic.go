package trial

import (
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy/detmath"
	"github.com/skynet-ec2/skynet/sim"
)

// Elasticity tells how closely supply followed demand, in percent (SPEC-RG,
// "Ready for Rain?", arXiv 1604.03470). With demand d, supply s and length Δ of
// each step, T = ΣΔ:
//
//	θ_U = 100/T Σ max(d−s, 0)/max(d, 1) Δ      θ_O = 100/T Σ max(s−d, 0)/max(d, 1) Δ
//	τ_U = 100/T Σ 1[s<d] Δ                     τ_O = 100/T Σ 1[s>d] Δ
//	υ   = 100/T' Σ 1[sgn(s's change) ≠ sgn(d's change)] Δ, from the second step on
//
// Properties:
//   - supply equal to demand scores 0 in all
//   - more supply never raises θ_U and τ_U, and never lowers θ_O and τ_O
//   - τ_U and τ_O are at most 100 together
//   - cut a step in two halves that are alike: θ and τ stay
//   - demand and supply, at least 1, twice as large: all stay
//   - supply that moves against the demand at every step has υ = 100
type Elasticity struct {
	UnderPct     float64 `json:"under_pct"`      // θ_U
	OverPct      float64 `json:"over_pct"`       // θ_O
	UnderTimePct float64 `json:"under_time_pct"` // τ_U
	OverTimePct  float64 `json:"over_time_pct"`  // τ_O
	UnstablePct  float64 `json:"unstable_pct"`   // υ
}

// Step is a stretch of a run with the supply at its end, in reference cores.
type Step struct {
	At     time.Duration // its end
	Length time.Duration
	Supply float64
	// Work arrived in it, reference core-seconds.
	Work float64
}

// stepsOf returns the steps between the ticks of the judged time.
func stepsOf(r *sim.Result) []Step {
	var steps []Step
	for i := 1; i < len(r.Ticks); i++ {
		before, row := &r.Ticks[i-1], &r.Ticks[i]
		if before.At < r.Config.JudgeFrom {
			continue
		}
		steps = append(steps, Step{At: row.At, Length: row.At - before.At, Supply: row.Supply, Work: row.Work})
	}
	return steps
}

// rigid is the demand of work that must be done as it arrives: in each step the
// cores that the work of the step keeps busy, rounded up to whole slots of the
// type that sells work cheapest. It is blind to deadlines: work that may wait
// for half an hour counts as if it must not.
func rigid(r *sim.Result, steps []Step) []float64 {
	slot := 1.0
	if order := r.Config.Catalog.ByUnitPrice(); len(order) > 0 {
		slot = r.Config.Catalog.Types[order[0]].Speed
	}
	demand := make([]float64, len(steps))
	for i, s := range steps {
		// 1e-9: a sum of works that fill a slot exactly may be a little more
		demand[i] = math.Ceil(s.Work/s.Length.Seconds()/slot-1e-9) * slot
	}
	return demand
}

// planned is the supply that a plan had at the end of each step.
func planned(steps []Step, plan Supply) []float64 {
	demand := make([]float64, len(steps))
	k, cores := 0, 0.0
	for i, s := range steps {
		for ; k < len(plan) && plan[k].AtS <= s.At.Seconds(); k++ {
			cores = plan[k].Cores
		}
		demand[i] = cores
	}
	return demand
}

// Follow returns how closely the supply of the steps followed a demand; nil
// where there is no step.
func Follow(steps []Step, demand []float64) *Elasticity {
	var e Elasticity
	total, later := 0.0, 0.0
	for i, s := range steps {
		d, span := demand[i], s.Length.Seconds()
		total += span
		switch short := d - s.Supply; {
		case short > 0:
			e.UnderPct += float64(short / max(d, 1) * span)
			e.UnderTimePct += span
		case short < 0:
			e.OverPct += float64(-short / max(d, 1) * span)
			e.OverTimePct += span
		}
		if i == 0 {
			continue
		}
		later += span
		if sign(s.Supply-steps[i-1].Supply) != sign(d-demand[i-1]) {
			e.UnstablePct += span
		}
	}
	if total == 0 {
		return nil
	}
	for _, x := range []*float64{&e.UnderPct, &e.OverPct, &e.UnderTimePct, &e.OverTimePct} {
		*x *= 100 / total
	}
	if later > 0 {
		e.UnstablePct *= 100 / later
	}
	return &e
}

func sign(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// slackRange returns the nearest-rank p5 and p95 of the rolling 24-hour slack,
// at the ticks whose 24 hours were all judged; nil where there is none.
func slackRange(r *sim.Result) (p5, p95 *float64) {
	var means []float64
	for i := range r.Ticks {
		if row := &r.Ticks[i]; row.At >= r.Config.JudgeFrom+24*time.Hour && !math.IsNaN(row.Slack24h) {
			means = append(means, row.Slack24h)
		}
	}
	if len(means) == 0 {
		return nil, nil
	}
	slices.Sort(means)
	rank := func(percent int) *float64 {
		x := means[(len(means)*percent+99)/100-1] // a copy: means may go
		return &x
	}
	return rank(5), rank(95)
}

// Figures are θ_U, θ_O, τ_U, τ_O and υ, in this order.
func (e *Elasticity) Figures() [5]*float64 {
	return [5]*float64{&e.UnderPct, &e.OverPct, &e.UnderTimePct, &e.OverTimePct, &e.UnstablePct}
}

// Deviation returns the auto-scaling deviation: the Minkowski norm of the five
// figures with an exponent of five, in percent.
//
// Properties:
//   - it is 0 only for supply that is always equal to demand
//   - it is at least the largest of the five, and less than 1.38 times it
//   - a figure that rises never lowers it
func (e *Elasticity) Deviation() float64 {
	sum := 0.0
	for _, x := range e.Figures() {
		square := *x * *x
		sum += float64(square * square * *x)
	}
	if sum == 0 {
		return 0
	}
	return detmath.Pow(sum, 0.2)
}
