package skynet

import "math"

const (
	featureCount = 7
	ringSize     = 64 // samples remembered: the horizon must fit
	learningRate = 0.1

	profileFeature = 5
)

// quantile learns, by online quantile regression, the highest load of one tick
// in the window a launch now would be ready for: [t+L, t+L+2Δ].
//
// The prediction is w·x with w >= 0 over seven features x of the load: a
// constant, the last tick, means over 2, 10 and 60 minutes, the profile, and
// the mean deviation of ticks from the 10-minute mean. When the highest load Y
// is known, the pinball loss of quantile q has the gradient g = −q where Y
// exceeded the prediction and 1 − q otherwise, and each weight moves by AdaGrad:
//
//	w_i ← max(0, w_i − 0.1 g_i/√(G_i + 1e−6)),  g_i = g·x_i/√(|x|² + 0.01)
//
// where G_i sums g_i². The quantile is one of time, not of jobs: a slot more
// saves work in proportion to the time it is short.
type quantileModel struct {
	Weights  [featureCount]float64           `json:"weights"`
	Squares  [featureCount]float64           `json:"squares"`
	Features [ringSize][featureCount]float64 `json:"features"` // by sample, a ring
	Loads    [ringSize]float64               `json:"loads"`    // by sample, a ring
	Mean2    float64                         `json:"mean_2m"`
	Mean10   float64                         `json:"mean_10m"`
	Mean60   float64                         `json:"mean_60m"`
	Spread   float64                         `json:"spread"`
}

func newQuantile() quantileModel {
	return quantileModel{Weights: [featureCount]float64{.1, .2, .3, .3, .1, .1, .5}}
}

// horizon returns which samples after one taken now cover the window a launch
// now would serve: first to last, with lag and tick in seconds.
func servedSamples(lag, tick float64) (first, last int64) {
	first = 1 + int64(lag/tick)
	last = int64(math.Ceil(lag/tick)) + 2
	return min(first, ringSize-1), min(last, ringSize-1)
}

// learn takes the n-th load (from 0), of step seconds, and the profile's load
// for the window ahead.
func (q *quantileModel) learn(n int64, load, step, usualAhead float64) {
	q.Mean2 = smooth(q.Mean2, load, step, 120, n)
	q.Mean10 = smooth(q.Mean10, load, step, 600, n)
	q.Mean60 = smooth(q.Mean60, load, step, 3600, n)
	q.Spread = smooth(q.Spread, math.Abs(load-q.Mean10), step, 900, n)
	q.Loads[n%ringSize] = load
	q.Features[n%ringSize] = [featureCount]float64{0.3, load, q.Mean2, q.Mean10, q.Mean60, usualAhead, q.Spread}
}

// train moves the weights by what the sample just taken, the n-th, reveals
// about the prediction made last samples ago.
func (q *quantileModel) train(n, first, last int64, quantile float64) {
	made := n - last
	if made < 0 {
		return
	}
	high := 0.0
	for i := made + first; i <= n; i++ {
		high = max(high, q.Loads[i%ringSize])
	}
	x := &q.Features[made%ringSize]
	gradient := 1 - quantile
	if high > dot(&q.Weights, x) {
		gradient = -quantile
	}
	scale := 1 / math.Sqrt(dot(x, x)+0.01)
	for i := range x {
		g := gradient * float64(x[i]*scale)
		q.Squares[i] += float64(g * g)
		q.Weights[i] = max(0, q.Weights[i]-float64(learningRate*g)/math.Sqrt(q.Squares[i]+1e-6))
	}
}

// predict returns the quantile of the highest load in the window ahead of the
// n-th sample, in slots.
func (q *quantileModel) predict(n int64) float64 {
	return dot(&q.Weights, &q.Features[n%ringSize])
}

func dot(a, b *[featureCount]float64) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i] * b[i])
	}
	return sum
}
