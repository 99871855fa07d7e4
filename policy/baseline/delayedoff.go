package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// DelayedOff is the policy "delayedoff", AutoScale: launch when the jobs in the
// system exceed what the fleet packs, keep what is not needed for t_wait.
//
// Source: A. Gandhi, M. Harchol-Balter, R. Raghunathan, M. Kozuch, "AutoScale:
// dynamic, robust capacity management for multi-tier data centers", ACM TOCS
// 30(4), 2012. Uncertain, for not checked against the paper's text: its figures
// (setup 260 s, t_wait 120 s, about 10 jobs packed on a server).
//
// t_wait is by default the boot lag, which is the break-even: keeping an
// instance idle for so long costs what launching it anew does, so no gap costs
// more than twice what a seer would pay per second of billing. With hard
// demand it is lazy capacity provisioning.
//
// The paper packs jobs on the busiest server, so that those at the end fall
// idle, and gives each its own timer. Queues of pull workers spread: the slot
// idle longest is next, and under steady load no instance is idle for long.
// timer = "level" (the default) therefore counts levels, as packing would: the
// n-th instance is kept for t_wait after n were last needed. timer = "instance"
// gives each instance its own timer under the queue's real routing, and shows
// the pitfall: the fleet hardly shrinks.
var DelayedOff = newSpec(build{
	name:   "delayedoff",
	doc:    "launches for the jobs in the system and keeps what is not needed for one boot lag (AutoScale, Gandhi et al. 2012)",
	params: []policy.Param{offWait, offPacking, offTimer, parDemand, parWorkoff},
}, newDelayedOff)

const (
	timerLevel    = "level"
	timerInstance = "instance"
)

var (
	offWait = policy.Param{
		Name: "t_wait", Kind: policy.Duration, Min: 0, Max: float64(4 * time.Hour),
		Doc: "How long an instance that is not needed is kept; 0: the learned boot lag.",
	}
	offPacking = policy.Param{
		Name: "packing", Kind: policy.Number, Unit: "jobs per slot", Min: 0.3, Max: 20, Default: 1, Log: true,
		Doc: "How many jobs in the system a slot is meant for; below 1 leaves slots free.",
	}
	offTimer = policy.Param{
		Name: "timer", Kind: policy.Choice, Choices: []string{timerLevel, timerInstance}, Fixed: true,
		Doc: "What is timed: each level of the fleet, as if jobs were packed, or each instance as the queue uses it.",
	}

	ruleOff = policy.NewRule("delayedoff.target", "%.1f slots of load need %.0f instances, %.0f within the wait, have %.0f: wants %.0f", false)
)

func newDelayedOff(env *policy.Env, v policy.Values) (rule[trailing], error) {
	d, wait, packing := newDemand(env, v), v.Duration(&offWait), v.Number(&offPacking)
	perInstance := v.Choice(&offTimer) == timerInstance
	return func(s *signals, t *trailing) verdict {
		load := d.slots(s)
		need := s.units(load / packing)
		kept := t.highest(s.now, s.orBoot(wait), need)
		if perInstance {
			kept = max(need, s.desired-s.idleEach(s.orBoot(wait)))
		}
		return s.to(kept, ruleOff.Because(load, float64(need), float64(kept), float64(s.desired), float64(kept)))
	}, nil
}
