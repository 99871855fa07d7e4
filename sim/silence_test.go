package sim

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// look runs a plan in a world and hands every observation to see.
func look(t *testing.T, cfg *Config, p plan, list []job, see func(at time.Duration, o *policy.Observation)) *Figures {
	t.Helper()
	f, _ := play(t, cfg, acts(func(o *policy.Observation) policy.Decision {
		at := o.Now.Sub(cfg.Start)
		see(at, o)
		return p[at]
	}), list...)
	return f
}

// A crashed worker was last seen at its last beat, and until its lease has
// passed it looks as busy as it did.
func TestCrashIsSeenAfterALease(t *testing.T) {
	cfg := tiny()
	cfg.Faults = []Fault{{Kind: Crash, From: 115 * s}}
	cfg.Duration = 4 * time.Minute
	look(t, cfg, plan{0: launch(1)}, []job{do(0, 10*time.Minute)}, func(at time.Duration, o *policy.Observation) {
		if len(o.Fleet.Instances) == 0 {
			return
		}
		in := &o.Fleet.Instances[0]
		seen := in.LastSeen.Sub(cfg.Start)
		switch at {
		case 2 * time.Minute:
			if in.Phase != policy.Ready || in.Busy != 1 || seen != 110*s || in.IdleIn == 0 {
				t.Errorf("5 s after the crash: %v, %d busy, idle in %v, seen at %v; want ready, 1 busy, seen at 110 s", in.Phase, in.Busy, in.IdleIn, seen)
			}
		case 3 * time.Minute:
			if in.Phase != policy.Lost || in.Busy != 0 || seen != 110*s {
				t.Errorf("65 s after the crash: %v, %d busy, seen at %v; want lost", in.Phase, in.Busy, seen)
			}
		}
	})
}

// An instance that boots behind a partition is booting as far as anybody
// knows; one that still boots when the partition heals has never been seen.
func TestBootBehindAPartition(t *testing.T) {
	cfg := tiny()
	cfg.Boot["a"] = BootModel{Model: "fixed", Value: 100 * s}
	cfg.Boot["b"] = BootModel{Model: "fixed", Value: 400 * s}
	cfg.Faults = []Fault{{Kind: Partition, From: 50 * s, To: 290 * s}}
	cfg.Duration = 8 * time.Minute
	look(t, cfg, plan{0: launch(1, 1)}, nil, func(at time.Duration, o *policy.Observation) {
		if at == 0 {
			return
		}
		a, b := &o.Fleet.Instances[0], &o.Fleet.Instances[1]
		wantA, wantB, samples := policy.Booting, policy.Booting, 0
		if at >= 290*s {
			wantA, samples = policy.Ready, 1
		}
		if at >= 400*s {
			wantB, samples = policy.Ready, 2
		}
		if a.Phase != wantA || b.Phase != wantB || a.LastSeen.IsZero() != (wantA == policy.Booting) || b.LastSeen.IsZero() != (wantB == policy.Booting) {
			t.Errorf("at %v: a %v seen %v, b %v seen %v; want %v and %v", at, a.Phase, a.LastSeen, b.Phase, b.LastSeen, wantA, wantB)
		}
		if o.Fleet.Boot.Samples != samples || o.Health.SilentWorkers != 0 {
			t.Errorf("at %v: %d boots seen, %d silent workers; want %d and 0", at, o.Fleet.Boot.Samples, o.Health.SilentWorkers, samples)
		}
	})
}

// A worker that crashed behind a partition does not report when it heals.
func TestCrashBehindAPartition(t *testing.T) {
	cfg := tiny()
	cfg.Faults = []Fault{{Kind: Partition, From: 50 * s, To: 290 * s}, {Kind: Crash, From: 100 * s}}
	cfg.Duration = 8 * time.Minute
	look(t, cfg, plan{0: launch(1)}, nil, func(at time.Duration, o *policy.Observation) {
		if at < 2*time.Minute {
			return
		}
		if in := &o.Fleet.Instances[0]; in.Phase != policy.Lost || in.LastSeen.Sub(cfg.Start) > 50*s {
			t.Errorf("at %v: %v, seen at %v; want lost at 50 s", at, in.Phase, in.LastSeen)
		}
	})
}

// A second partition renews nothing of the first: the lease runs from the last
// beat in between.
func TestTwoPartitionsOneLease(t *testing.T) {
	cfg := tiny()
	cfg.Faults = []Fault{{Kind: Partition, From: 5 * s, To: 15 * s}, {Kind: Partition, From: 25 * s, To: 45 * s}}
	_, rows := follow(t, cfg, plan{0: launch(1)}, do(0, 40*s))
	if wantRuns(t, rows, ran{0, 45 * s}); rows[0].Attempts != 1 {
		t.Errorf("%d attempts, want the result at the second healing", rows[0].Attempts)
	}
}

// A launch whose reply was lost is known as soon as its worker asks for work.
func TestLostReplyIsKnownByItsWorker(t *testing.T) {
	cfg := tiny()
	cfg.Boot["a"] = BootModel{Model: "fixed", Value: 90 * s}
	cfg.Faults = []Fault{{Kind: LostReply, To: time.Hour, Delay: 10 * time.Minute}}
	cfg.Duration = 4 * time.Minute
	look(t, cfg, plan{0: launch(1)}, nil, func(at time.Duration, o *policy.Observation) {
		want := policy.Requested
		if at >= 90*s {
			want = policy.Ready
		}
		if at > 0 && o.Fleet.Instances[0].Phase != want {
			t.Errorf("at %v: %v, want %v", at, o.Fleet.Instances[0].Phase, want)
		}
	})
}

// What happens to a worker behind a partition does not prolong its leases: they
// run from its last beat before.
func TestLeaseBehindAPartition(t *testing.T) {
	for _, kind := range []FaultKind{Crash, Interrupt} {
		cfg := tiny()
		cfg.Spot = &SpotMarket{Discount: 0.3}
		cfg.Faults = []Fault{
			{Kind: Partition, From: 25 * s, To: 300 * s, Types: []string{"a"}},
			{Kind: kind, From: 40 * s, To: 41 * s, Types: []string{"a"}},
		}
		d := launch(1, 1)
		d.Launches[0].Market = policy.Spot
		f, rows := follow(t, cfg, plan{0: d}, do(0, 100*s))
		if wantRuns(t, rows, ran{50 * s, 150 * s}); rows[0].Attempts != 2 || f.Jobs.Retried != 1 {
			t.Errorf("%s: %d attempts, %d retried; want the lease to end at 50 s", kind, rows[0].Attempts, f.Jobs.Retried)
		}
	}
}
