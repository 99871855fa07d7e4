package baseline

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A line is forecast by the line, a constant by smoothing or any, and a process
// that swings by the autoregression: the choice of the paper.
func TestConPaaSChoosesTheModelOfTheSeries(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	noise := func(scale float64) float64 { return scale * random.NormFloat64() }
	swing, beforeSwing := 0.0, 0.0
	for _, c := range []struct {
		name   string
		series func(i int) float64
		want   int
	}{
		{"line", func(i int) float64 { return 100 + 5*float64(i) }, modelLine},
		{"level that jumps", func(i int) float64 { return 100 + 40*float64(i/40%2) + noise(0.01) }, modelSmoothing},
		{"swing", func(int) float64 {
			swing, beforeSwing = 1.5*swing-0.95*beforeSwing+noise(1), swing
			return 100 + swing
		}, modelAR},
	} {
		r := conpaasRule{window: 21, horizon: 20, model: models, alpha: 0.9}
		chosen := [models + 1]int{}
		var s conpaasState
		for i := range 400 {
			s.learn(&r, c.series(i))
			_, model := s.forecast(&r)
			chosen[model]++
		}
		best := 0
		for m := range chosen {
			if chosen[m] > chosen[best] {
				best = m
			}
		}
		if best != c.want {
			t.Errorf("%s: chose %v, want mostly %d", c.name, chosen, c.want)
		}
	}
}

// By hand: a line that rises by 1 a step, at 21 now, is 22 … 41 ahead; weighted
// by 1 … 20 its mean is 21 + (1² + … + 20²) ÷ (1 + … + 20) = 21 + 2870 ÷ 210.
func TestConPaaSWeightsLaterSteps(t *testing.T) {
	r := conpaasRule{window: 21, horizon: 20, model: modelLine}
	var s conpaasState
	for i := 1; i <= 21; i++ {
		s.learn(&r, float64(i))
		load, model := s.forecast(&r)
		if i < 21 && (model != models || load != float64(i)) {
			t.Errorf("with %d samples: %v by model %d, want the load now", i, load, model)
		}
		if i == 21 {
			near(t, "weighted mean", load, 21+2870.0/210, 1e-9)
		}
	}
}

// The autoregression alone, as both public codes have it, returns to its mean
// where a line goes on; no model forecasts less than nothing.
func TestConPaaSModelIsFixed(t *testing.T) {
	var last [models]float64
	for m := range models {
		r := conpaasRule{window: 21, horizon: 20, model: m, alpha: 0.3}
		var s conpaasState
		for i := range 21 {
			s.learn(&r, math.Max(0, float64(100-5*i)))
			last[m], _ = s.forecast(&r)
		}
	}
	if last[modelLine] != 0 {
		t.Errorf("a line to nothing: %v, want 0", last[modelLine])
	}
	if last[modelAR] < 1 || last[modelAR] > 60 {
		t.Errorf("autoregression: %v, want between the last value and the mean", last[modelAR])
	}
}
