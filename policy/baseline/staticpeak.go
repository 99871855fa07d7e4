package baseline

import (
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// StaticPeak and StaticMedian are the policies "static-peak" and "static-p50": a
// fixed fleet of the size that the demand of the whole run asks for, at its 99th
// percentile or its median. They are the two ends of what a fleet that does not
// scale can be, as autoscaling papers compare with.
//
//	demand = the work that arrives in a tick ÷ what a slot does in it
//	fleet  = ceil(the quantile of the demand of all ticks × headroom ÷ slots)
//
// Nobody knows that demand before the run is over: they are told at the first tick,
// for which a simulation holds the whole trace in memory. They cannot exist: no
// controller runs them. What a fleet can have is static, with a number.
//
// Known: the demand of a tick is spread over it, so what comes in a burst waits,
// and promises of a few seconds are broken even at the peak (headroom repairs
// it); the median serves half of all ticks and lets the rest pile up until night.
var (
	StaticPeak = staticSpec("static-peak", 0.99,
		"a fixed fleet for the 99th percentile of the run's demand, told before it begins: no fleet can have it")
	StaticMedian = staticSpec("static-p50", 0.5,
		"a fixed fleet for the median of the run's demand, told before it begins: no fleet can have it")
)

var (
	staticHeadroom = policy.Param{
		Name: "headroom", Kind: policy.Number, Unit: "multiple", Min: 0.1, Max: 10, Default: 1, Log: true,
		Doc: "The multiple of that demand that is provided.",
	}

	ruleStaticOf = policy.NewRule("static-peak.plan", "the demand of all ticks asks for %.1f slots: wants %.0f instances, %.0f desired", false)
)

// staticOf is the size that the fleet keeps.
type staticOf struct {
	Sized bool    `json:"sized"`
	Slots float64 `json:"slots"`
}

func staticSpec(name string, quantile float64, doc string) policy.Spec {
	of := policy.Param{
		Name: "quantile", Kind: policy.Number, Unit: "fraction", Min: 0.01, Max: 1, Default: quantile, Fixed: true,
		Doc: "The quantile of the demand of all ticks that the fleet is for.",
	}
	return newClairvoyant(build{name: name, doc: doc, params: []policy.Param{of, staticHeadroom}},
		func(env *policy.Env, v policy.Values) (rule[staticOf], foresight[staticOf]) {
			q, headroom, tick := v.Number(&of), v.Number(&staticHeadroom), env.Tick
			return func(s *signals, m *staticOf) verdict {
					if !m.Sized && len(s.ahead) == 0 {
						return hold(ruleMPCBlind.Because())
					}
					if !m.Sized {
						m.Sized, m.Slots = true, quantileOf(demands(s), q)
					}
					want := s.units(float64(m.Slots * headroom))
					return s.to(want, ruleStaticOf.Because(m.Slots, float64(want), float64(s.desired)))
				}, func(m *staticOf) (ahead, span time.Duration) {
					if m.Sized {
						return 0, 0
					}
					return forever, tick
				}
		})
}

// demands returns the slots that what is told to arrive asks for, span by span.
func demands(s *signals) []float64 {
	all, before := make([]float64, len(s.ahead)), time.Duration(0)
	for k := range s.ahead {
		for _, f := range s.ahead[k].Arrivals {
			all[k] += float64(f.Work)
		}
		all[k] /= float64(max(s.ahead[k].Until-before, time.Nanosecond).Seconds() * s.speed)
		before = s.ahead[k].Until
	}
	return all
}

// quantileOf returns the value that the share q of the values does not exceed, by
// the nearest rank; 0 of none. It sorts them.
func quantileOf(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(max(int(math.Ceil(float64(q*float64(len(values)))))-1, 0), len(values)-1)]
}
