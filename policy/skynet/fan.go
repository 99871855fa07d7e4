package skynet

import "time"

const (
	fanQuantile = 0.9
	// A load above its forecast raises the multiple by fanUp, one within lowers it
	// by fanDown, the ninth root of the inverse: at rest one in ten is above.
	fanScaleUp   = 1.009
	fanScaleDown = 0.999004969
	fanScaleMost = 64.0 // bounds the multiple and its inverse: what years without a job may do
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
	Samples  int64             `json:"samples"`
	Quantile quantileModel     `json:"quantile"`
	Scale    float64           `json:"times"` // s
	Highs    [ringSize]float64 `json:"highs"` // forecast after each sample, a ring
	// Mean load forecast at the last step, and how far ahead.
	Mean  float64       `json:"mean"`
	Ahead time.Duration `json:"ahead_ns"`
}

func newFan() fan { return fan{Quantile: newQuantile(), Scale: 1} }

// learn takes the load of a tick, over step seconds, that was forecast so many
// ticks before.
func (f *fan) learn(load, step float64, ticks int64) {
	n := f.Samples
	f.Samples++
	f.Quantile.learn(n, load, step, 0) // the mean is forecast with this load known
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

// foresee makes the forecast after the last sample, whose mean is given.
func (f *fan) predictHigh(mean float64) {
	at := f.lastIndex()
	f.Quantile.Features[at][profileFeature] = mean
	f.Highs[at] = f.Scale * f.Quantile.predict(at)
}

// last returns where in the rings the last sample is.
func (f *fan) lastIndex() int64 { return max(f.Samples-1, 0) % ringSize }

// aheadBy returns how far ahead the load is forecast: when an instance launched
// now has booted and has been there for a tick.
func (p *Policy) fanLead() time.Duration { return time.Duration((p.lag + p.tick) * 1e9) }

// ticksAhead returns which tick from now is the first to end then or later.
func (p *Policy) fanLeadTicks() int64 {
	tick := time.Duration(p.tick * 1e9)
	return min(int64((p.fanLead()+tick-1)/tick), ringSize-1)
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

// foresee makes this step's forecast; the high end is made anew after a sample.
func (p *Policy) updateFan() {
	f := &p.st.Fan
	f.Mean = p.market.unitSpeed * (p.forecast.mean + float64(p.otherLevel()*p.forecast.ratio))
	f.Ahead = p.fanLead()
	if p.sampled {
		f.predictHigh(f.Mean)
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
	return f.Mean, f.Highs[f.lastIndex()], f.Ahead
}
