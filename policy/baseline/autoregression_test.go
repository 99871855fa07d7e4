package baseline

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// An AR(2) process with known weights: a long sample gives them back, and the
// forecast decays to the mean as the process does.
func TestAutoregressionOfKnownProcess(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const mean, first, second = 40.0, 0.6, 0.25
	series := make([]float64, 50_000)
	x, before := 0.0, 0.0
	for i := range series {
		x, before = first*x+second*before+random.NormFloat64(), x
		series[i] = mean + x
	}
	a := fitAutoregression(series, autoregressionMax)
	near(t, "mean", a.mean, mean, 0.15)
	near(t, "first weight", a.weights[0], first, 0.02)
	near(t, "second weight", a.weights[1], second, 0.02)
	if a.order < 2 {
		t.Errorf("order %d, want at least 2", a.order)
	}
	var ahead [200]float64
	a.forecast(series, ahead[:])
	n := len(series)
	want := a.mean
	for j := range a.order {
		want += a.weights[j] * (series[n-1-j] - a.mean)
	}
	near(t, "one step", ahead[0], want, 1e-9)
	near(t, "far ahead", ahead[199], a.mean, 1e-3)
}

// By hand: 1 -1 1 -1 has mean 0, c(0) = 1, c(1) = -3/4, so the weight of order
// 1 is -3/4 and the value after -1 is forecast as 0.75.
func TestAutoregressionByHand(t *testing.T) {
	series := []float64{1, -1, 1, -1}
	a := fitAutoregression(series, 1)
	near(t, "weight", a.weights[0], -0.75, 1e-15)
	var ahead [2]float64
	a.forecast(series, ahead[:])
	near(t, "first", ahead[0], 0.75, 1e-15)
	near(t, "second", ahead[1], -0.5625, 1e-15)
}

// A constant has nothing to explain; no series makes a forecast explode.
func TestAutoregressionStaysBounded(t *testing.T) {
	var ahead [20]float64
	a := fitAutoregression([]float64{7, 7, 7, 7}, 9)
	a.forecast([]float64{7, 7, 7, 7}, ahead[:])
	if a.order != 0 || ahead[19] != 7 {
		t.Errorf("a constant: order %d, forecast %v; want 0 and 7", a.order, ahead[19])
	}
	rapid.Check(t, func(t *rapid.T) {
		series := rapid.SliceOfN(rapid.Float64Range(0, 1000), 1, 40).Draw(t, "series")
		a := fitAutoregression(series, 9)
		a.forecast(series, ahead[:])
		for _, x := range ahead {
			if math.IsNaN(x) || math.Abs(x) > 1e5 {
				t.Fatalf("forecast %v of %v", x, series)
			}
		}
	})
}
