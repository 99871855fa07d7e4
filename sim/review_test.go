package sim

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
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

// The tree of completions grows while the only job that runs is a long one;
// a job that starts afterwards and is short is done first all the same.
func TestShortJobAfterTheFleetGrew(t *testing.T) {
	cfg := tiny()
	cfg.MaxInstances = 1000
	_, rows := follow(t, cfg, plan{0: launch(1), 60 * s: launch(100)}, do(0, 500*s), do(70*s, 1*s), do(80*s, 1*s))
	wantRuns(t, rows, ran{0, 500 * s}, ran{70 * s, 71 * s}, ran{80 * s, 81 * s})
}

// The tree against a plain list, with jobs due within a second and within ten
// years, and slots added in between.
func TestCompletionsAgainstAList(t *testing.T) {
	var c completions
	c.grow(1)
	due := make([]int64, 5000)
	for i := range due {
		due[i] = never
	}
	draw := newStream(1, "completions")
	now, n := int64(0), 1
	for i := range int64(20_000) {
		for slot, at := range due[:n] {
			if i%500 == 0 && (c.due(int32(slot)) != at || c.runs(int32(slot)) != (at != never)) {
				t.Fatalf("step %d: slot %d is due at %d, want %d", i, slot, c.due(int32(slot)), at)
			}
		}
		if i%1000 == 999 {
			n = min(n*2, len(due))
			c.grow(n)
		}
		slot := int32(draw.UnitAt(3*i) * float64(n))
		spans := [4]float64{1e3, 1e9, 1e14, 3e17}
		if due[slot] == never {
			due[slot] = now + 1 + int64(spans[i%4]*draw.UnitAt(3*i+1))
			c.set(slot, due[slot])
		}
		want := slices.Min(due)
		if got := c.min(); got != want {
			t.Fatalf("step %d: the first is due at %d, want %d", i, got, want)
		}
		if want != never && draw.UnitAt(3*i+2) < 0.4 {
			first := c.first()
			if due[first] != want {
				t.Fatalf("step %d: slot %d is due at %d, want %d", i, first, due[first], want)
			}
			now = want
			if draw.UnitAt(3*i+2) < 0.2 {
				due[first] = now + 1 + int64(spans[i%3]*draw.UnitAt(3*i+1))
				c.again(first, due[first])
				continue
			}
			due[first] = never
			c.clear(first)
		}
	}
}

// Instance-years beyond 292 do not overflow: 400 instances for a year.
func TestLongAndLarge(t *testing.T) {
	const year = 365 * 24 * time.Hour
	cfg := tiny()
	cfg.MaxInstances, cfg.Tick, cfg.Duration = 400, 30*24*time.Hour, year
	f, _ := follow(t, cfg, plan{0: launch(400)})
	if !same(f.Instances.Mean, 400) {
		t.Errorf("a mean of %v instances, want 400", f.Instances.Mean)
	}
	if f.HoursPaid != 400*8760 {
		t.Errorf("paid %v instance hours, want %v", f.HoursPaid, 400*8760)
	}
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

// What EC2 takes back within a window is not charged for that window, also
// when the price has moved meanwhile; within the first hour by the second,
// nothing is.
func TestRefundAfterAPriceMoved(t *testing.T) {
	spot := policy.Decision{Launches: []policy.Launch{{Market: policy.Spot, Count: 1}}}
	for _, x := range []struct {
		name         string
		billing      policy.Billing
		launch, gone time.Duration
		cost, hours  float64
	}{
		// price 0.10 in the first hour of the run, 0.20 in the second, 0.30 in the third
		{"first window, price moved in it", policy.Hourly, 10 * time.Minute, 65 * time.Minute, 0, 0},
		{"second window, price moved in it", policy.Hourly, 10 * time.Minute, 125 * time.Minute, 0.10, 1},
		{"second window, before the price moved", policy.Hourly, 10 * time.Minute, 100 * time.Minute, 0.10, 1},
		{"first hour by the second", policy.PerSecond, 10 * time.Minute, 65 * time.Minute, 0, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			cfg := tiny()
			cfg.Duration = 3 * time.Hour
			cfg.Catalog.Billing = x.billing
			cfg.Spot = &SpotMarket{Discount: 0.3, Notice: time.Minute, Series: map[string][]PricePoint{
				"a": {{0, 100_000}, {time.Hour, 200_000}, {2 * time.Hour, 300_000}},
			}}
			cfg.Faults = []Fault{{Kind: Interrupt, From: x.gone - time.Minute, To: x.gone}}
			f, _ := follow(t, cfg, plan{x.launch: spot})
			if f.CostUSD != x.cost || f.Judged.CostUSD != x.cost || f.HoursPaid != x.hours || f.Instances.Interrupted != 1 {
				t.Errorf("cost $ %v, judged $ %v, %v hours, %d interrupted; want $ %v and %v hours", f.CostUSD, f.Judged.CostUSD, f.HoursPaid, f.Instances.Interrupted, x.cost, x.hours)
			}
		})
	}
}

