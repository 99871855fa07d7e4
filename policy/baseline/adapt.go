package baseline

import (
	"math"

	"github.com/skynet-ec2/skynet/policy"
)

// Adapt is the policy "adapt", also AKTE: estimate at which rate capacity has
// to change, and let that rate add up to whole instances.
//
// Source: A. Ali-Eldin, J. Tordsson, E. Elmroth, "An adaptive hybrid elasticity
// controller for cloud infrastructures", NOMS 2012, after the author's public code
// and the opendc prototype, which differ; not checked against the paper's text:
//
//	rate     = mean fleet × (need − fleet) ÷ overall mean fleet, instances per tick
//	           a fall is divided by slowdown: 4 in the author's code, 15 in opendc
//	interval = ceil(interval × fleet ÷ mean fleet) ticks until the next estimate
//	part    += rate; its whole instances are added or taken
//	short    : at once to surge × need (author, 1.1) or need + spare (opendc, 2)
//
// The fleet falls to the need plus spare and never below.
//
// The interval is a twentieth of the fleet over its mean in the author's code, a
// hundredth in the prototype. Both are one tick for any fleet that does not grow
// twentyfold, so the default here is the prototype's.
//
// Pitfall: the prototype hands the change to an actuator that expects a
// target, so a fleet that has to grow by 2 is cut to 2. deltas = "on"
// reproduces it.
var Adapt = newSpec(build{
	name: "adapt",
	doc:  "lets an estimated rate of change add up to whole instances, and jumps when the fleet is short (Ali-Eldin et al. 2012)",
	params: []policy.Param{
		adaptSlowdown, adaptSurge, adaptSpare, adaptInterval, adaptDeltas, parDemand, parWorkoff,
	},
}, newAdapt)

var (
	adaptSlowdown = policy.Param{
		Name: "slowdown", Kind: policy.Number, Unit: "multiple", Min: 1, Max: 60, Default: 4, Log: true,
		Doc: "How many times slower a falling load is followed than a rising one.",
	}
	adaptSurge = policy.Param{
		Name: "surge", Kind: policy.Number, Unit: "multiple", Min: 1, Max: 3, Default: 1.1,
		Doc: "The multiple of the load's instances that a fleet which is short jumps to.",
	}
	adaptSpare = policy.Param{
		Name: "spare", Kind: policy.Integer, Min: 0, Max: 20,
		Doc: "Instances beyond the load that it jumps to and does not fall below; opendc has 2.",
	}
	adaptInterval = policy.Param{
		Name: "interval", Kind: policy.Number, Unit: "ticks", Min: 0.01, Max: 60, Default: 0.01, Log: true,
		Doc: "Ticks between two estimates for a fleet of its mean size, rounded up.",
	}
	adaptDeltas = policy.Param{
		Name: "deltas", Kind: policy.Choice, Choices: []string{"off", "on"}, Fixed: true,
		Doc: "Whether a change is mistaken for a target, as in the opendc code.",
	}

	ruleAdapt = policy.NewRule("adapt.target", "%.1f slots of load need %.0f instances, have %.0f, changing by %.2f a tick: wants %.0f", false)
)

func newAdapt(env *policy.Env, v policy.Values) (rule[adaptState], error) {
	d := newDemand(env, v)
	r := adaptRule{
		slowdown: v.Number(&adaptSlowdown), surge: v.Number(&adaptSurge), spare: int(v.Number(&adaptSpare)),
		interval: v.Number(&adaptInterval), deltas: isOn(v, &adaptDeltas),
	}
	return func(s *signals, a *adaptState) verdict {
		load := d.slots(s)
		need := s.units(load)
		want := a.target(&r, need, s.desired, s.ticks())
		return s.to(want, ruleAdapt.Because(load, float64(need), float64(s.desired), a.Rate, float64(want)))
	}, nil
}

// adaptState is the controller's estimate of how fast capacity has to change.
// Times are in ticks.
type adaptState struct {
	// Age and Alive: how long it has watched, and the sum of the fleet's size
	// over that time.
	Age   float64 `json:"age"`
	Alive float64 `json:"alive"`
	// Window: the time since the current averaging window began, and the sum of
	// the fleet's size over it; Mean is the average over the last whole window.
	Window    float64 `json:"window"`
	WindowSum float64 `json:"window_sum"`
	Mean      float64 `json:"mean"`
	// Since the last estimate, and the time until the next.
	Since    float64 `json:"since"`
	Interval float64 `json:"interval"`
	// Rate of change wanted, instances per tick, and the part of an instance
	// that it has added up to.
	Rate float64 `json:"rate"`
	Part float64 `json:"part"`
}

// adaptRule is what may be chosen about Adapt.
type adaptRule struct {
	slowdown float64 // a fall of the load is followed so many times slower
	surge    float64 // of the need, at once, when the fleet is short
	spare    int     // instances on top of the need, when short and before any leaves
	interval float64 // of the fleet over its average: the time between estimates
	deltas   bool    // a change is mistaken for a target, as in the opendc code
}

// target returns the instances wanted, ready and booting, when need are needed
// and have are there, so many ticks after the last call.
func (a *adaptState) target(r *adaptRule, need, have int, ticks float64) int {
	if ticks <= 0 {
		ticks = 1
	}
	size := float64(have)
	a.Age += ticks
	a.Alive += float64(size * ticks)
	a.Window += ticks
	a.WindowSum += float64(size * ticks)
	a.Since += ticks
	if a.Mean == 0 || a.Window >= math.Ceil(a.Interval) {
		a.Mean = a.WindowSum / a.Window
		a.Window, a.WindowSum = 0, 0
	}
	if a.Since >= a.Interval {
		// the time-average of the fleet over its overall average is the
		// controller's gain; the load it lacks is what it has to change by
		if overall := a.Alive / a.Age; overall > 0 {
			a.Rate = float64(a.Mean*float64(need-have)) / overall
		} else {
			a.Rate = float64(need - have)
		}
		if a.Rate < 0 {
			a.Rate /= r.slowdown
		}
		a.Since = 0
		a.Interval = 1
		if a.Mean > 0 {
			a.Interval = max(1, math.Ceil(float64(r.interval*size)/a.Mean))
		}
	}
	a.Part += float64(a.Rate * ticks)
	whole := math.Trunc(a.Part)
	a.Part -= whole
	step := int(min(max(whole, -1e6), 1e6))

	if step < 0 {
		step = max(step, min(0, need+r.spare-have)) // the fleet never falls below what runs
	}
	if need > have {
		enough := int(math.Ceil(float64(r.surge*float64(need)))) + r.spare
		step = max(step, enough-have)
	}
	if r.deltas {
		return max(step, 0)
	}
	return max(have+step, 0)
}
