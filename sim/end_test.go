package sim

import "testing"

// Without a duration the run ends with its last job: a tick that falls on the
// same instant does not happen any more.
func TestNoTickAtTheEndOfTheTrace(t *testing.T) {
	f, _ := follow(t, tiny(), plan{0: launch(1), 60 * s: launch(1)}, do(0, 60*s))
	if f.Ticks != 1 || f.Instances.Launched != 1 {
		t.Errorf("%d ticks, %d launched, want one of each", f.Ticks, f.Instances.Launched)
	}
}

// A job that is lost settles its fate, too: the run lasts until then.
func TestEndsWithALostJob(t *testing.T) {
	cfg := tiny()
	cfg.MaxAttempts = 1
	cfg.Faults = []Fault{{Kind: Crash, From: 5 * s}}
	f, _ := follow(t, cfg, plan{0: launch(1)}, do(0, 10*s))
	if !same(f.DurationS, 30) {
		t.Errorf("ended after %v s, want 30: the lease's end", f.DurationS)
	}
}

// Times in results are what a person would write.
func TestDurationIsExact(t *testing.T) {
	cfg := tiny()
	cfg.Duration = 120 * s
	f, _ := follow(t, cfg, plan{0: launch(1)}, do(0, 10*s))
	if f.DurationS != 120 {
		t.Errorf("duration_s = %v, want 120", f.DurationS)
	}
}
