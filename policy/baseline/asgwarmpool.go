package baseline

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// ASGWarmPool is the policy "asg-warm-pool": EC2 Auto Scaling's target tracking on
// a group with a warm pool, whose instances have booted before they are needed.
//
//	warm    = max(pool_min, prepared − group)
//	fleet   = group + warm
//	scaling = target tracking on the group alone; a rise takes warm instances first,
//	          which is at once, and the pool is filled up again
//
// Documented: the formula (MinSize, MaxGroupPreparedCapacity), that the pool is no
// part of the group's metric, and that without a prepared capacity it is filled up
// to the group's max (pool = "max").
//
// The pool is modelled in the state Running. Deviations: EC2's default is Stopped,
// in which an instance costs its volumes only and starts in less than a boot; a
// fleet here has no stopped instances, so the cost is an upper bound. And a
// pull queue gives jobs to whatever is ready, to the pool as well, so waits are
// a lower bound; its busy slots count in the group's load, as if the jobs ran
// there. Whether instances that are scaled in return to the pool
// (InstanceReusePolicy) makes no difference here.
//
// Kept: pool = "max" pays for the group's max from the first minute (pool =
// "prepared" repairs it); with metric = "backlog" the pool takes the work of a rush,
// nothing waits, and the group is not raised (metric = "load", the default here,
// repairs it).
var ASGWarmPool = newSpec(build{
	name:   "asg-warm-pool",
	doc:    "target tracking on a group beside which instances run warm, and join it at once (EC2 Auto Scaling, warm pool in the state Running)",
	params: append([]policy.Param{poolSize, poolMin, poolPrepared, predictiveMetric}, trackingParams[1:]...),
	every:  time.Minute,
	min:    1,
	keeps:  true,
}, newASGWarmPool)

const (
	poolOfPrepared = "prepared"
	poolOfMax      = "max"
)

var (
	poolSize = policy.Param{
		Name: "pool", Kind: policy.Choice, Choices: []string{poolOfPrepared, poolOfMax}, Fixed: true,
		Doc: "What group and pool are together at the least: prepared, or max, as where no prepared capacity is given.",
	}
	poolMin = policy.Param{
		Name: "pool_min", Kind: policy.Integer, Min: 0, Max: 500, Default: 1,
		Doc: "The fewest warm instances beside the group (MinSize).",
	}
	poolPrepared = policy.Param{
		Name: "prepared", Kind: policy.Integer, Min: 0, Max: 1000,
		Doc: "The instances that group and pool are together at the least, with pool = prepared (MaxGroupPreparedCapacity).",
	}

	rulePool = policy.NewRule("asg-warm-pool.plan", "a group of %.0f, was %.0f, and %.0f warm beside it", false)
)

// poolMemory is the size of the group and its alarm.
type poolMemory struct {
	Alarm asgAlarm `json:"alarm"`
	Group int      `json:"group"`
	Began bool     `json:"began"`
}

func (m *poolMemory) check() error {
	if m.Group < 0 || m.Group > beyond {
		return fmt.Errorf("group = %d: must be from 0 to %d", m.Group, beyond)
	}
	return nil
}

// warmOf returns the warm instances beside a group.
func warmOf(group, least, prepared int) int { return max(least, prepared-group, 0) }

func newASGWarmPool(_ *policy.Env, v policy.Values) (rule[poolMemory], error) {
	t := newTracking(v, v.Choice(&predictiveMetric))
	least, prepared := int(v.Number(&poolMin)), int(v.Number(&poolPrepared))
	toMax := v.Choice(&poolSize) == poolOfMax
	return func(s *signals, m *poolMemory) verdict {
		if !m.Began {
			m.Began, m.Group = true, max(s.desired, s.least)
		}
		if toMax {
			prepared = s.most
		}
		g := asgSurvey(s, t.warmup)
		g.warmSlots = min(g.warmSlots, m.Group*s.slots)
		g.warm = s.units(float64(g.warmSlots))
		g.warming = g.warm < m.Group // what warms beside the group is not its own
		before := m.Group
		if tracked := t.decideFor(s, &g, m.Group, &m.Alarm); tracked.kind == wants {
			m.Group = min(max(tracked.slots/s.slots, s.least), s.most)
		}
		warm := warmOf(m.Group, least, prepared)
		return s.to(m.Group+warm, rulePool.Because(float64(m.Group), float64(before), float64(warm)))
	}, nil
}
