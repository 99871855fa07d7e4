package baseline

import "testing"

// TestWarmOf: the difference between prepared capacity and group, the pool's minimum
// where that is more; none where the group is larger.
func TestWarmOf(t *testing.T) {
	for _, c := range []struct{ group, least, prepared, want int }{
		{4, 0, 10, 6},
		{4, 8, 10, 8},
		{10, 0, 10, 0},
		{12, 0, 10, 0}, // the group is larger than what is prepared
		{12, 3, 10, 3},
		{5, 7, 7, 7}, // minimum and prepared capacity alike: an absolute size
		{0, 0, 0, 0},
	} {
		if got := warmOf(c.group, c.least, c.prepared); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// The group follows its load and the pool stands beside it; without a prepared
// capacity the pool fills up to max at once.
func TestWarmPoolStandsBesideTheGroup(t *testing.T) {
	fleet := func(load int, raw map[string]any) int {
		b := newBench(t, &ASGWarmPool, raw)
		n := 0
		for range 120 {
			n = b.tick(load)
		}
		return n
	}
	alone := fleet(28, map[string]any{"pool_min": 0})
	if alone != 10 {
		t.Errorf("%d instances for 28 busy slots at a load of 0.7, want 10", alone)
	}
	if n := fleet(28, map[string]any{"pool_min": 3}); n != alone+3 {
		t.Errorf("%d instances with a pool of 3, want %d", n, alone+3)
	}
	if n := fleet(28, map[string]any{"pool_min": 3, "prepared": 11}); n != alone+3 {
		t.Errorf("%d instances with 11 prepared, want the minimum beside %d", n, alone)
	}
	if n := fleet(28, map[string]any{"pool_min": 0, "prepared": 25}); n != 25 {
		t.Errorf("%d instances with 25 prepared", n)
	}
	// the pool works and nothing waits: by its backlog the group stays at its least
	if n := fleet(28, map[string]any{"pool_min": 6, "metric": "backlog"}); n != 1+6 {
		t.Errorf("%d instances by the backlog, want the least group of 1 and a pool of 6", n)
	}
	b := newBench(t, &ASGWarmPool, map[string]any{"pool": "max", "max": 200})
	if n := b.tick(0); n != 200 {
		t.Errorf("%d instances at the first tick with a pool of the default size, want all 200", n)
	}
}
