package baseline

import "testing"

// TestDroneDiff: the vectors of drone/autoscaler's planner at b22b870.
func TestDroneDiff(t *testing.T) {
	for _, c := range []struct {
		pending, capacity, running, perServer, buffer float64
		want, repaired                                int
	}{
		{100, 0, 0, 1, 0, 100, 100},
		{5, 4, 2, 2, 0, 2, 2},
		{0, 6, 1, 2, 0, -2, -2},
		{0, 1, 1, 1, 1, 0, 1}, // the buffer asks for nothing while all is busy
	} {
		if got := droneDiff(c.pending, c.capacity, c.running, c.perServer, c.buffer, false); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
		if got := droneDiff(c.pending, c.capacity, c.running, c.perServer, c.buffer, true); got != c.repaired {
			t.Errorf("%+v: repaired, got %d", c, got)
		}
	}
}
