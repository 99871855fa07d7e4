package baseline

import "testing"

// TestKedaJobs: how many Jobs the strategies create, from scale_jobs.go.
func TestKedaJobs(t *testing.T) {
	for _, c := range []struct {
		name                           string
		queue, running, pending, most  int
		byDefault, accurately, eagerly int
	}{
		{"all pending already: eager makes duplicates", 10, 10, 10, 100, 0, 0, 10},
		{"as many run as wait: default starves them", 10, 10, 0, 100, 0, 10, 10},
		{"near the most", 10, 95, 0, 100, -85, 5, 5},
		{"the list failed, so none seem to run", 10, 0, 0, 100, 10, 10, 10},
		{"no queue", 0, 3, 0, 100, -3, 0, 0},
	} {
		for strategy, want := range map[string]int{"default": c.byDefault, "accurate": c.accurately, "eager": c.eagerly} {
			if got := kedaJobs(strategy, c.queue, c.running, c.pending, c.most); got != want {
				t.Errorf("%s: %s creates %d, want %d", c.name, strategy, got, want)
			}
		}
	}
}
