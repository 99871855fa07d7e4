package baseline

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// SqrtStaffing is the policy "sqrt-staffing": the load that would run in a
// fleet without end, forecast to when a launch helps, plus a multiple of its
// standard deviation.
//
// Sources: S. Halfin and W. Whitt, Operations Research 29(3), 1981 (the square
// root); S. Eick, W. Massey, W. Whitt, Management Science 39(2), 1993 (the load
// of Mt/G/∞ lags the arrivals by the stationary excess of a service time); A.
// Bassamboo, R. Randhawa, A. Zeevi, Management Science 56(10), 2010 (when the
// forecast's own spread is what to staff for). Formulas:
//
//	R = λ(t + boot lag − E[Se]) × E[S], E[Se] = E[S] (1 + SCV) ÷ 2
//	slots = R + β √(R + (cv × R)²)
//
// λ E[S] is the work that arrives, in slots: the mean by ten minutes of the week
// (of the day before a week has passed, of the last minutes before that), at
// its highest over one tick, scaled by how the last half hour compares with it,
// shrunk towards 1. β follows from p_wait, the share of jobs that wait in a
// large system. cv = 0 learns the spread: the squared error of past
// forecasts over the boot lag beyond what Poisson arrivals explain, over the
// squared forecast, with a time constant of a day.
//
// Jobs of classes with a target of patient or more are not forecast: their
// bursts would lift everything for half an hour. The slots they hold and ask
// for now are added as they are.
//
// Deviations: the lag is a shift of time (the first-order formula of Eick,
// Massey and Whitt), taken over all kinds of jobs together. A forecast alone
// never repairs a backlog, so what the load asks for now is provided at least;
// backlog = "ignore" leaves it out and shows why that is wrong.
var SqrtStaffing = newSpec(build{
	name: "sqrt-staffing",
	doc:  "provides the offered load forecast over the boot lag plus a multiple of its standard deviation (Halfin-Whitt; Eick-Massey-Whitt)",
	params: []policy.Param{
		sqrtWait, sqrtCV, sqrtForecast, sqrtPatient, sqrtBacklog, parDemand, parWorkoff,
	},
}, newSqrtStaffing)

const (
	sqrtSeasonal = "seasonal"
	sqrtRecent   = "recent"
	sqrtRepair   = "repair"
	sqrtIgnore   = "ignore"
)

var (
	sqrtWait = policy.Param{
		Name: "p_wait", Kind: policy.Number, Unit: "fraction", Min: 1e-6, Max: 0.9, Default: 0.05, Log: true,
		Doc: "The share of jobs that may find no free slot; it sets the multiple β of the standard deviation.",
	}
	sqrtCV = policy.Param{
		Name: "cv", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 2,
		Doc: "The coefficient of variation of the forecast's error; 0: learned.",
	}
	sqrtForecast = policy.Param{
		Name: "forecast", Kind: policy.Choice, Choices: []string{sqrtSeasonal, sqrtRecent},
		Doc: "What the arrivals are forecast from: the profile of day and week, or the last minutes alone.",
	}
	sqrtPatient = policy.Param{
		Name: "patient", Kind: policy.Duration, Min: float64(time.Second), Max: float64(24 * time.Hour), Default: float64(5 * time.Minute), Log: true,
		Doc: "Jobs whose class has a target of this or more are not forecast but served as they come.",
	}
	sqrtBacklog = policy.Param{
		Name: "backlog", Kind: policy.Choice, Choices: []string{sqrtRepair, sqrtIgnore},
		Doc: "Whether the load now is provided where it exceeds the forecast.",
	}

	ruleSqrt = policy.NewRule("sqrt.target", "%.1f slots of load now, %.1f offered ahead, cv %.3f, have %.0f instances: wants %.0f", false)
)

// staffing returns the slots for an offered load of r.
func staffing(r, beta, cv float64) float64 {
	spread := float64(cv * r)
	return r + float64(beta*math.Sqrt(r+float64(spread*spread)))
}

func newSqrtStaffing(env *policy.Env, v policy.Values) (rule[offered], error) {
	d, offset := newDemand(env, v), env.UTCOffset
	beta, cv := squareRootBeta(v.Number(&sqrtWait)), v.Number(&sqrtCV)
	patient := patience{v.Duration(&sqrtPatient), env.Classes}
	seasonal, repair := v.Choice(&sqrtForecast) == sqrtSeasonal, v.Choice(&sqrtBacklog) == sqrtRepair
	return func(s *signals, q *offered) verdict {
		mean, scv := patient.service(s)
		q.learn(s, offset, patient.arrived(s), mean, scv)
		r := q.forecast(s, offset, float64(mean*(1+scv))/2, seasonal)
		spread := cv
		if spread == 0 {
			spread = q.cv()
		}
		asItComes := 0.0
		for i := range s.kinds {
			if k := &s.kinds[i]; patient.has(k) {
				asItComes += float64(k.InFlight.Jobs) + d.backlog(k, s)
			}
		}
		load := d.slots(s)
		want := s.units(staffing(r, beta, spread) + asItComes)
		if repair {
			want = max(want, s.units(load))
		}
		return s.to(want, ruleSqrt.Because(load, r, spread, float64(s.desired), float64(want)))
	}, nil
}
