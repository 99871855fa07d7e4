package baseline

import "testing"

// TestGitLabDesired: a factor of a third keeps a quarter of the capacity idle.
func TestGitLabDesired(t *testing.T) {
	for _, c := range []struct {
		inUse, pending, count, factor, limit, perInstance float64
		want                                              int
	}{
		{75, 0, 0, 1.0 / 3, 1000, 1, 100},
		{75, 0, 0, 1.0 / 3, 10, 1, 85},
		{75, 5, 2, 0, 1000, 8, 11},
		{0, 0, 2, 1, 1000, 8, 1},
		{0, 0, 0, 1, 1000, 8, 0},
	} {
		if got := gitlabDesired(c.inUse, c.pending, c.count, c.factor, c.limit, c.perInstance); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
