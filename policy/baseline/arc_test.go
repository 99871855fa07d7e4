package baseline

import "testing"

// TestARCBusy: PercentageRunnersBusy with its documented factors.
func TestARCBusy(t *testing.T) {
	for _, c := range []struct {
		busy           float64
		desired, slots int
		want           int
	}{
		{8, 10, 1, 13},
		{7, 10, 1, 10},
		{3, 10, 1, 10},
		{2, 10, 1, 7},
		{64, 80, 8, 13},
		{0, 8, 8, 1},
		{0, 0, 8, 0},
	} {
		if got := arcBusy(c.busy, c.desired, c.slots, 0.8, 1.3, 0.3, 0.7); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
