package baseline

import (
	"errors"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// LCP is the policy "lcp", Lazy Capacity Provisioning: follow two bounds, what
// would have been best so far if switching on cost and if switching off did,
// and move only when one of them forces it.
//
// Source: M. Lin, A. Wierman, L. Andrew, E. Thereska, "Dynamic right-sizing for
// power-proportional data centers", INFOCOM 2011 (3-competitive, proved there;
// for whole servers too by S. Albers and J. Quedenfeld, 2018). Not
// checked against the papers' texts.
//
// The cost of x instances in a tick is their price plus delay_cost for each job
// that waits on average in M/M/(slots × x) at the load of now (Erlang's C). An
// instance switched on costs its price for switch, by default the boot lag.
// demand_kind = "hard" puts the load's instances in place of the delay cost;
// then LCP is delayedoff with t_wait = switch.
//
// window is LCP(w): the bounds are the optima of the past and of the ticks
// foreseen. The load foreseen is the mean by ten minutes of the week (of the day
// before a week has passed), scaled by how the load of late compares with it,
// and before that the load now.
//
// Deviations: the papers know neither a boot lag between the decision and the
// capacity nor paid hours; the actuator deals with both. What their window
// foresees is true.
var LCP = newSpec(build{
	name:   "lcp",
	doc:    "moves only when the optimum of the past, charged for switching on or off, forces it (lazy capacity provisioning, Lin et al. 2011)",
	params: []policy.Param{lcpKind, lcpDelayCost, lcpSwitch, lcpWindow, parDemand, parWorkoff},
}, newLCP)

const (
	lcpSoft = "soft"
	lcpHard = "hard"
)

var (
	lcpKind = policy.Param{
		Name: "demand_kind", Kind: policy.Choice, Choices: []string{lcpSoft, lcpHard},
		Doc: "What fewer instances cost: the delay of jobs, or more than anything below the load.",
	}
	lcpDelayCost = policy.Param{
		Name: "delay_cost", Kind: policy.Number, Unit: "instances", Min: 0.01, Max: 10_000, Default: 1, Log: true,
		Doc: "What a waiting job costs, in instances that could be had for it all the while.",
	}
	lcpSwitch = policy.Param{
		Name: "switch", Kind: policy.Duration, Min: 0, Max: float64(4 * time.Hour),
		Doc: "What switching an instance on costs, as time of its price; 0: the learned boot lag.",
	}
	lcpWindow = policy.Param{
		Name: "window", Kind: policy.Duration, Min: 0, Max: float64(30 * time.Minute),
		Doc: "How far ahead the load is foreseen; 0: not at all, as in plain LCP.",
	}

	ruleLCP = policy.NewRule("lcp.target", "%.1f slots of load, have %.0f instances: wants %.0f", false)
)

// lcpState is the bounds, and what the load ahead is foreseen from.
type lcpState struct {
	Lazy lazy `json:"lazy"`
	seasonal
}

func newLCP(env *policy.Env, v policy.Values) (rule[lcpState], error) {
	d, offset, hard := newDemand(env, v), env.UTCOffset, v.Choice(&lcpKind) == lcpHard
	delay, switching, window := v.Number(&lcpDelayCost), v.Duration(&lcpSwitch), v.Duration(&lcpWindow)
	slopes := func(into []float64, s *signals, load float64) []float64 {
		if hard {
			return hardSlopes(into, s.units(load))
		}
		return softSlopes(into, load, s.slots, delay)
	}
	var now []float64
	var ahead [][]float64
	return func(s *signals, l *lcpState) verdict {
		load, tick := d.slots(s), max(s.tick, time.Second)
		now = slopes(now, s, load)
		foreseen := 0
		if window > 0 {
			l.learn(s, offset, load)
			for at := tick; at <= window; at += tick {
				if foreseen == len(ahead) {
					ahead = append(ahead, nil)
				}
				then, known := l.forecast(s.now.Add(at), offset)
				if !known {
					then = load
				}
				ahead[foreseen] = slopes(ahead[foreseen], s, then)
				foreseen++
			}
		}
		l.Lazy.Kept = s.desired
		want := l.Lazy.step(now, ahead[:foreseen], s.orBoot(switching).Seconds()/tick.Seconds())
		return s.to(want, ruleLCP.Because(load, float64(s.desired), float64(want)))
	}, nil
}

func (l *lcpState) check() error { return errors.Join(l.Lazy.check(), l.seasonal.check()) }
