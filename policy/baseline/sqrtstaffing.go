package baseline

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
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
// large system. cv = 0 learns the spread: the squared relative error of past
// forecasts over the boot lag beyond what Poisson arrivals explain, with a time
// constant of a day.
//
// Deviations: the lag is a shift of time (the first-order formula of Eick,
// Massey and Whitt), taken over all kinds of jobs together. A forecast alone
// never repairs a backlog, so what the load asks for now is provided at least;
// backlog = "ignore" leaves it out and shows why that is wrong.
var SqrtStaffing = newSpec(build{
	name: "sqrt-staffing",
	doc:  "provides the offered load forecast over the boot lag plus a multiple of its standard deviation (Halfin-Whitt; Eick-Massey-Whitt)",
	params: []policy.Param{
		sqrtWait, sqrtCV, sqrtForecast, sqrtBacklog, parDemand, parWorkoff,
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
	sqrtBacklog = policy.Param{
		Name: "backlog", Kind: policy.Choice, Choices: []string{sqrtRepair, sqrtIgnore},
		Doc: "Whether the load now is provided where it exceeds the forecast.",
	}

	ruleSqrt = policy.NewRule("sqrt.target", "%.1f slots of load now, %.1f offered ahead, cv %.3f, have %.0f instances: wants %.0f", false)
)

// sqrtRecentWindow is the time constant of what arrives now.
const sqrtRecentWindow = 5 * time.Minute

// sqrtMemory is the time constant of the forecast's error.
const sqrtMemory = 24 * time.Hour

// sqrtState is the forecast of arriving work in slots, and its error.
type sqrtState struct {
	Profile profile `json:"profile"`
	Level   level   `json:"level"`
	// Recent is the arriving work of the last minutes, in slots, and Seen how
	// much of its weight has been seen.
	Recent float64 `json:"recent"`
	Seen   float64 `json:"seen"`
	Told   []told  `json:"told,omitempty"`
	// Excess is the decaying sum of squared relative errors beyond Poisson's,
	// and Weight the sum of their weights.
	Excess float64 `json:"excess"`
	Weight float64 `json:"weight"`
}

// staffing returns the slots for an offered load of r.
func staffing(r, beta, cv float64) float64 {
	spread := float64(cv * r)
	return r + float64(beta*math.Sqrt(r+float64(spread*spread)))
}

// score notes the arriving work of a tick, in slots, against what was forecast
// for it. Poisson arrivals explain variance of it.
func (q *sqrtState) score(now time.Time, offered, variance, ticks, memoryTicks float64) {
	keep := detmath.Exp(-ticks / memoryTicks)
	q.Excess, q.Weight = float64(q.Excess*keep), float64(q.Weight*keep)
	t, ok := due(&q.Told, now)
	if !ok || t.Forecast <= 0 {
		return
	}
	e := offered - t.Forecast
	q.Excess += (float64(e*e) - variance) / float64(t.Forecast*t.Forecast)
	q.Weight++
}

// cv returns the learned coefficient of variation.
func (q *sqrtState) cv() float64 {
	if q.Weight <= 0 || q.Excess <= 0 {
		return 0
	}
	return math.Sqrt(q.Excess / q.Weight)
}

// serviceMoments returns the mean seconds of a job on the type that is bought,
// and its squared coefficient of variation, over the jobs of all kinds that
// arrived in the last hour.
func serviceMoments(s *signals) (mean, scv float64) {
	jobs, first, second := 0.0, 0.0, 0.0
	for i := range s.kinds {
		k := &s.kinds[i]
		n := float64(k.Arrived[3].Jobs)
		m := float64(k.Service.Mean) / s.speed
		jobs += n
		first += float64(n * m)
		second += float64(float64(float64(n*m)*m) * (1 + k.Service.SCV))
	}
	if first <= 0 {
		return s.serviceS, 1
	}
	mean = first / jobs
	return mean, max(0, second/jobs/float64(mean*mean)-1)
}

func newSqrtStaffing(env *policy.Env, v policy.Values) (rule[sqrtState], error) {
	d, offset := newDemand(env, v), env.UTCOffset
	beta, cv := squareRootBeta(v.Number(&sqrtWait)), v.Number(&sqrtCV)
	seasonal, repair := v.Choice(&sqrtForecast) == sqrtSeasonal, v.Choice(&sqrtBacklog) == sqrtRepair
	return func(s *signals, q *sqrtState) verdict {
		ticks, tick := s.ticks(), max(s.tick, time.Second)
		elapsed := float64(ticks * tick.Seconds())
		offered := s.lastTick.work / s.speed / elapsed
		mean, scv := serviceMoments(s)
		variance := float64(offered*mean) * (1 + scv) / elapsed
		q.score(s.now, offered, variance, ticks, sqrtMemory.Seconds()/tick.Seconds())

		keep := detmath.Exp(-elapsed / sqrtRecentWindow.Seconds())
		q.Recent = float64(q.Recent*keep) + float64(offered*(1-keep))
		q.Seen = float64(q.Seen*keep) + (1 - keep)
		here, known := q.Profile.at(s.now.Add(-tick), offset)
		q.Level.note(offered, here, known, ticks, levelWindow.Seconds()/tick.Seconds())
		q.Profile.add(s.now, offset, offered, elapsed)

		lag := policy.Seconds(float64(mean*(1+scv)) / 2)
		at := s.now.Add(s.bootP50 - lag)
		r := q.Recent / q.Seen
		if ahead, ok := q.Profile.peak(at, offset, tick); ok && seasonal {
			r = float64(q.Level.factor(levelPrior) * ahead)
		}
		q.Told = append(q.Told, told{s.now.Add(s.bootP50 + tick), r, offered})

		spread := cv
		if spread == 0 {
			spread = q.cv()
		}
		load := d.slots(s)
		want := s.units(staffing(r, beta, spread))
		if repair {
			want = max(want, s.units(load))
		}
		return s.to(want, ruleSqrt.Because(load, r, spread, float64(s.desired), float64(want)))
	}, nil
}
