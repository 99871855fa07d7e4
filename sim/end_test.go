package sim

import (
	"context"
	"errors"
	"testing"

	"github.com/skynet-ec2/skynet/policy"
)

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

// A trace that brings more jobs than memory should hold ends the run with an
// error that says what to do.
func TestTooManyPendingJobs(t *testing.T) {
	cfg := tiny()
	p, err := policy.NewStatic(cfg.Env(), 0, cfg.Catalog.Types[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]job, 100)
	for i := range list {
		list[i] = job{arrival: int64(i), service: 1, typ: "photo"}
	}
	e, err := newEngine(cfg, p, newJobs(list), Options{})
	if err != nil {
		t.Fatal(err)
	}
	e.pendingMax = 50
	var overload *OverloadError
	if err := e.run(context.Background()); !errors.As(err, &overload) || overload.Pending <= 50 || !overload.BadInput() {
		t.Errorf("100 jobs where 50 may wait: %v", err)
	}
}
