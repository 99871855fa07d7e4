package baseline

import "testing"

// TestGitLabDesired: a factor of a third keeps a quarter of the capacity idle.
func TestGitLabDesired(t *testing.T) {
	for _, c := range []struct {
		inUse, pending, count, share, perInstance float64
		larger, sum                               int
	}{
		{75, 0, 0, 25, 1, 100, 100},
		{75, 0, 0, 10, 1, 85, 85},
		{75, 5, 2, 0, 8, 11, 11},
		{75, 0, 10, 25, 1, 100, 110},
		{75, 0, 40, 25, 1, 115, 140},
		{0, 0, 2, 0, 8, 1, 1},
		{0, 0, 0, 0, 8, 0, 0},
	} {
		if got := gitlabDesired(c.inUse, c.pending, c.count, c.share, false, c.perInstance); got != c.larger {
			t.Errorf("%+v: the larger gives %d", c, got)
		}
		if got := gitlabDesired(c.inUse, c.pending, c.count, c.share, true, c.perInstance); got != c.sum {
			t.Errorf("%+v: the sum gives %d", c, got)
		}
	}
}
