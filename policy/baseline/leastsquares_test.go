package baseline

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A curve through an exact quadratic is that quadratic, also at the times of
// a real clock, whose squares in seconds no float64 can hold.
func TestFitCurveExactQuadratic(t *testing.T) {
	epoch := float64(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC).Unix())
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(-50, 50).Draw(t, "a")
		b := rapid.Float64Range(-5, 5).Draw(t, "b")
		c := rapid.Float64Range(-1, 1).Draw(t, "c")
		var times, values []float64
		for i := range rapid.IntRange(3, 72).Draw(t, "samples") {
			u := float64(i)
			times = append(times, epoch+60*u)
			values = append(values, a+b*u+c*u*u)
		}
		p := fitCurve(times, values, 2)
		u := float64(len(times)) // one minute on
		want := a + b*u + c*u*u
		if got := p.at(epoch + 60*u); !(got-want < 1e-6 && want-got < 1e-6) {
			t.Fatalf("at minute %v: %v, want %v", u, got, want)
		}
	})
}

// Least squares by hand: the line nearest to (0,0) (1,1) (2,1) (3,2) is
// 0.1 + 0.6 t.
func TestFitCurveLine(t *testing.T) {
	p := fitCurve([]float64{0, 1, 2, 3}, []float64{0, 1, 1, 2}, 1)
	near(t, "at 0", p.at(0), 0.1, 1e-12)
	near(t, "at 10", p.at(10), 6.1, 1e-12)
}

// Too few times to tell a quadratic lower the degree instead of dividing by 0.
func TestFitCurveDegenerate(t *testing.T) {
	p := fitCurve([]float64{5}, []float64{3}, 2)
	near(t, "one point", p.at(100), 3, 0)
	p = fitCurve([]float64{5, 5}, []float64{3, 5}, 2)
	near(t, "twice the same time", p.at(100), 4, 1e-12)
	p = fitCurve([]float64{0, 10}, []float64{0, 1}, 2)
	near(t, "two points", p.at(20), 2, 1e-12)
}
