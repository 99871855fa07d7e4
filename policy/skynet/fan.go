package skynet

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

const (
	fanQuantile = 0.9
	// A load above its forecast multiplies the scale by fanScaleUp, about e^(0.01·0.9). A
	// load within it multiplies by fanScaleDown, the ninth root of the inverse, so
	// that the scale rests where one load in ten is above.
	fanScaleUp   = 1.009
	fanScaleDown = 0.999004969
	// fanScaleMost bounds the scale and its inverse: a year without a job would
	// otherwise shrink it to nothing.
	fanScaleMost = 64.0
)

// fan learns the high end of the fan chart that people are shown: the 90th
// percentile of the load of one tick, of all lines together, for when a launch
// now could help. It is shown and judged, and no decision reads it. Loads are in
// reference cores.
//
// The forecast is s·(w·x). The product w·x is a quantile model with the mean
// forecast in place of the profile. The scale s is steered by how often loads were
// above their forecasts, as in adaptive conformal inference (Gibbs and Candès 2021):
//
//	ln s ← ln s + 0.01·(0.9 − 1[y ≤ high])
//
// Hence over T ticks the share of loads within their forecasts differs from 90 % by
// at most about 100·|ln(s_T/s_0)|/T, whatever the load does.
type fan struct {
	Samples  int64             `json:"samples"`
	Work     float64           `json:"work"` // arrived since the last sample, in core-seconds
	Quantile quantileModel     `json:"quantile"`
	Scale    float64           `json:"times"` // s
	Highs    [ringSize]float64 `json:"highs"` // high end forecast after each sample, a ring
	// Mean is the mean load forecast at the last step, and Ahead how far ahead.
	Mean  float64       `json:"mean"`
	Ahead time.Duration `json:"ahead_ns"`
}

// newFan returns a fan with a scale of 1.
func newFan() fan { return fan{Quantile: newQuantile(), Scale: 1} }

// learn closes a sample of step seconds, a tick, whose forecast was made so many
// ticks before.
func (f *fan) learn(step float64, ticks int64) {
	load := f.Work / step
	f.Work = 0
	n := f.Samples
	f.Samples++
	f.Quantile.learn(n, load, step, 0) // predictHigh fills in the mean: this load is part of it
	f.Quantile.train(n, ticks, ticks, fanQuantile)
	if n < ticks {
		return
	}
	if load > f.Highs[(n-ticks)%ringSize] {
		f.Scale = min(f.Scale*fanScaleUp, fanScaleMost)
	} else {
		f.Scale = max(f.Scale*fanScaleDown, 1/fanScaleMost)
	}
}

// predictHigh forecasts the high end after the last sample, given the mean.
func (f *fan) predictHigh(mean float64) {
	at := f.lastIndex()
	f.Quantile.Features[at][featureProfile] = mean
	f.Highs[at] = f.Scale * f.Quantile.predict(at)
}

// lastIndex returns where in the rings the last sample is.
func (f *fan) lastIndex() int64 { return max(f.Samples-1, 0) % ringSize }

// fanLead returns how far ahead the load is forecast: a boot lag and a tick, when
// an instance launched now has served for a tick.
func (p *Policy) fanLead() time.Duration { return time.Duration((p.lag + p.tick) * 1e9) }

// fanLeadTicks returns which tick from now is the first to end at fanLead or later.
func (p *Policy) fanLeadTicks() int64 {
	tick := time.Duration(p.tick * 1e9)
	return min(int64((p.fanLead()+tick-1)/tick), ringSize-1)
}

// addArrivals adds the work that arrived since the last observation, of all kinds.
// It counts every job by what such jobs take on average, as the forecast is judged,
// also where the plan goes by what they took lately.
func (f *fan) addArrivals(kinds []policy.KindView) {
	for i := range kinds {
		f.Work += float64(kinds[i].LastTick.Work)
	}
}

// updateFan makes this step's forecast: the mean at every step, the high end only
// after a sample, because the rings have one for each sample.
func (p *Policy) updateFan() {
	f := &p.st.Fan
	f.Mean = p.market.unitSpeed * (p.forecast.mean + float64(p.otherLevel()*p.forecast.ratio))
	f.Ahead = p.fanLead()
	if p.sampled {
		f.predictHigh(f.Mean)
	}
}

// Forecast returns what the last step that was not in doubt expected of the tick in
// which an instance launched then could help: the mean load and its 90th
// percentile, in reference cores, and how far ahead that tick ended.
func (p *Policy) Forecast() (mean, high float64, ahead time.Duration) {
	f := &p.st.Fan
	if f.Samples == 0 {
		return f.Mean, f.Mean, f.Ahead
	}
	return f.Mean, f.Highs[f.lastIndex()], f.Ahead
}
