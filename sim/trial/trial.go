// Package trial condenses a run to what comparisons need: its figures, its
// days, and how closely the fleet followed the demand. A Trial is written to
// disk as JSON and read back without loss.
package trial

import (
	"cmp"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/sim"
)

// Trial is one run, condensed.
type Trial struct {
	// Figures are the run's; wall times are left zero, so that the same run
	// gives the same bytes.
	Figures sim.Figures   `json:"figures"`
	Kept    bool          `json:"kept"` // every promise
	Broken  []string      `json:"broken,omitempty"`
	Judged  time.Duration `json:"judged_ns"` // length of the judged time
	Days    []sim.DayRow  `json:"days"`
	// LowerUSD is a bound that no policy's judged cost can be below; Certified
	// tells one that honours the promises from the floor of work.
	LowerUSD  float64 `json:"lower_usd"`
	Certified bool    `json:"certified"`
	// PlanUSD is what the best known plan that knows the future cost; 0: none.
	PlanUSD float64 `json:"plan_usd,omitempty"`

	// Rigid follows the work as it arrives, Planned the fleet of a plan that
	// knows the future; nil without one.
	Rigid   *Elasticity `json:"rigid"`
	Planned *Elasticity `json:"planned"`

	Churn    float64 `json:"churn"`    // instances; see Churn
	Launches int     `json:"launches"` // in the judged time
	WastedS  float64 `json:"wasted_s"` // instance-seconds paid for and gone when instances ended
	// Percentiles of the 24-hour mean slack at ticks; nil below 24 judged hours.
	SlackP5     *float64 `json:"slack_p5"`
	SlackP95    *float64 `json:"slack_p95"`
	MissJobS    []Miss   `json:"miss"`         // by class
	GuardClamps int64    `json:"guard_clamps"` // decisions that the guard reduced
}

// Miss is by how much the jobs of a class missed its target, together.
type Miss struct {
	Class string  `json:"class"`
	JobS  float64 `json:"job_s"` // Σ max(0, time − target) over the jobs done, job-seconds, within 0.1 %
}

// Bound is what a run's cost is compared with.
type Bound struct {
	LowerUSD  float64
	Certified bool
	PlanUSD   float64
	// Plan is the supply of a clairvoyant plan; nil without one.
	Plan Supply
}

// Supply is a capacity over time by its changes, in their order.
type Supply []Change

// SupplyOf returns the sum of steps, each by how much the supply rises or falls
// at a time. Their order does not matter.
func SupplyOf(steps []Change) Supply {
	sorted := slices.Clone(steps)
	slices.SortStableFunc(sorted, func(a, b Change) int { return cmp.Compare(a.AtS, b.AtS) })
	var s Supply
	cores := 0.0
	for i, x := range sorted {
		cores += x.Cores
		if i+1 < len(sorted) && sorted[i+1].AtS == x.AtS {
			continue
		}
		s = append(s, Change{x.AtS, cores})
	}
	return s
}

// Change is what the supply is from a time on.
type Change struct {
	AtS   float64 `json:"at_s"` // since the trace's start
	Cores float64 `json:"cores"`
}

// Of condenses a run that was made with sim.Options.Timeline.
func Of(r *sim.Result, verdicts []sim.Verdict, b Bound) *Trial {
	t := &Trial{
		Figures: r.Figures, Kept: true, Days: r.Days,
		LowerUSD: b.LowerUSD, Certified: b.Certified, PlanUSD: b.PlanUSD,
		GuardClamps: r.Figures.Guard.Clamped,
	}
	t.Figures.WallS, t.Figures.JobsPerS = 0, 0
	for _, v := range verdicts {
		if !v.Kept {
			t.Kept = false
			t.Broken = append(t.Broken, v.Name)
		}
	}
	from := r.Config.JudgeFrom
	t.Judged = max(0, time.Duration(r.Figures.DurationS*1e9)-from)
	steps := stepsOf(r)
	t.Rigid = Follow(steps, rigid(r, steps))
	if b.Plan != nil {
		t.Planned = Follow(steps, planned(steps, b.Plan))
	}
	var fleet []int
	for i := range r.Ticks {
		if row := &r.Ticks[i]; row.At >= from {
			fleet = append(fleet, row.Instances)
			t.Launches += row.Launches
		}
	}
	t.Churn = Churn(fleet)
	for _, e := range r.Ended {
		if e.At >= from {
			t.WastedS += e.Unused.Seconds()
		}
	}
	t.SlackP5, t.SlackP95 = slackRange(r)
	for i := range r.Config.Classes {
		c := &r.Config.Classes[i]
		took := &r.Sojourn[i]
		if r.Figures.Classes[c.Name].On == "wait" {
			took = &r.Wait[i]
		}
		t.MissJobS = append(t.MissJobS, Miss{c.Name, missed(took, c.Target)})
	}
	return t
}

// missed returns Σ max(0, time − target) over the jobs of a distribution, in
// job-seconds.
//
// Properties:
//   - 0 where no job is late
//   - a looser target never misses more
//   - the sum over two disjoint sets of jobs is that over both
func missed(c *sim.CDF, target time.Duration) float64 {
	sum, below := 0.0, 0.0
	for i, v := range c.Value {
		if v > target {
			sum += float64((c.Share[i] - below) * (v - target).Seconds())
		}
		below = c.Share[i]
	}
	return sum * float64(c.N)
}
