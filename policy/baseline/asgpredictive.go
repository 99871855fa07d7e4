package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// ASGPredictive is the policy "asg-predictive": EC2 Auto Scaling's predictive
// scaling over a target tracking policy, with a seasonal-naive forecast in the
// place of AWS's model, which is not published.
//
//	forecast of an hour = the mean (or the highest) load of the same hour one and
//	                      two weeks ago; before a week was seen, of the same hour
//	                      of the days seen; before 24 hours were, none
//	floor               = ceil(forecast ÷ (target_load × slots)), from buffer before
//	                      its hour until its end
//	desired             = max(what target tracking wants, floor)
//
// It only ever raises: scaling in is left to target tracking. Load is the jobs
// that run, as CPU use is of what runs: hours that were short of capacity teach
// too little. The floor honours max (HonorMaxCapacity).
//
// Deviations: AWS refits every 6 hours on up to 14 days and forecasts 48; the
// same hour of earlier weeks is known long before, so refitting changes nothing
// here.
var ASGPredictive = newSpec(build{
	name: "asg-predictive",
	doc:  "target tracking over a floor from the same hour of earlier weeks: seasonal-naive, for AWS's model is not published (EC2 Auto Scaling, predictive)",
	params: append([]policy.Param{predictiveMetric, predictiveOf, predictiveBuffer},
		trackingParams[1:]...),
	every: time.Minute,
	min:   1,
	keeps: true,
}, func(_ *policy.Env, v policy.Values) (rule[predictiveMemory], error) {
	t := newTracking(v, v.Choice(&predictiveMetric))
	highest, buffer := v.Choice(&predictiveOf) == "max", v.Duration(&predictiveBuffer)
	return func(s *signals, m *predictiveMemory) verdict {
		m.learn(s.now, s.running)
		forecast := max(m.forecast(s.now, highest), m.forecast(s.now.Add(buffer), highest))
		floor := ceil(forecast / float64(t.load*float64(s.slots)))
		tracked := t.decide(s, &m.Alarm)
		want := s.desired
		if tracked.kind != holds {
			want = tracked.slots / s.slots
		}
		if want >= floor {
			return tracked
		}
		return s.to(floor, rulePredictive.Because(forecast, float64(floor), float64(want)))
	}, nil
})

var (
	predictiveMetric = policy.Param{
		Name: "metric", Kind: policy.Choice, Choices: []string{"load", "backlog", "backlog+running"},
		Doc: "What target tracking keeps at its target.",
	}
	predictiveOf = policy.Param{
		Name: "forecast", Kind: policy.Choice, Choices: []string{"mean", "max"},
		Doc: "Whether the forecast is the mean or the highest of the earlier weeks.",
	}
	predictiveBuffer = policy.Param{
		Name: "buffer", Kind: policy.Duration, Min: 0, Max: float64(59 * time.Minute), Default: float64(5 * time.Minute),
		Doc: "How long before its hour a forecast counts (SchedulingBufferTime).",
	}

	rulePredictive = policy.NewRule("asg-predictive.floor", "%.1f slots forecast for this hour or the next: at least %.0f instances, target tracking wants %.0f", false)
)

// predictiveMemory is the mean load by hour, of the last 14 days.
type predictiveMemory struct {
	Alarm asgAlarm `json:"alarm"`
	// First is the hour of Loads[0], counted from 1970.
	First int64     `json:"first"`
	Loads []float64 `json:"loads,omitempty"`
	// Sum and Count of the samples of the hour after the last of Loads.
	Sum   float64 `json:"sum"`
	Count int     `json:"count"`
}

const (
	day  = 24
	week = 7 * day
)

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// learn notes a sample of the load. An hour without any counts as the one
// before it.
func (m *predictiveMemory) learn(now time.Time, load float64) {
	hour := hourOf(now)
	if m.Count == 0 && len(m.Loads) == 0 || hour > m.First+int64(len(m.Loads))+2*week {
		*m = predictiveMemory{Alarm: m.Alarm, First: hour}
	}
	for m.First+int64(len(m.Loads)) < hour {
		mean := 0.0
		switch {
		case m.Count > 0:
			mean = m.Sum / float64(m.Count)
		case len(m.Loads) > 0:
			mean = m.Loads[len(m.Loads)-1]
		}
		m.Loads = append(m.Loads, mean)
		m.Sum, m.Count = 0, 0
	}
	if drop := len(m.Loads) - 2*week; drop > 0 {
		m.Loads = m.Loads[:copy(m.Loads, m.Loads[drop:])]
		m.First += int64(drop)
	}
	m.Sum += load
	m.Count++
}

// forecast returns the load forecast for the hour of t; 0 before 24 hours were
// seen.
func (m *predictiveMemory) forecast(t time.Time, highest bool) float64 {
	hour := hourOf(t)
	if len(m.Loads) < day {
		return 0
	}
	for _, season := range [2]int64{week, day} {
		sum, high, n := 0.0, 0.0, 0
		for back := season; hour-back >= m.First; back += season {
			if at := hour - back - m.First; at < int64(len(m.Loads)) {
				sum += m.Loads[at]
				high = max(high, m.Loads[at])
				n++
			}
		}
		switch {
		case n > 0 && highest:
			return high
		case n > 0:
			return sum / float64(n)
		}
	}
	return 0
}
