package baseline

import "testing"

// TestEscalatorChange: the formula of escalator at 043bb1b with the documented
// example's thresholds.
func TestEscalatorChange(t *testing.T) {
	r := escalatorRates{up: 70, upper: 40, lower: 10, slow: 2, fast: 5}
	for _, c := range []struct {
		nodes int
		use   float64
		want  int
	}{
		{2, 250, 6},
		{10, 71, 1},
		{4, 100, 2},
		{10, 70, 0},
		{10, 40, 0},
		{10, 39, -2},
		{10, 10, -2},
		{10, 9, -5},
	} {
		if got := r.change(c.nodes, c.use); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
