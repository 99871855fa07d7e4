package skynet

import (
	"math"
	"time"
)

const (
	fanQuantile = 0.9
	fanRate     = 0.02   // of a spread, for a step of the multiple
	fanFirst    = 1.6    // spreads from a Gaussian's mean to its 90th percentile
	fanTau      = 3600.0 // time constant of the spread, in seconds
	fanLoadMin  = 0.05   // cores: the spread of less is not scaled down further
)

// fan learns the 90th percentile of the load of one tick, all lines together,
// for when a launch now could help. It is shown and judged, and decides nothing:
//
//	high = max(0, m + s d √m)
//
// for the mean forecast m, where d is the mean of |y − m|/√m over about an hour
// of ticks with load y, and s is steered by what came of the forecasts:
//
//	s ← s + 0.02 (0.9 − 1[y ≤ high])
//
// That is adaptive conformal inference: over T ticks the share within high is off
// 90 % by at most |s_T − s_0|/(0.02 T), whatever the load does. Cores are those
// of reference.
type fan struct {
	Samples int64            `json:"samples"`
	Times   float64          `json:"times"`  // s
	Spread  float64          `json:"spread"` // d
	N       int64            `json:"n"`      // loads d rests on
	Made    [memory]foreseen `json:"made"`   // by sample, a ring
}

// foreseen is a forecast, in reference cores.
type foreseen struct {
	Mean float64 `json:"mean"`
	High float64 `json:"high"`
}

func newFan() fan { return fan{Times: fanFirst} }

// of returns the forecast whose mean is given.
func (f *fan) of(mean float64) foreseen {
	root := math.Sqrt(max(mean, fanLoadMin))
	return foreseen{mean, max(0, mean+float64(f.Times*f.Spread*root))}
}

// learn takes the load of a tick, over step seconds, and the forecast that was
// made for it after the sample ticks before.
func (f *fan) learn(load, step float64, ticks int64) {
	made := f.Samples - ticks
	f.Samples++
	if made < 0 {
		return
	}
	then := f.Made[made%memory]
	miss := math.Abs(load-then.Mean) / math.Sqrt(max(then.Mean, fanLoadMin))
	f.Spread = follow(f.Spread, miss, step, fanTau, f.N)
	f.N++
	switch {
	case load > then.High:
		f.Times += fanRate * fanQuantile
	case then.High > 0: // at 0 it cannot be too high
		f.Times -= fanRate * (1 - fanQuantile)
	}
}

// keep notes the forecast made after the last sample, to learn from what comes.
func (f *fan) keep(now foreseen) {
	if f.Samples > 0 {
		f.Made[(f.Samples-1)%memory] = now
	}
}

// aheadBy returns how far ahead the load is forecast: when an instance launched
// now has booted and has been there for a tick.
func (p *Policy) aheadBy() time.Duration { return time.Duration((p.lag + p.tick) * 1e9) }

// ticksAhead returns which tick from now is the first to end then or later.
func (p *Policy) ticksAhead() int64 {
	tick := time.Duration(p.tick * 1e9)
	return min(int64((p.aheadBy()+tick-1)/tick), memory-1)
}

// arrivedLoad returns the load of the sample to be closed, all lines together, in
// reference cores.
func (p *Policy) arrivedLoad() float64 {
	sum := 0.0
	for i := range p.st.Lines {
		sum += p.st.Lines[i].SinceHead + p.st.Lines[i].SinceTail
	}
	return p.market.unitSpeed * sum / p.st.SampledS
}

// foresee makes this step's forecast, and keeps it after a sample.
func (p *Policy) foresee() {
	p.foreseen = p.st.Fan.of(p.market.unitSpeed * (p.ahead.mean + float64(p.otherLevel()*p.ahead.ratio)))
	if p.sampled {
		p.st.Fan.keep(p.foreseen)
	}
}

// Forecast returns what the last step expected for when an instance launched
// then could help: the mean load of that tick and its 90th percentile, in
// reference cores, and how far ahead that was.
func (p *Policy) Forecast() (mean, high float64, ahead time.Duration) {
	return p.foreseen.Mean, p.foreseen.High, p.aheadBy()
}
