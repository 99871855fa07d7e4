package skynet

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

const (
	fanQuantile = 0.9
	// A load above its forecast raises the multiple by fanUp, one within lowers it
	// by fanDown, the ninth root of the inverse: at rest one in ten is above.
	fanUp   = 1.009
	fanDown = 0.999004969
	fanMost = 64.0 // bounds the multiple and its inverse: what years without a job may do
)

// fan learns the 90th percentile of the load of one tick, all lines together,
// for when a launch now could help. It is shown and judged, and decides nothing.
//
// It is s·w·x: w·x by quantile regression over the features of quantile, with
// the mean forecast in place of the profile, and a multiple s that is steered by
// what came of the forecasts themselves (adaptive conformal inference):
//
//	ln s ← ln s + 0.01 (0.9 − 1[y ≤ high])
//
// Over T ticks the share within is therefore off 90 % by at most about
// 100 |ln(s_T/s_0)|/T, whatever the load does. Loads are in reference cores.
type fan struct {
	Samples  int64           `json:"samples"`
	Work     float64         `json:"work"` // arrived since the last sample, in core-seconds
	Quantile quantile        `json:"quantile"`
	Times    float64         `json:"times"` // s
	Highs    [memory]float64 `json:"highs"` // forecast after each sample, a ring
	// Mean load forecast at the last step, and how far ahead.
	Mean  float64       `json:"mean"`
	Ahead time.Duration `json:"ahead_ns"`
}

func newFan() fan { return fan{Quantile: newQuantile(), Times: 1} }

// learn closes a sample of step seconds, a tick, whose load was forecast so many
// ticks before.
func (f *fan) learn(step float64, ticks int64) {
	load := f.Work / step
	f.Work = 0
	n := f.Samples
	f.Samples++
	f.Quantile.learn(n, load, step, 0) // the mean is forecast with this load known
	f.Quantile.train(n, ticks, ticks, fanQuantile)
	if n < ticks {
		return
	}
	if load > f.Highs[(n-ticks)%memory] {
		f.Times = min(f.Times*fanUp, fanMost)
	} else {
		f.Times = max(f.Times*fanDown, 1/fanMost)
	}
}

// foresee makes the forecast after the last sample, whose mean is given.
func (f *fan) foresee(mean float64) {
	at := f.last()
	f.Quantile.Features[at][profileFeature] = mean
	f.Highs[at] = f.Times * f.Quantile.predict(at)
}

// last returns where in the rings the last sample is.
func (f *fan) last() int64 { return max(f.Samples-1, 0) % memory }

// aheadBy returns how far ahead the load is forecast: when an instance launched
// now has booted and has been there for a tick.
func (p *Policy) aheadBy() time.Duration { return time.Duration((p.lag + p.tick) * 1e9) }

// ticksAhead returns which tick from now is the first to end then or later.
func (p *Policy) ticksAhead() int64 {
	tick := time.Duration(p.tick * 1e9)
	return min(int64((p.aheadBy()+tick-1)/tick), memory-1)
}

// collect adds the work that arrived since the last observation, all kinds together,
// by what such jobs take on average: as the work is counted that the forecast is
// judged by, whatever the plan goes by.
func (f *fan) collect(kinds []policy.KindView) {
	for i := range kinds {
		f.Work += float64(kinds[i].LastTick.Work)
	}
}

// foresee makes this step's forecast; the high end is made anew after a sample.
func (p *Policy) foresee() {
	f := &p.st.Fan
	f.Mean = p.market.unitSpeed * (p.ahead.mean + float64(p.otherLevel()*p.ahead.ratio))
	f.Ahead = p.aheadBy()
	if p.sampled {
		f.foresee(f.Mean)
	}
}

// Forecast returns what the last step that was not in doubt expected of the tick
// when an instance launched then could help: its mean load and the 90th
// percentile, in reference cores, and how far ahead that was.
func (p *Policy) Forecast() (mean, high float64, ahead time.Duration) {
	f := &p.st.Fan
	if f.Samples == 0 {
		return f.Mean, f.Mean, f.Ahead
	}
	return f.Mean, f.Highs[f.last()], f.Ahead
}
