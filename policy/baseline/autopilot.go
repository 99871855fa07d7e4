package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

// Autopilot is the policy "autopilot": provide a percentile of a decaying
// histogram of the load, plus a margin, and defer every fall.
//
// Source: K. Rzadca et al., "Autopilot: workload autoscaling at Google",
// EuroSys 2020 (slack of 23 % against 46 % by hand). Uncertain, for not checked
// against the paper's text: samples weigh 2^(-age ÷ half_life) with 12 h for
// CPU, the limit is a percentile (95 or 98) or the peak plus a margin, and the
// highest recommendation of the last hour stands. The histogram has buckets that
// grow by 5 %, as in the vertical pod autoscaler that publishes the method.
//
// Deviations: horizontally Autopilot takes a statistic of 72 h over a target
// utilisation; the margin stands for that here. It limits containers whose work
// does not queue. Ours does, so the load now counts beside the histogram;
// reactive = "off" leaves it out, and then a rise that outlasts no half-life
// never arrives. Autopilot's choice among many such models by replayed cost is
// what tune does.
var Autopilot = newSpec(build{
	name:   "autopilot",
	doc:    "provides a percentile of a decaying histogram of the load, with a margin, and defers falls (Autopilot, Rzadca et al. 2020)",
	params: []policy.Param{autoHalfLife, autoPercentile, autoMargin, autoDefer, autoReactive, parDemand, parWorkoff},
}, newAutopilot)

var (
	autoHalfLife = policy.Param{
		Name: "half_life", Kind: policy.Duration, Min: float64(10 * time.Minute), Max: float64(7 * 24 * time.Hour), Default: float64(12 * time.Hour), Log: true,
		Doc: "The time after which a sample weighs half.",
	}
	autoPercentile = policy.Param{
		Name: "percentile", Kind: policy.Number, Unit: "fraction", Min: 0.5, Max: 1, Default: 0.95,
		Doc: "The percentile of the load that is provided; 1: its peak.",
	}
	autoMargin = policy.Param{
		Name: "margin", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 1, Default: 0.1,
		Doc: "What is provided on top, as a fraction of it.",
	}
	autoDefer = policy.Param{
		Name: "defer", Kind: policy.Duration, Min: 0, Max: float64(12 * time.Hour), Default: float64(time.Hour),
		Doc: "The time over which the highest recommendation stands.",
	}
	autoReactive = switchParam("reactive", "Whether the load now counts beside the histogram.")

	ruleAutopilot = policy.NewRule("autopilot.target", "%.1f slots of load now, %.1f at the percentile, have %.0f instances: wants %.0f", false)
)

// autopilotState is the histogram and the recommendations that still stand.
type autopilotState struct {
	// Weights of no load, and of loads up to 1, 1.05, 1.05² … slots.
	Weights  []float64 `json:"weights,omitempty"`
	Trailing trailing  `json:"trailing"`
}

const (
	bucketGrowth = 1.05
	// forgotten is the weight, of a sample's 1, at which it is none: after 30
	// half-lives, at percentile 1 too.
	forgotten = 1e-9
)

// learn notes the load after so many half-lives.
func (a *autopilotState) learn(load, halfLives float64) {
	keep := detmath.Exp(float64(-0.6931471805599453 * halfLives))
	for i := range a.Weights {
		if a.Weights[i] = float64(a.Weights[i] * keep); a.Weights[i] < forgotten {
			a.Weights[i] = 0
		}
	}
	i := 0
	for edge := 0.0; edge < load && i < 400; i++ { // 1.05^400 is 3e8
		edge = nextEdge(edge)
	}
	for len(a.Weights) <= i {
		a.Weights = append(a.Weights, 0)
	}
	a.Weights[i]++
}

// percentile returns the upper edge of the bucket that holds the fraction p of
// the weight.
func (a *autopilotState) percentile(p float64) float64 {
	total := 0.0
	for _, w := range a.Weights {
		total += w
	}
	edge, sum := 0.0, 0.0
	for _, w := range a.Weights {
		if sum += w; w > 0 && sum >= float64(p*total)-float64(1e-12*total) {
			break
		}
		edge = nextEdge(edge)
	}
	return edge
}

// nextEdge returns the upper edge of the bucket after the one that ends at edge.
func nextEdge(edge float64) float64 { return max(1, float64(edge*bucketGrowth)) }

func newAutopilot(env *policy.Env, v policy.Values) (rule[autopilotState], error) {
	d, halfLife := newDemand(env, v), v.Duration(&autoHalfLife).Seconds()
	percentile, margin, over := v.Number(&autoPercentile), v.Number(&autoMargin), v.Duration(&autoDefer)
	reactive := isOn(v, &autoReactive)
	return func(s *signals, a *autopilotState) verdict {
		load := d.slots(s)
		a.learn(load, float64(s.ticks()*s.tick.Seconds())/halfLife)
		typical := a.percentile(percentile)
		provide := float64(typical * (1 + margin))
		if reactive {
			provide = max(provide, load)
		}
		want := a.Trailing.highest(s.now, over, s.units(provide))
		return s.to(want, ruleAutopilot.Because(load, typical, float64(s.desired), float64(want)))
	}, nil
}
