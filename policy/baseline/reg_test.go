package baseline

import (
	"testing"
	"time"
)

// Loads that lie on a parabola are continued exactly. By hand: needs of
// (m-10)² ÷ 4 at minutes 0 … 9, and a fleet of 30.
func TestRegTarget(t *testing.T) {
	fill := func(f func(m float64) float64) *regState {
		rule := regRule{window: 10}
		var s regState
		start := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		for m := range 15 {
			s.learn(&rule, start.Add(time.Duration(m)*time.Minute), 1000) // forgotten
			s.Need[len(s.Need)-1] = f(float64(m))
		}
		if len(s.Need) != 10 {
			t.Fatalf("%d samples, want 10", len(s.Need))
		}
		return &s
	}
	falling := func(m float64) float64 { return (m - 18) * (m - 18) / 2 } // 8 at minute 14
	between := func(m float64) float64 { return falling(m) + 0.4 }
	rising := func(m float64) float64 { return 100 + m*m } // 296 at minute 14
	sinking := func(m float64) float64 { return 14 - m }   // 0 at minute 14
	for _, c := range []struct {
		name           string
		f              func(m float64) float64
		grow, shrink   float64
		zero           bool
		need, have     int
		want           int
		wantRegression float64
	}{
		{"reactive up", falling, 1.05, 1.2, false, 40, 30, 42, 8},
		{"as much as needed", falling, 1.05, 1.2, false, 30, 30, 30, 8},
		{"down by regression", falling, 1.05, 1.2, false, 8, 30, 10, 8},
		{"a regression between", between, 1.05, 1.2, false, 8, 30, 11, 8.4}, // of 9, and not of 8.4
		{"down, opendc", falling, 1.05, 1, false, 8, 30, 8, 8},
		{"regression above the fleet", rising, 1.05, 1, false, 5, 30, 30, 296},
		{"regression above the fleet, opendc", rising, 1.05, 1, true, 5, 30, 0, 296},
		{"regression at nothing", sinking, 1.05, 1.2, false, 0, 30, 30, 0},
	} {
		rule := regRule{window: 10, grow: c.grow, shrink: c.shrink, zero: c.zero}
		got, regression := fill(c.f).target(&rule, c.need, c.have)
		if got != c.want {
			t.Errorf("%s: wants %d, want %d", c.name, got, c.want)
		}
		near(t, c.name+": regression", regression, c.wantRegression, 1e-6)
	}
}
