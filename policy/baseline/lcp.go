package baseline

import (
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
// Deviations: the papers know neither a boot lag between the decision and the
// capacity nor paid hours; the actuator deals with both. LCP with a window of
// forecasts is not offered: hybrid and sqrt-staffing are the forecasters here.
var LCP = newSpec(build{
	name:   "lcp",
	doc:    "moves only when the optimum of the past, charged for switching on or off, forces it (lazy capacity provisioning, Lin et al. 2011)",
	params: []policy.Param{lcpKind, lcpDelayCost, lcpSwitch, parDemand, parWorkoff},
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

	ruleLCP = policy.NewRule("lcp.target", "%.1f slots of load, have %.0f instances: wants %.0f", false)
)

func newLCP(env *policy.Env, v policy.Values) (rule[lazy], error) {
	d, hard, delay, switching := newDemand(env, v), v.Choice(&lcpKind) == lcpHard, v.Number(&lcpDelayCost), v.Duration(&lcpSwitch)
	var slopes []float64
	return func(s *signals, l *lazy) verdict {
		load := d.slots(s)
		if hard {
			slopes = hardSlopes(slopes, s.units(load))
		} else {
			slopes = softSlopes(slopes, load, s.slots, delay)
		}
		l.Kept = s.desired
		want := l.step(slopes, s.orBoot(switching).Seconds()/max(s.tick, time.Second).Seconds())
		return s.to(want, ruleLCP.Because(load, float64(s.desired), float64(want)))
	}, nil
}
