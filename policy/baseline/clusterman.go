package baseline

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Clusterman is the policy "clusterman": Yelp's Clusterman at 55d0831.
//
//	new = fulfilled × (requested ÷ total) ÷ setpoint
//	    done if it is at least margin away from the target, by at most 100
//
// Requested are the slots of waiting and running jobs, total and fulfilled those
// of instances that run. Nothing requested is a target of 0; a target above 0 of
// which nothing runs yet is waited for; a target of 0 with requests becomes 1.
// More than 2 instances lost since its last run keep it from scaling down. The
// target persists, and EC2 is asked for what is missing.
//
// Kept: an instance that boots is in the target, not in what is fulfilled, and
// the target follows the requests, so nothing is asked for twice. A signal that
// cannot be read falls back to a default signal; a fleet without one holds.
//
// Its period is that of its signal, period_minutes, which has no default: 5
// minutes here. Deviations: only one resource, the slot; orphans are the
// actuator's. The limits of a step are a pool's configuration, in weights of its
// own choice; here they are slots, and tuned.
var Clusterman = newSpec(build{
	name:   "clusterman",
	doc:    "keeps the share of requested capacity at a setpoint, outside a margin (Yelp's Clusterman)",
	params: []policy.Param{clustermanSetpoint, clustermanMargin, clustermanStep},
	every:  5 * time.Minute,
	keeps:  true,
}, func(_ *policy.Env, v policy.Values) (rule[clustermanMemory], error) {
	setpoint, margin, step := v.Number(&clustermanSetpoint), v.Number(&clustermanMargin), int(v.Number(&clustermanStep))
	return func(s *signals, m *clustermanMemory) verdict {
		lost := s.lost - m.Lost
		m.Lost = s.lost
		requested := s.pending + s.running
		want := clustermanTarget(requested, s.readySlots, s.desiredSlots, s.slots, setpoint, margin, step)
		reason := ruleClusterman.Because(requested, float64(s.readySlots), float64(want), float64(s.desiredSlots))
		if want < s.desiredSlots && lost > 2 {
			return hold(reason)
		}
		return s.toSlots(s.units(float64(want))*s.slots, reason)
	}, nil
})

var (
	clustermanSetpoint = policy.Param{
		Name: "setpoint", Kind: policy.Number, Unit: "fraction", Min: 0.1, Max: 1, Default: 0.7,
		Doc: "The share of the capacity that should be requested.",
	}
	clustermanMargin = policy.Param{
		Name: "margin", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 0.5, Default: 0.1,
		Doc: "The share of its target that a new one must differ by (target_capacity_margin).",
	}
	clustermanStep = policy.Param{
		Name: "weight_step", Kind: policy.Integer, Min: 1, Max: 100_000, Default: 100, Log: true,
		Doc: "The most slots added or taken at once (max_weight_to_add, max_weight_to_remove).",
	}

	ruleClusterman = policy.NewRule("clusterman.plan", "%.0f slots requested of %.0f that run: a target of %.0f, was %.0f", false)
)

// clustermanMemory is how many instances were lost at its last run.
type clustermanMemory struct {
	Lost int `json:"lost"`
}

// clustermanTarget returns the target in slots.
func clustermanTarget(requested float64, fulfilled, target, unit int, setpoint, margin float64, step int) int {
	want := 0
	switch {
	case requested <= 0:
	case target == 0:
		return unit
	case fulfilled == 0:
		return target
	default:
		want = ceil(requested / setpoint) // fulfilled × (requested ÷ fulfilled) ÷ setpoint
	}
	if target > 0 && math.Abs(float64(want-target)) < margin*float64(target) {
		return target
	}
	return min(max(want, target-step), target+step)
}
