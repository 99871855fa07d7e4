package baseline

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

const (
	// recentWindow is the time constant of what arrives now.
	recentWindow = 5 * time.Minute
	// errorMemory is the time constant of a forecast's error.
	errorMemory = 24 * time.Hour
	// recentSeen is the weight from which what arrives now is worth scoring: 10
	// minutes of it.
	recentSeen = 0.86
)

// offered is the load that arriving work offers, in slots, as learned and
// forecast.
type offered struct {
	seasonal
	// Recent is the mean of the last minutes times Seen, the weight seen so far.
	Recent float64 `json:"recent"`
	Seen   float64 `json:"seen"`
	Told   []told  `json:"told,omitempty"`
	// Excess is the decaying sum of squared errors beyond Poisson's, and Square
	// that of the squared forecasts.
	Excess float64 `json:"excess"`
	Square float64 `json:"square"`
}

// learn notes the work that arrived since the last tick, in slot-seconds, of
// jobs with the given mean seconds and squared coefficient of variation. At the
// first tick nothing is known of what arrived before it.
func (q *offered) learn(s *signals, offset time.Duration, arrived, mean, scv float64) {
	if s.sinceRun == forever || s.sinceRun <= 0 {
		return
	}
	elapsed := s.sinceRun.Seconds()
	now := arrived / elapsed

	keep := detmath.Exp(-elapsed / errorMemory.Seconds())
	q.Excess, q.Square = float64(q.Excess*keep), float64(q.Square*keep)
	if t, ok := due(&q.Told, s.now); ok {
		// the mean over a time of work that comes as a compound Poisson process
		poisson := float64(t.Forecast*mean) * (1 + scv) / elapsed
		e := now - t.Forecast
		q.Excess += float64(e*e) - poisson
		q.Square += float64(t.Forecast * t.Forecast)
	}

	keep = detmath.Exp(-elapsed / recentWindow.Seconds())
	q.Recent = float64(q.Recent*keep) + float64(now*(1-keep))
	q.Seen = float64(q.Seen*keep) + (1 - keep)

	q.seasonal.learn(s, offset, now)
}

// forecast returns the offered load, in slots, at its highest over the tick
// that begins a boot lag from now, of arrivals so many seconds earlier.
func (q *offered) forecast(s *signals, offset time.Duration, lagS float64, seasonal bool) float64 {
	r := 0.0
	if q.Seen > 0 {
		r = q.Recent / q.Seen
	}
	at := s.now.Add(s.bootP50 - policy.Seconds(lagS))
	if ahead, ok := q.Profile.peak(at, offset, s.tick); ok && seasonal {
		r = float64(q.Level.factor() * ahead)
	}
	if q.Seen >= recentSeen {
		q.Told = append(q.Told, told{s.now.Add(s.bootP50 + s.tick), r, 0})
	}
	return r
}

// cv returns the learned coefficient of variation of the forecast's error.
func (q *offered) cv() float64 {
	if q.Square <= 0 || q.Excess <= 0 {
		return 0
	}
	return math.Sqrt(q.Excess / q.Square)
}

// patience tells which jobs can wait: those of classes with such a target or
// more.
type patience struct {
	target  time.Duration
	classes []policy.Class
}

func (p *patience) has(k *policy.KindView) bool {
	return k.Class >= 0 && k.Class < len(p.classes) && p.classes[k.Class].Target >= p.target
}

// arrived returns the work of jobs that cannot wait that arrived since the last
// tick, in slot-seconds.
func (p *patience) arrived(s *signals) float64 {
	sum := 0.0
	for i := range s.kinds {
		if k := &s.kinds[i]; !p.has(k) {
			sum += float64(k.LastTick.Work) / s.speed
		}
	}
	return sum
}

// service returns the mean seconds of a job on the type that is bought and its
// squared coefficient of variation, over the jobs that cannot wait and arrived
// in the last hour.
func (p *patience) service(s *signals) (mean, scv float64) {
	jobs, first, second := 0.0, 0.0, 0.0
	for i := range s.kinds {
		k := &s.kinds[i]
		if p.has(k) {
			continue
		}
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
