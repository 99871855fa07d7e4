package sim

import (
	"context"
	"errors"
	"testing"
	"time"

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

// A run without a duration ends when nothing can move any more, and not while
// a job still runs.
func TestRunsEnd(t *testing.T) {
	const day = 24 * time.Hour
	launchAlways := acts(func(o *policy.Observation) policy.Decision {
		d := launch(1)
		for i := range o.Fleet.Instances {
			if o.Now.Sub(o.Fleet.Instances[i].LaunchedAt) > 10*time.Hour {
				d.Drains = append(d.Drains, o.Fleet.Instances[i].ID)
			}
		}
		return d
	})
	t.Run("a job of ten days", func(t *testing.T) {
		cfg := tiny()
		cfg.Tick = time.Hour
		_, rows := follow(t, cfg, plan{0: launch(1)}, do(0, 10*day))
		wantRuns(t, rows, ran{0, 10 * day})
	})
	t.Run("the store stays down", func(t *testing.T) {
		cfg := tiny()
		cfg.Tick = time.Hour
		cfg.Faults = []Fault{{Kind: StoreDown}}
		f, rows := follow(t, cfg, plan{0: launch(1)}, do(0, 10*s))
		if wantRuns(t, rows, ran{0, -1}); f.Jobs.Pending != 1 {
			t.Errorf("%+v, want one job pending", f.Jobs)
		}
	})
	t.Run("no instance ever boots", func(t *testing.T) {
		cfg := tiny()
		cfg.Tick = time.Hour
		cfg.Boot[""] = BootModel{Model: "fixed", NeverBoots: 1}
		if f, _ := play(t, cfg, launchAlways, do(0, 10*s)); f.Jobs.Pending != 1 || f.DurationS > 15*86400 {
			t.Errorf("%+v after %v s, want one job pending and an end", f.Jobs, f.DurationS)
		}
	})
	t.Run("every attempt crashes", func(t *testing.T) {
		cfg := tiny()
		cfg.Tick = time.Hour
		cfg.Faults = []Fault{{Kind: Crash, Rate: 1000}}
		if f, _ := play(t, cfg, launchAlways, do(0, 10*time.Hour)); f.Jobs.Pending != 1 || f.DurationS > 15*86400 {
			t.Errorf("%+v after %v s, want one job pending and an end", f.Jobs, f.DurationS)
		}
	})
	t.Run("with the last job's loss", func(t *testing.T) {
		cfg := tiny()
		cfg.MaxAttempts = 1
		cfg.Faults = []Fault{{Kind: Crash, From: 45 * s}}
		f, _ := follow(t, cfg, plan{0: launch(1), 60 * s: launch(2)}, do(0, 60*s))
		if f.Jobs.Lost != 1 || f.DurationS != 70 { // last beat at 40 s
			t.Errorf("%+v after %v s, want the job lost at 70 s", f.Jobs, f.DurationS)
		}
	})
	t.Run("with the last result", func(t *testing.T) {
		cfg := tiny()
		cfg.Lease = 10 * time.Minute
		cfg.Faults = []Fault{{Kind: Partition, From: 5 * s, To: 20 * s}}
		if f, _ := follow(t, cfg, plan{0: launch(1)}, do(0, 10*s)); f.DurationS != 20 || f.Ticks != 1 {
			t.Errorf("ended at %v s after %d ticks, want 20 s and 1", f.DurationS, f.Ticks)
		}
	})
}
