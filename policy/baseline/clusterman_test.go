package baseline

import "testing"

// TestClustermanTarget: the setpoint, its margin, its step, and what it does at
// the two kinds of nothing.
func TestClustermanTarget(t *testing.T) {
	for _, c := range []struct {
		name              string
		requested         float64
		fulfilled, target int
		want              int
	}{
		{"70 of 100 requested", 70, 100, 100, 100},
		{"within the margin", 76, 100, 100, 100},
		{"beyond it", 80, 100, 100, 115},
		{"at most a step more", 700, 100, 100, 200},
		{"at most a step less", 7, 300, 300, 200},
		{"nothing is requested", 0, 50, 50, 0},
		{"nothing runs yet", 70, 0, 40, 40},
		{"from nothing, one", 70, 0, 0, 8},
	} {
		if got := clustermanTarget(c.requested, c.fulfilled, c.target, 8, 0.7, 0.1, 100); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}
