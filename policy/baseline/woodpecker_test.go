package baseline

import "testing"

// TestWoodpeckerDiff: required less available agents; an agent that boots is in
// neither.
func TestWoodpeckerDiff(t *testing.T) {
	for _, c := range []struct {
		pending, running, free, perAgent float64
		want                             int
	}{
		{100, 0, 0, 1, 100},
		{100, 0, 0, 2, 50},
		{5, 3, 1, 2, 2},
		{0, 1, 7, 2, -3},
		{0, 0, 0, 2, 0},
	} {
		if got := woodpeckerDiff(c.pending, c.running, c.free, c.perAgent); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