// Where spot costs more than on-demand, nobody gets any.
func TestSpotAboveOnDemandIsNotSold(t *testing.T) {
	cfg := tiny()
	cfg.Duration = 2 * time.Hour
	cfg.Spot = &SpotMarket{Discount: 0.3, Series: map[string][]PricePoint{"a": {{0, 400_000}}}}
	f, _ := follow(t, cfg, plan{60 * s: {Launches: []policy.Launch{{Market: policy.Spot, Count: 1}}}})
	if f.Instances.Launched != 0 || f.Instances.Refused != 1 {
		t.Errorf("%d launched, %d refused; want the launch refused", f.Instances.Launched, f.Instances.Refused)
	}
}

// A crash rate so low that its time lies beyond the calendar is no crash, and
// events of ended instances do not pile up.
func TestRareRates(t *testing.T) {
	cfg := tiny()
	cfg.Catalog.Billing = policy.PerSecond
	cfg.Duration = 10 * 24 * time.Hour
	cfg.Faults = []Fault{{Kind: Crash, Rate: 1e-9}, {Kind: Crash, Rate: 1e-2}}
	next := policy.InstanceID(0)
	p := acts(func(o *policy.Observation) policy.Decision {
		d := launch(10)
		for i := range o.Fleet.Instances {
			d.Drains = append(d.Drains, o.Fleet.Instances[i].ID)
		}
		next += 10
		return d
	})
	e, err := newEngine(cfg, p, newJobs(nil), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if e.launched < 100_000 || len(e.rare.items) > 5_000 {
		t.Errorf("after %d launches, %d of them alive, %d events are kept", e.launched, len(e.alive), len(e.rare.items))
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

// The timeline shows the world, not what a policy is made to believe of it,
// and the work that was offered.
func TestTimelineIsTrue(t *testing.T) {
	cfg := tiny()
	cfg.Duration = 5 * time.Minute
	cfg.Faults = []Fault{{Kind: Zero, From: 90 * s, To: 4 * time.Minute, Signals: []string{"fleet"}}}
	list := []job{do(0, 1*s), do(130*s, 1*s), do(140*s, 1*s)}
	res, err := Run(context.Background(), cfg, plan{0: launch(3)}.policy(cfg), newJobs(list), Options{Timeline: true})
	if err != nil {
		t.Fatal(err)
	}
	if row := res.Ticks[2]; row.Ready != 3 || row.Instances != 3 {
		t.Errorf("at %v: %d slots ready, want 3", row.At, row.Ready)
	}
	// one job of a second is known: two jobs are estimated as two core-seconds
	if row := res.Ticks[3]; row.Offered < 2./60*0.99 || row.Offered > 2./60*1.01 {
		t.Errorf("at %v: %v core-seconds a second were offered, want 2/60", row.At, row.Offered)
	}
}

// A signal that goes stale keeps what was last read before, and a blind one
// says when that was.
func TestStaleFromTheFault(t *testing.T) {
	for _, kind := range []FaultKind{Stale, Blind, QueueOutage} {
		cfg := tiny()
		cfg.Duration = 5 * time.Minute
		cfg.Faults = []Fault{{Kind: kind, From: 70 * s, To: 200 * s}}
		list := []job{do(50*s, 1*s), do(65*s, 1*s), do(75*s, 1*s)}
		look(t, cfg, nil, list, func(at time.Duration, o *policy.Observation) {
			jobs, read := int64(0), o.Queue.At.Sub(cfg.Start)
			for i := range o.Queue.Kinds {
				jobs += o.Queue.Kinds[i].Pending.Jobs
			}
			stale := at == 120*s || at == 180*s
			if stale && (jobs != 1 || read != 60*s) {
				t.Errorf("%s at %v: %d pending, read at %v; want the 1 of 60 s", kind, at, jobs, read)
			}
			if complete := !stale || kind == Stale; o.Queue.Complete != complete {
				t.Errorf("%s at %v: complete is %v", kind, at, o.Queue.Complete)
			}
		})
	}
	cfg := tiny()
	cfg.Duration = 5 * time.Minute
	cfg.Faults = []Fault{
		{Kind: Stale, From: 70 * s, To: 200 * s, Signals: []string{"money"}},
		{Kind: PriceChange, From: 90 * s, To: 200 * s, Factor: 2},
	}
	look(t, cfg, nil, nil, func(at time.Duration, o *policy.Observation) {
		if o.Money.OnDemand[0] != 360_000 {
			t.Errorf("at %v: the stale price is %v", at, o.Money.OnDemand[0])
		}
	})
}

// Paid time of an instance that crashed is gone, not slack.
func TestCrashedTimeIsGone(t *testing.T) {
	cfg := tiny()
	cfg.Duration = time.Hour
	cfg.Faults = []Fault{{Kind: Crash, From: 15 * time.Minute}}
	f, _ := follow(t, cfg, plan{0: launch(1)})
	if !same(f.Paid.Gone, 0.75) || !same(f.Paid.Slack, 0.25) {
		t.Errorf("%+v, want three quarters gone", f.Paid)
	}
}

// A world that would run backwards or divide by nothing is refused.
func TestConfigRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"judge_from":   func(c *Config) { c.JudgeFrom = -1 },
		"fault before": func(c *Config) { c.Faults = []Fault{{Kind: Crash, From: -1}} },
		"no samples":   func(c *Config) { c.Boot["a"] = BootModel{Model: "empirical"} },
		"no median":    func(c *Config) { c.Boot["a"] = BootModel{Model: "lognormal", P99: s} },
		"negative lag": func(c *Config) { c.Boot["a"] = BootModel{Model: "fixed", Value: -s} },
	} {
		cfg := tiny()
		spoil(cfg)
		if _, err := Run(context.Background(), cfg, plan{}.policy(cfg), newJobs(nil), Options{}); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}

// Slots put back together stand as if each had been put in by its place.
func TestAddAllAgainstASortedList(t *testing.T) {
	const slots = 200
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		var l idleList
		l.grow(slots)
		var listed, out []int32
		for s := range int32(slots) {
			out = append(out, s)
			l.node[s].owner = r.Int64N(20)
		}
		for now := range int64(300) {
			var some []int32
			for range r.IntN(1 + min(len(out), 30)) {
				i := r.IntN(len(out))
				s := out[i]
				out = slices.Delete(out, i, i+1)
				listed = append(listed, s)
				if now == 0 || r.IntN(3) == 0 {
					l.add(s, l.node[s].owner, now)
				} else {
					some = append(some, s)
				}
			}
			l.addAll(some)
			slices.SortFunc(listed, func(a, b int32) int {
				return cmp.Or(cmp.Compare(l.node[a].since, l.node[b].since), cmp.Compare(l.node[a].owner, l.node[b].owner), cmp.Compare(a, b))
			})
			for range r.IntN(1 + min(len(listed), 30)) {
				i := 0
				if r.IntN(2) == 0 {
					if got := l.take(); got != listed[0] {
						t.Fatalf("seed %d, at %d: took %d, want %d", seed, now, got, listed[0])
					}
				} else {
					i = r.IntN(len(listed))
					l.remove(listed[i])
				}
				out = append(out, listed[i])
				listed = slices.Delete(listed, i, i+1)
			}
			if l.n != len(listed) {
				t.Fatalf("seed %d, at %d: %d listed, want %d", seed, now, l.n, len(listed))
			}
		}
	}
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
