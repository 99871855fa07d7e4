package skynet

// phi learns the index of dispersion of the load around its forecast: how many
// times as large as the mean the variance is. φ is the mean, over about a day, of
//
//	(y − ŷ)²/ŷ
//
// where y is the mean load of two ticks, in slots, and ŷ what was forecast for
// them when a launch could still have helped. Poisson arrivals of jobs of s
// slot-seconds have φ = s/(2Δ); users that click many times, and bursts, raise it.
type phi struct {
	Value     float64           `json:"value"`
	N         int64             `json:"n"`         // samples in Value
	Forecasts [ringSize]float64 `json:"forecasts"` // by sample, a ring; slots
	LastLoad  float64           `json:"last"`      // load of the last sample, in slots
}

// day is 24 hours in seconds.
const day = 86400.0

// phiForecastLeast is the least forecast, in slots, that a deviation is divided by:
// a single job at night must not count a thousand times.
const phiForecastLeast = 0.05

// learn takes the n-th load, of step seconds, and the forecast made with it for
// the two samples that end last−1 samples later.
func (f *phi) learn(n int64, load, step, forecast float64, last int64) {
	if made := n - (last - 1); made >= 0 {
		expected := max(f.Forecasts[made%ringSize], phiForecastLeast)
		mean := float64(0.5 * (load + f.LastLoad))
		miss := mean - expected
		f.Value = smooth(f.Value, float64(miss*miss)/expected, step, day, f.N)
		f.N++
	}
	f.Forecasts[n%ringSize] = forecast
	f.LastLoad = load
}

// lowestForecast returns the lowest of the forecasts made at the n-th sample and
// at the back samples before it, in slots.
func (f *phi) lowestForecast(n, back int64) float64 {
	low := f.Forecasts[n%ringSize]
	for i := max(n-back, 0); i < n; i++ {
		low = min(low, f.Forecasts[i%ringSize])
	}
	return low
}
