package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Jitsi is the policy "jitsi": the Jitsi Autoscaler at c302ef1, for recorders
// (Jibri), which take jobs as ours do, or for bridges, which have a stress.
//
//	up by up_quantity:     the metric was beyond up in all of the last up_periods
//	down by down_quantity: beyond down in all of the last down_periods
//	                       neither unless the group has its size, and grace has
//	                       passed since the last change
//
// The metric is how many slots are available, or the load. A launcher converges
// to the desired size every pass, and so asks again for what EC2 refused.
//
// Kept, from its own application-risk-review.md: a query that fails is a load of
// zero and a count of zero, which scales down what it still sees and launches
// the whole group again where it sees none (unreadable = "hold" repairs it); with
// no instance it does nothing, for ever (from_zero = "starts" repairs it).
//
// Deviations: the metric is read with the fleet here, so that a query which fails
// sees no instance either. The protection of instances for their first 600 s is
// not modelled, nor is the limit of 40 untracked ones: what was asked for is in
// every observation.
var Jitsi = newSpec(build{
	name: "jitsi",
	doc:  "adds or takes a fixed number when a metric was beyond its threshold for some minutes (Jitsi Autoscaler)",
	params: []policy.Param{
		jitsiMetric, jitsiAvailableUp, jitsiAvailableDown, jitsiStressUp, jitsiStressDown,
		jitsiUp, jitsiDown, jitsiUpPeriods, jitsiDownPeriods, jitsiGrace, asgFromZero,
	},
	every:      30 * time.Second,
	min:        1,
	unreadable: unreadZero,
	keeps:      true,
}, func(_ *policy.Env, v policy.Values) (rule[asgAlarm], error) {
	available := v.Choice(&jitsiMetric) == "available"
	freeUp, freeDown := v.Number(&jitsiAvailableUp), v.Number(&jitsiAvailableDown)
	stressUp, stressDown := v.Number(&jitsiStressUp), v.Number(&jitsiStressDown)
	up, down := int(v.Number(&jitsiUp)), int(v.Number(&jitsiDown))
	periods := asgPeriods{int(v.Number(&jitsiUpPeriods)), int(v.Number(&jitsiDownPeriods))}
	grace, starts := v.Duration(&jitsiGrace), v.Choice(&asgFromZero) == fromZeroStarts
	return func(s *signals, m *asgAlarm) verdict {
		if s.ready+s.booting == 0 {
			*m = asgAlarm{}
			if starts && s.desired == 0 && s.pending > 0 {
				return s.to(1, ruleJitsiZero.Because(s.pending))
			}
			return hold(ruleJitsiZero.Because(s.pending))
		}
		free, stress := float64(s.freeSlots()), s.load()
		high, low := stress >= stressUp, stress < stressDown
		if available {
			high, low = free < freeUp, free > freeDown
		}
		more, fewer := m.update(s, high, low, periods)
		reason := ruleJitsi.Because(free, stress, float64(s.desired))
		switch {
		case s.ready+s.booting != s.desired || min(s.sinceUp, s.sinceDown) < grace:
			return hold(reason)
		case more:
			return s.by(up, reason)
		case fewer:
			return s.by(-down, reason)
		}
		return hold(reason)
	}, nil
})

var (
	jitsiMetric = policy.Param{
		Name: "metric", Kind: policy.Choice, Choices: []string{"available", "stress"},
		Doc: "What it goes by: slots that are free, or the share of busy slots.",
	}
	jitsiAvailableUp = policy.Param{
		Name: "available_up", Kind: policy.Integer, Min: 0, Max: 400, Default: 4,
		Doc: "Fewer free slots than this ask for more, with metric = available.",
	}
	jitsiAvailableDown = policy.Param{
		Name: "available_down", Kind: policy.Integer, Min: 0, Max: 800, Default: 16,
		Doc: "More free slots than this ask for fewer, with metric = available.",
	}
	jitsiStressUp = policy.Param{
		Name: "stress_up", Kind: policy.Number, Unit: "fraction", Min: 0.1, Max: 1, Default: 0.8,
		Doc: "The load from which it asks for more, with metric = stress.",
	}
	jitsiStressDown = policy.Param{
		Name: "stress_down", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 1, Default: 0.3,
		Doc: "The load below which it asks for fewer, with metric = stress.",
	}
	jitsiUp = policy.Param{
		Name: "up_quantity", Kind: policy.Integer, Min: 1, Max: 50, Default: 1,
		Doc: "How many instances are added (scaleUpQuantity).",
	}
	jitsiDown = policy.Param{
		Name: "down_quantity", Kind: policy.Integer, Min: 1, Max: 50, Default: 1,
		Doc: "How many instances are taken (scaleDownQuantity).",
	}
	jitsiUpPeriods = policy.Param{
		Name: "up_periods", Kind: policy.Integer, Min: 1, Max: 15, Default: 2,
		Doc: "Minutes on end that ask for more (scaleUpPeriodsCount).",
	}
	jitsiDownPeriods = policy.Param{
		Name: "down_periods", Kind: policy.Integer, Min: 1, Max: 60, Default: 4,
		Doc: "Minutes on end that ask for fewer (scaleDownPeriodsCount).",
	}
	jitsiGrace = policy.Param{
		Name: "grace", Kind: policy.Duration, Min: 0, Max: float64(time.Hour), Default: float64(8 * time.Minute),
		Doc: "The pause after a change (gracePeriodTTLSec).",
	}

	ruleJitsi     = policy.NewRule("jitsi.plan", "%.0f slots are available, the stress is %.2f, %.0f instances desired", false)
	ruleJitsiZero = policy.NewRule("jitsi.zero", "there is no instance, so it does nothing; %.0f jobs wait", false)
)
