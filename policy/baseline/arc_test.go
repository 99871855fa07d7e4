package baseline

import "testing"

// TestARCBusy: PercentageRunnersBusy with its documented factors.
func TestARCBusy(t *testing.T) {
	for _, c := range []struct {
		busy          float64
		desired, want int
	}{
		{8, 10, 13},
		{7, 10, 10},
		{3, 10, 10},
		{2, 10, 7},
		{64, 80, 104},
		{1, 1, 2},
		{0, 3, 2}, // 2.1: int() cuts it off
		{0, 1, 0},
		{0, 0, 0},
	} {
		if got := arcBusy(c.busy, c.desired, 0.8, 1.3, 0.3, 0.7); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// An idle group of large instances falls runner by runner until an instance is not
// needed: rounded up to instances at each step, two of 4 slots would stay for ever.
func TestARCFallsBelowAnInstance(t *testing.T) {
	b := newBench(t, &ARC, map[string]any{"mode": "percentage-busy", "min_runners": 0, "min": 1, "down_delay": "0s"})
	for range 8 {
		b.tick(100)
	}
	fleet := len(b.o.Fleet.Instances)
	if fleet < 3 {
		t.Fatalf("%d instances for 100 busy slots, want several", fleet)
	}
	for range 20 {
		fleet = b.tick(0)
	}
	if fleet != 1 {
		t.Errorf("%d instances for nothing, want the least of 1", fleet)
	}
}
