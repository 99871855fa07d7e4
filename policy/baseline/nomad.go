package baseline

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// NomadTargetValue is the policy "nomad-target-value": the Nomad Autoscaler's
// target-value strategy at ede4e61, on an Auto Scaling group.
//
//	factor = metric ÷ target
//	count  = ceil(count × factor), unless |1 − factor| <= 0.01; from 0: ceil(factor)
//	         then nothing for cooldown
//
// The metric is the share of allocated capacity, as its documentation advises
// for a cluster. Kept: what runs is a share of what is ready, while count is
// what was asked for, so after a launch the same load multiplies a larger
// count; metric = "queue" is the trap of #413, the staircase, for a count
// multiplied by the whole queue compounds at every cooldown until max, whatever
// is booting. metric = "queue-per-instance" repairs it.
//
// A query without data fails the whole evaluation. At a load of zero the count is
// zero and, for no instance has a load, stays there: min is 1.
//
// Deviations: its checks of several metrics and the group's own readiness
// (scaling activities in progress) are not modelled.
var NomadTargetValue = newSpec(build{
	name:   "nomad-target-value",
	doc:    "multiplies the count by metric over target after each cooldown (Nomad Autoscaler, target-value)",
	params: []policy.Param{nomadMetric, nomadTargetLoad, nomadTargetJobs, nomadCooldown, nomadUpCooldown},
	every:  10 * time.Second,
	min:    1,
	max:    100,
	keeps:  true,
}, func(_ *policy.Env, v policy.Values) (rule[struct{}], error) {
	metric := v.Choice(&nomadMetric)
	load, jobs := v.Number(&nomadTargetLoad), v.Number(&nomadTargetJobs)
	down, up := v.Duration(&nomadCooldown), v.Duration(&nomadUpCooldown)
	return func(s *signals, _ *struct{}) verdict {
		m, target := s.load(), load
		switch metric {
		case "queue":
			m, target = s.pending, float64(jobs*float64(s.slots))
		case "queue-per-instance":
			m, target = (s.pending+s.running)/float64(max(1, s.desired)), float64(jobs*float64(s.slots))
		default:
			if s.readySlots == 0 {
				return hold(ruleNomadNone.Because(float64(s.desired)))
			}
		}
		want := nomadCount(s.desired, m, target)
		reason := ruleNomad.Because(m, target, float64(want), float64(s.desired))
		last := min(s.sinceUp, s.sinceDown)
		if want > s.desired && last < up || want < s.desired && last < down {
			return hold(reason)
		}
		return s.to(want, reason)
	}, nil
})

var (
	nomadMetric = policy.Param{
		Name: "metric", Kind: policy.Choice, Choices: []string{"allocated", "queue", "queue-per-instance"},
		Doc: "What is compared with the target: the share of busy slots, the jobs that wait, or those that wait and run for each instance.",
	}
	nomadTargetLoad = policy.Param{
		Name: "target_load", Kind: policy.Number, Unit: "fraction", Min: 0.1, Max: 1, Default: 0.7,
		Doc: "The share of slots it wants busy, with metric = allocated.",
	}
	nomadTargetJobs = policy.Param{
		Name: "target_jobs", Kind: policy.Number, Unit: "jobs per slot", Min: 0.1, Max: 20, Default: 1, Log: true,
		Doc: "The jobs for each slot of an instance, with a metric of the queue.",
	}
	nomadCooldown = policy.Param{
		Name: "cooldown", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(5 * time.Minute),
		Doc: "The pause after a change before the count is lowered.",
	}
	nomadUpCooldown = policy.Param{
		Name: "cooldown_on_scale_up", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(5 * time.Minute),
		Doc: "The pause after a change before the count is raised.",
	}

	ruleNomad     = policy.NewRule("nomad-target-value.plan", "the metric is %.2f, its target %.2f: a count of %.0f, was %.0f", false)
	ruleNomadNone = policy.NewRule("nomad-target-value.no-data", "no instance of a count of %.0f has a load", false)
)

// nomadCount returns the count that a metric makes of one.
func nomadCount(count int, metric, target float64) int {
	factor := metric
	if target != 0 {
		factor = metric / target
	}
	switch {
	case count == 0: // here the one percent means nothing
		return ceil(factor)
	case math.Abs(1-factor) <= 0.01:
		return count
	}
	return ceil(float64(count) * factor)
}
