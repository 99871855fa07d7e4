package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// ARC is the policy "arc": GitHub's actions-runner-controller at 2ee6b3b, a
// runner being a slot.
//
//	scale set:       target = min(min_runners + assigned jobs, max)
//	percentage-busy: busy ÷ desired >= up_from: × up_factor, rounded up;
//	                 < down_from: × down_factor, rounded down, not within
//	                 down_delay of a rise
//
// min_runners are added to the jobs, a constant number of idle ones. Both are
// absolute or count what was asked for: what boots is not asked for again. Kept:
// a listener that is stuck goes on with the statistic it had (#4397, unreadable =
// "last"; "hold" repairs it).
//
// Deviations: a runner serves one job and ends, and its node below it follows;
// here an instance serves on while it is wanted and goes when it is empty.
// Capacity reserved by webhooks and scheduled overrides are not modelled.
var ARC = newSpec(build{
	name: "arc",
	doc:  "one runner for each assigned job and a constant number of idle ones (GitHub actions-runner-controller)",
	params: []policy.Param{
		arcMode, parRoom, arcRunners, arcUpFrom, arcUpFactor, arcDownFrom, arcDownFactor, arcDownDelay,
	},
	every:      time.Minute,
	unreadable: unreadLast,
}, func(_ *policy.Env, v policy.Values) (rule[struct{}], error) {
	perSlot := v.Number(&parRoom)
	runners, set := v.Number(&arcRunners), v.Choice(&arcMode) == "scale-set"
	upFrom, up := v.Number(&arcUpFrom), v.Number(&arcUpFactor)
	downFrom, down, delay := v.Number(&arcDownFrom), v.Number(&arcDownFactor), v.Duration(&arcDownDelay)
	return func(s *signals, _ *struct{}) verdict {
		jobs := s.pending + s.running
		if set {
			want := s.units((runners + jobs) / perSlot)
			return s.to(want, ruleARC.Because(jobs, runners, float64(want), float64(s.desired)))
		}
		busy := float64(min(s.busySlots, s.desiredSlots))
		want := arcBusy(busy, s.desiredSlots, upFrom, up, downFrom, down)
		if want < s.desiredSlots && s.sinceUp < delay {
			want = s.desiredSlots
		}
		want = max(want, ceil(runners))
		return s.toSlots(want, ruleARCBusy.Because(busy, float64(s.desiredSlots), float64(want)))
	}, nil
})

var (
	arcMode = policy.Param{
		Name: "mode", Kind: policy.Choice, Choices: []string{"scale-set", "percentage-busy"},
		Doc: "Whether it counts jobs, as runner scale sets do, or busy runners, as the older HorizontalRunnerAutoscaler.",
	}
	arcRunners = policy.Param{
		Name: "min_runners", Kind: policy.Integer, Min: 0, Max: 400, Default: 1,
		Doc: "Idle runners added to the jobs (minRunners); with mode = percentage-busy, the fewest.",
	}
	arcUpFrom = policy.Param{
		Name: "up_from", Kind: policy.Number, Unit: "fraction", Min: 0.05, Max: 1, Default: 0.8,
		Doc: "The share of busy runners from which more are made (scaleUpThreshold).",
	}
	arcUpFactor = policy.Param{
		Name: "up_factor", Kind: policy.Number, Unit: "multiple", Min: 1, Max: 4, Default: 1.3,
		Doc: "By how much they are multiplied then (scaleUpFactor).",
	}
	arcDownFrom = policy.Param{
		Name: "down_from", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 1, Default: 0.3,
		Doc: "The share of busy runners below which there are fewer (scaleDownThreshold).",
	}
	arcDownFactor = policy.Param{
		Name: "down_factor", Kind: policy.Number, Unit: "multiple", Min: 0, Max: 1, Default: 0.7,
		Doc: "By how much they are multiplied then (scaleDownFactor).",
	}
	arcDownDelay = policy.Param{
		Name: "down_delay", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(10 * time.Minute),
		Doc: "How long after a rise there are no fewer (scaleDownDelaySecondsAfterScaleOut).",
	}

	ruleARC     = policy.NewRule("arc.plan", "%.0f jobs and %.0f idle runners need %.0f instances, %.0f desired", false)
	ruleARCBusy = policy.NewRule("arc.busy", "%.0f of %.0f runners are busy: %.0f wanted", false)
)

// arcBusy returns the runners that a share of busy ones makes of those desired.
// It counts runners and not instances, which hold many: a rise or fall that is
// less than an instance would be rounded away at each step.
func arcBusy(busy float64, desired int, upFrom, up, downFrom, down float64) int {
	if desired == 0 {
		return 0
	}
	switch share := busy / float64(desired); {
	case share >= upFrom:
		return ceil(float64(desired) * up)
	case share < downFrom:
		return floor(float64(desired) * down)
	}
	return desired
}
