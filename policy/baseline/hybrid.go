package baseline

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

// Hybrid is the policy "hybrid", after Chameleon: a forecast raises the fleet
// while it can be trusted, the load always does, and only both together lower
// it.
//
// Source: A. Bauer, N. Herbst, S. Spinner, A. Ali-Eldin, S. Kounev, "Chameleon:
// a hybrid, proactive auto-scaling mechanism on a level-playing field", IEEE
// TPDS 30(4), 2019. Uncertain, for not checked against the paper's text, are its
// rules of conflict:
//
//   - up: the higher of the two, no further than the gap
//   - down: only after both lie below the fleet for some ticks
//   - the forecast is trusted while its mean absolute scaled error is at most
//     trust
//
// Deviations: Chameleon forecasts by tBATS or the like once a day; here the
// forecast is the mean by ten minutes of the week (of the day before a week has
// passed), at its highest from now to a boot lag and a tick ahead, scaled by
// how the load of late compares with it. The error is scaled by that of the
// naive forecast over the same lag: what is now will be then. Chameleon
// estimates the demand of a request by LibReDE; here it is the load.
var Hybrid = newSpec(build{
	name: "hybrid",
	doc:  "raises the fleet by forecast while it can be trusted and by the load always, lowers it when both agree (after Chameleon, Bauer et al. 2019)",
	params: []policy.Param{
		hybridTrust, hybridTrustWindow, hybridHeadroom, hybridAgree, hybridLevel, parDemand, parWorkoff,
	},
}, newHybrid)

var (
	hybridTrust = policy.Param{
		Name: "trust", Kind: policy.Number, Unit: "multiple", Min: 0, Max: 5, Default: 1,
		Doc: "The scaled error up to which the forecast is trusted; 1: no worse than expecting no change; 0: never.",
	}
	hybridTrustWindow = policy.Param{
		Name: "trust_window", Kind: policy.Duration, Min: float64(5 * time.Minute), Max: float64(24 * time.Hour), Default: float64(time.Hour), Log: true,
		Doc: "The time constant with which errors are forgotten.",
	}
	hybridHeadroom = policy.Param{
		Name: "headroom", Kind: policy.Number, Unit: "multiple", Min: 1, Max: 3, Default: 1.2,
		Doc: "The multiple of load and forecast that is provided.",
	}
	hybridAgree = policy.Param{
		Name: "agree", Kind: policy.Integer, Min: 1, Max: 120, Default: 5, Log: true,
		Doc: "For how many ticks load and forecast must both lie below the fleet before it falls.",
	}
	hybridLevel = switchParam("level", "Whether the forecast is scaled by how the load of late compares with it.")

	ruleHybrid = policy.NewRule("hybrid.target", "%.1f slots of load now, %.1f forecast (scaled error %.2f), have %.0f instances: wants %.0f", false)
)

// hybridState is the forecast, how far it can be trusted, and for how many
// ticks everything has pointed down.
type hybridState struct {
	seasonal
	// Told are forecasts that await the load they were for.
	Told []told `json:"told,omitempty"`
	// Wrong and Naive are the decaying sums of absolute errors of the forecast
	// and of expecting no change.
	Wrong float64 `json:"wrong"`
	Naive float64 `json:"naive"`
	Below int     `json:"below"`
}

// told is a forecast of the load at a time, and the load when it was made.
type told struct {
	For      time.Time `json:"for"`
	Forecast float64   `json:"forecast"`
	Load     float64   `json:"load"`
}

// due removes the forecasts that were for now or before and returns the last of
// them.
func due(all *[]told, now time.Time) (told, bool) {
	n := 0
	for n < len(*all) && !(*all)[n].For.After(now) {
		n++
	}
	if n == 0 {
		return told{}, false
	}
	last := (*all)[n-1]
	*all = lastOf(*all, len(*all)-n)
	return last, true
}

// score notes what the load now tells of the forecasts for now.
func (h *hybridState) score(s *signals, load float64, window time.Duration) {
	if s.sinceRun == forever || s.sinceRun <= 0 {
		return
	}
	elapsed := s.sinceRun.Seconds()
	keep := detmath.Exp(-elapsed / window.Seconds())
	h.Wrong, h.Naive = float64(h.Wrong*keep), float64(h.Naive*keep)
	if t, ok := due(&h.Told, s.now); ok {
		h.Wrong += math.Abs(load - t.Forecast)
		h.Naive += math.Abs(load - t.Load)
	}
}

// errorMost stands for a scaled error without bound.
const errorMost = 1e6

// scaledError returns the forecast's error over that of expecting no change;
// errorMost before anything was scored.
func (h *hybridState) scaledError() float64 {
	if h.Naive == 0 {
		return errorMost
	}
	return min(h.Wrong/h.Naive, errorMost)
}

// resolve returns the instances wanted of those that the load asks for, those
// the forecast does, and those there.
func (h *hybridState) resolve(reactive, proactive, have, agree int) int {
	want := max(reactive, proactive)
	if want >= have {
		h.Below = 0
		return want
	}
	if h.Below++; h.Below < agree {
		return have
	}
	return want
}

func newHybrid(env *policy.Env, v policy.Values) (rule[hybridState], error) {
	d, offset := newDemand(env, v), env.UTCOffset
	trust, window, headroom := v.Number(&hybridTrust), v.Duration(&hybridTrustWindow), v.Number(&hybridHeadroom)
	agree, scaled := int(v.Number(&hybridAgree)), isOn(v, &hybridLevel)
	return func(s *signals, h *hybridState) verdict {
		load := d.slots(s)
		ahead := s.bootP50 + s.tick
		h.score(s, load, window)
		h.learn(s, offset, load)
		forecast, can := h.Profile.peak(s.now, offset, ahead)
		then, _ := h.Profile.at(s.now.Add(ahead), offset)
		if scaled {
			factor := h.Level.factor()
			forecast, then = float64(factor*forecast), float64(factor*then)
		}

		wrong := h.scaledError()
		reactive, proactive := s.units(float64(headroom*load)), 0
		if can {
			h.Told = append(h.Told, told{s.now.Add(ahead), then, load})
			if wrong <= trust {
				proactive = s.units(float64(headroom * forecast))
			}
		}
		want := h.resolve(reactive, proactive, s.desired, agree)
		return s.to(want, ruleHybrid.Because(load, forecast, wrong, float64(s.desired), float64(want)))
	}, nil
}
