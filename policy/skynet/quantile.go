package skynet

import "math"

// ringSize is how many samples the rings of the learners hold. The samples that a
// launch serves must be among them, so a longer horizon is cut to it.
const ringSize = 64

// The features of the quantile model. All but the constant are loads in slots.
const (
	featureConstant = iota
	featureLast     // load of the last sample
	featureMean2    // means of about 2, 10 and 60 minutes
	featureMean10
	featureMean60
	featureProfile // what the profile says of the time ahead
	featureSpread  // mean absolute deviation of samples from the 10-minute mean
	featureCount
)

// constantFeature is the value of the constant feature, in slots.
const constantFeature = 0.3

// Time constants of the features, in seconds.
const (
	mean2Tau  = 120
	mean10Tau = 600
	mean60Tau = 3600
	spreadTau = 900
)

// How far the weights move; see quantileModel.
const (
	learningRate     = 0.1
	featureNormLeast = 0.01 // slots²: keeps steps finite where nothing arrives
	squaresLeast     = 1e-6
)

// quantileModel learns the highest load of one tick in the window that a launch
// now would be ready for, [t+L, t+L+2Δ], by online quantile regression.
//
// The prediction is w·x, with weights w ≥ 0 over the features x of the load. When
// the highest load Y of the window is known, the pinball loss of the quantile q
// has the slope g = −q in the prediction if Y was above it, and g = 1 − q
// otherwise. Each weight then takes a step of AdaGrad, on features normalised by
// their length so that the steps do not depend on the size of the load:
//
//	g_i = g·x_i / √(|x|² + 0.01)
//	w_i ← max(0, w_i − 0.1·g_i / √(G_i + 1e−6))
//
// with G_i the sum of all g_i² so far. Quantile regression: Koenker and Bassett
// 1978; AdaGrad: Duchi, Hazan and Singer 2011.
//
// The quantile is one of time, not of jobs, because what one more slot saves goes by
// how long it is needed.
type quantileModel struct {
	Weights  [featureCount]float64           `json:"weights"`
	Squares  [featureCount]float64           `json:"squares"`  // G
	Features [ringSize][featureCount]float64 `json:"features"` // x by sample, a ring
	Loads    [ringSize]float64               `json:"loads"`    // by sample, a ring; slots
	Mean2    float64                         `json:"mean_2m"`
	Mean10   float64                         `json:"mean_10m"`
	Mean60   float64                         `json:"mean_60m"`
	Spread   float64                         `json:"spread"`
}

// newQuantile returns a model that predicts, to begin with, a weighted mean of
// the loads among its features, half their mean deviation, and 0.03 slots.
func newQuantile() quantileModel {
	return quantileModel{Weights: [featureCount]float64{
		featureConstant: .1,
		featureLast:     .2, featureMean2: .3, featureMean10: .3, featureMean60: .1, featureProfile: .1,
		featureSpread: .5,
	}}
}

// servedSamples returns which samples after one taken now lie in the window that a
// launch now would serve, [L, L+2Δ]: the first and the last, counted from now. Lag
// and tick are in seconds.
func servedSamples(lag, tick float64) (first, last int64) {
	first = 1 + int64(lag/tick)
	last = int64(math.Ceil(lag/tick)) + 2
	return min(first, ringSize-1), min(last, ringSize-1)
}

// learn takes the n-th load, counted from 0, of step seconds, and the profile's
// load for the window ahead.
func (q *quantileModel) learn(n int64, load, step, usualAhead float64) {
	q.Mean2 = smooth(q.Mean2, load, step, mean2Tau, n)
	q.Mean10 = smooth(q.Mean10, load, step, mean10Tau, n)
	q.Mean60 = smooth(q.Mean60, load, step, mean60Tau, n)
	q.Spread = smooth(q.Spread, math.Abs(load-q.Mean10), step, spreadTau, n)
	q.Loads[n%ringSize] = load
	q.Features[n%ringSize] = [featureCount]float64{
		featureConstant: constantFeature,
		featureLast:     load, featureMean2: q.Mean2, featureMean10: q.Mean10, featureMean60: q.Mean60, featureProfile: usualAhead,
		featureSpread: q.Spread,
	}
}

// train moves the weights by what the n-th sample, just taken, reveals about the
// prediction made last samples before it. The window of that prediction was the
// samples first to last after it.
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
	slope := 1 - quantile
	if high > dot(&q.Weights, x) {
		slope = -quantile
	}
	scale := 1 / math.Sqrt(dot(x, x)+featureNormLeast)
	for i := range x {
		g := slope * float64(x[i]*scale)
		q.Squares[i] += float64(g * g)
		q.Weights[i] = max(0, q.Weights[i]-float64(learningRate*g)/math.Sqrt(q.Squares[i]+squaresLeast))
	}
}

// predict returns the quantile of the highest load in the window ahead of the
// n-th sample, in slots.
func (q *quantileModel) predict(n int64) float64 {
	return dot(&q.Weights, &q.Features[n%ringSize])
}

// dot returns the scalar product of two vectors.
func dot(a, b *[featureCount]float64) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i] * b[i])
	}
	return sum
}
