package baseline

import "testing"

// TestBuildkiteDesired: the vectors of buildkite-agent-scaler at 49c4145.
func TestBuildkiteDesired(t *testing.T) {
	for _, c := range []struct {
		name string
		m    buildkiteMetrics
		want int
	}{
		{"one agent a job", buildkiteMetrics{scheduled: 10, running: 2, perInstance: 1}, 12},
		{"four agents an instance", buildkiteMetrics{scheduled: 10, running: 2, perInstance: 4, desired: 2, actual: 2, online: 8, boost: true}, 3},
		{"waiting jobs", buildkiteMetrics{scheduled: 10, running: 2, waiting: 50, includeWaiting: true, perInstance: 4, desired: 2, actual: 2, online: 8}, 15},
		{"no agent reports", buildkiteMetrics{scheduled: 1, perInstance: 4, desired: 3, actual: 3, boost: true}, 4},
		{"the group has not its size yet", buildkiteMetrics{scheduled: 1, perInstance: 4, desired: 3, actual: 2, boost: true}, 1},
		{"no boost", buildkiteMetrics{scheduled: 1, perInstance: 4, desired: 3, actual: 3}, 1},
		{"no jobs", buildkiteMetrics{perInstance: 1, buffer: 5, boost: true, desired: 3, actual: 3}, 0},
		{"a buffer", buildkiteMetrics{scheduled: 10, running: 2, perInstance: 1, buffer: 5}, 17},
		{"a buffer no larger than its jobs need", buildkiteMetrics{scheduled: 2, perInstance: 1, buffer: 5}, 4},
	} {
		if got := buildkiteDesired(c.m); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}
