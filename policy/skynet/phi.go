package skynet

// phi learns how much more than Poisson the load scatters round its forecast:
// φ is the mean over about a day of (y − ŷ)²/ŷ, for the mean load y of two
// ticks and what was forecast for them when a launch could still have helped.
// A Poisson stream of one-slot-second jobs has φ = 1 per tick of one second;
// sessions and bursts raise it.
type phi struct {
	Value     float64           `json:"value"`
	N         int64             `json:"n"`
	Forecasts [ringSize]float64 `json:"forecasts"` // by sample, a ring
	LastLoad  float64           `json:"last"`      // the load of the last sample
}

const day = 86400.0

// learn takes the n-th load and the forecast made at it for last-1 samples
// ahead.
func (f *phi) learn(n int64, load, step, forecast float64, last int64) {
	if made := n - (last - 1); made >= 0 {
		expected := max(f.Forecasts[made%ringSize], 0.05)
		mean := float64(0.5 * (load + f.LastLoad))
		miss := mean - expected
		f.Value = smooth(f.Value, float64(miss*miss)/expected, step, day, f.N)
		f.N++
	}
	f.Forecasts[n%ringSize] = forecast
	f.LastLoad = load
}

// lowest returns the lowest of the forecasts made at the n-th sample and the
// back samples before it.
func (f *phi) lowestForecast(n, back int64) float64 {
	low := f.Forecasts[n%ringSize]
	for i := max(n-back, 0); i < n; i++ {
		low = min(low, f.Forecasts[i%ringSize])
	}
	return low
}
