package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// ASGStep is the policy "asg-step": EC2 Auto Scaling's step scaling on the
// instances' load, with two steps up and two down of a percentage each
// (PercentChangeInCapacity).
//
// A step holds from its bound, the lower one included above the threshold and
// the upper one below it. Percentages round away from nothing: above 1 down,
// within (0, 1) to 1, mirrored below. Instances that warm up count as added
// already, so a breach that goes on gives one change, and a higher step adds the
// difference only. The load counts warm instances alone. Without a metric it does
// nothing: a group at zero never starts (from_zero = "starts" repairs it).
//
// Documented, except for the periods of the alarms, which a user chooses: those
// of target tracking. The load ends at 1 however long the queue, and so does the
// step: a flash crowd is followed one step each warmup.
var ASGStep = newSpec(build{
	name: "asg-step",
	doc:  "adds or takes a percentage of the group for each step that the load is beyond its thresholds (EC2 Auto Scaling, step scaling)",
	params: []policy.Param{
		stepUpFrom, stepUpShare, stepUpMoreFrom, stepUpMoreShare,
		stepDownFrom, stepDownShare, stepDownMoreFrom, stepDownMoreShare, stepLeast,
		asgWarmup, asgOutPeriods, asgInPeriods, asgFromZero,
	},
	every: time.Minute,
	min:   1,
	keeps: true,
}, func(_ *policy.Env, v policy.Values) (rule[asgAlarm], error) {
	a := adjustments{
		up: [2]adjustment{
			{v.Number(&stepUpFrom), v.Number(&stepUpShare)},
			{v.Number(&stepUpMoreFrom), v.Number(&stepUpMoreShare)},
		},
		down: [2]adjustment{
			{v.Number(&stepDownFrom), v.Number(&stepDownShare)},
			{v.Number(&stepDownMoreFrom), v.Number(&stepDownMoreShare)},
		},
		least: int(v.Number(&stepLeast)),
	}
	warmup := v.Duration(&asgWarmup)
	periods := asgPeriods{int(v.Number(&asgOutPeriods)), int(v.Number(&asgInPeriods))}
	starts := v.Choice(&asgFromZero) == fromZeroStarts
	return func(s *signals, alarm *asgAlarm) verdict {
		g := asgSurvey(s, warmup)
		if g.warm == 0 {
			*alarm = asgAlarm{}
			return asgStart(s, starts)
		}
		load := float64(g.busy) / float64(g.warmSlots)
		out, in := alarm.update(s, load >= a.up[0].from, load <= a.down[0].from, periods)
		want := a.apply(g.warm, load)
		reason := ruleStep.Because(load, float64(g.warm), float64(want), float64(s.desired))
		if out && want > s.desired || in && !g.warming && want < s.desired {
			return s.to(want, reason)
		}
		return hold(reason)
	}, nil
})

var (
	stepUpFrom        = stepParam("up_from", 0.6, "The load from which the first step up holds.")
	stepUpShare       = stepParam("up_share", 0.1, "The share of the group that the first step up adds.")
	stepUpMoreFrom    = stepParam("up_more_from", 0.8, "The load from which the second step up holds.")
	stepUpMoreShare   = stepParam("up_more_share", 0.3, "The share of the group that the second step up adds.")
	stepDownFrom      = stepParam("down_from", 0.4, "The load down to which the first step down holds.")
	stepDownShare     = stepParam("down_share", 0.1, "The share of the group that the first step down takes.")
	stepDownMoreFrom  = stepParam("down_more_from", 0.3, "The load down to which the second step down holds.")
	stepDownMoreShare = stepParam("down_more_share", 0.3, "The share of the group that the second step down takes.")
	stepLeast         = policy.Param{
		Name: "min_adjustment", Kind: policy.Integer, Min: 1, Max: 20, Default: 1, Fixed: true,
		Doc: "The fewest instances a step adds or takes (MinAdjustmentMagnitude).",
	}

	ruleStep = policy.NewRule("asg-step.plan", "load %.2f of %.0f warm instances: %.0f wanted, %.0f desired", false)
)

// stepParam declares a share or a bound of a step.
func stepParam(name string, value float64, doc string) policy.Param {
	p := policy.Param{Name: name, Kind: policy.Number, Unit: "fraction", Min: 0, Max: 1, Default: value, Doc: doc}
	if len(name) > 5 && name[len(name)-5:] == "share" {
		p.Max = 2
	}
	return p
}

// adjustment is a share of the group, from a load on.
type adjustment struct{ from, share float64 }

// adjustments are the steps, the nearer first.
type adjustments struct {
	up, down [2]adjustment
	least    int
}

// apply returns the size that the step of a load makes of a group.
func (a *adjustments) apply(group int, load float64) int {
	switch {
	case load >= a.up[1].from:
		return group + a.change(group, a.up[1].share)
	case load >= a.up[0].from:
		return group + a.change(group, a.up[0].share)
	case load <= a.down[1].from:
		return group - a.change(group, a.down[1].share)
	case load <= a.down[0].from:
		return group - a.change(group, a.down[0].share)
	}
	return group
}

// change returns a share of the group in instances; of nothing, none.
func (a *adjustments) change(group int, share float64) int {
	n := float64(group) * share
	switch {
	case n <= 0:
		return 0
	case n < 1:
		n = 1
	}
	return max(floor(n+1e-9), a.least) // 0.29 of 100 is a hair below 29
}
