package baseline

import "testing"

// TestNomadCount: the strategy at ede4e61; a raw queue compounds.
func TestNomadCount(t *testing.T) {
	for _, c := range []struct {
		count          int
		metric, target float64
		want           int
	}{
		{10, 0.7, 0.7, 10},
		{10, 0.705, 0.7, 10}, // within 1 %
		{10, 0.77, 0.7, 11},
		{10, 0.35, 0.7, 5},
		{0, 3.2, 1, 4},
		{0, 1, 1, 1}, // from nothing, no change is too small
		{0, 0, 1, 0},
		{10, 0, 0.7, 0},
		{1, 100, 1, 100},
		{100, 100, 1, 10_000}, // the same queue, while 99 boot
		{2, 3, 0, 6},          // without a target the metric is the factor
	} {
		if got := nomadCount(c.count, c.metric, c.target); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
