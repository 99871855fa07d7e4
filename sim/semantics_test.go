package sim

import (
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Every sentence of the simulator's contract, each in a world small enough to
// work out by hand.

// One job, no fleet: it waits for the boot.
func TestColdStart(t *testing.T) {
	cfg := tiny()
	cfg.Boot[""] = BootModel{Model: "fixed", Value: 300 * s}
	f, rows := follow(t, cfg, plan{0: launch(1)}, do(0, 7*s))
	wantRuns(t, rows, ran{300 * s, 307 * s})
	wantCost(t, f, 1)
	if *f.Classes["all"].Sojourn.Max != 307 {
		t.Errorf("sojourn %v s, want 307", *f.Classes["all"].Sojourn.Max)
	}
}

// A completion comes before a crash of the same instant.
func TestCompletionBeforeCrash(t *testing.T) {
	cfg := tiny()
	cfg.Faults = []Fault{{Kind: Crash, From: 25 * s}}
	f, rows := follow(t, cfg, plan{0: launch(1)}, do(0, 25*s))
	wantRuns(t, rows, ran{0, 25 * s})
	if rows[0].Attempts != 1 || f.Jobs.Retried != 0 {
		t.Errorf("%d attempts, %d retried: the job was done when its worker crashed", rows[0].Attempts, f.Jobs.Retried)
	}
}

// A crash comes before an arrival of the same instant: the dead take no job.
func TestCrashBeforeArrival(t *testing.T) {
	cfg := tiny()
	cfg.Faults = []Fault{{Kind: Crash, From: 25 * s, Types: []string{"a"}}}
	_, rows := follow(t, cfg, plan{0: launch(1, 1)}, do(0, 1*s), do(0, 40*s), do(25*s, 1*s))
	wantRuns(t, rows, ran{0, 1 * s}, ran{0, 40 * s}, ran{40 * s, 41 * s})
}

// An instance becomes ready before arrivals and the tick of the same instant.
func TestReadyBeforeArrivalAndTick(t *testing.T) {
	cfg := tiny()
	cfg.Boot[""] = BootModel{Model: "fixed", Value: 60 * s}
	seen := false
	p := acts(func(o *policy.Observation) policy.Decision {
		switch o.Now.Sub(cfg.Start) {
		case 0:
			return launch(1)
		case 60 * s:
			in := o.Fleet.Instances[0]
			seen = in.Phase == policy.Ready && in.Busy == 1 && o.Queue.Kinds[0].Pending.Jobs == 0
		}
		return policy.Decision{}
	})
	_, rows := play(t, cfg, p, do(60*s, 5*s))
	wantRuns(t, rows, ran{60 * s, 65 * s})
	if !seen {
		t.Error("the tick at 60 s did not see the instance ready and at work")
	}
}

// Arrivals come before dispatch: an urgent job that arrives as a slot comes
// free goes before one that waits.
func TestArrivalBeforeDispatch(t *testing.T) {
	_, rows := follow(t, tiny(), plan{0: launch(1)}, do(0, 10*s), do(5*s, 3*s, 1), do(10*s, 2*s, 0))
	wantRuns(t, rows, ran{0, 10 * s}, ran{12 * s, 15 * s}, ran{10 * s, 12 * s})
}

// Completions and dispatch come before the tick: it sees the new job running
// in the place of the old, and nothing pending.
func TestDispatchBeforeTick(t *testing.T) {
	cfg := tiny()
	var pending, running, busy int64 = -1, -1, -1
	p := acts(func(o *policy.Observation) policy.Decision {
		switch o.Now.Sub(cfg.Start) {
		case 0:
			return launch(1)
		case 60 * s:
			pending, running, busy = o.Queue.Kinds[0].Pending.Jobs, o.Queue.Kinds[0].InFlight.Jobs, int64(o.Fleet.Instances[0].Busy)
		}
		return policy.Decision{}
	})
	play(t, cfg, p, do(0, 60*s), do(60*s, 10*s))
	if pending != 0 || running != 1 || busy != 1 {
		t.Errorf("the tick saw %d pending, %d running, %d busy; want 0, 1, 1", pending, running, busy)
	}
}

// Drains come before launches: they make room.
func TestDrainBeforeLaunch(t *testing.T) {
	cfg := tiny()
	cfg.MaxInstances = 1
	open := policy.Open(2)
	cfg.Guard = &open // which counts the drained instance as there
	swap := launch(0, 1)
	swap.Drains = []policy.InstanceID{0}
	f, rows := follow(t, cfg, plan{0: launch(1), 60 * s: swap}, do(0, 1*s), do(61*s, 1*s))
	if f.Instances.Launched != 2 || f.Instances.Refused != 0 || f.Instances.Max != 1 {
		t.Errorf("%+v: the launch must take the place of the drained instance", f.Instances)
	}
	wantInstances(t, rows, 0, 1)
}

// An instance without boot lag is ready after the tick that launched it, at
// the same instant, and dispatch follows.
func TestBootLagZero(t *testing.T) {
	cfg := tiny()
	pending := int64(-1)
	p := acts(func(o *policy.Observation) policy.Decision {
		if o.Now.Sub(cfg.Start) != 60*s {
			return policy.Decision{}
		}
		pending = o.Queue.Kinds[0].Pending.Jobs
		return launch(1)
	})
	_, rows := play(t, cfg, p, do(0, 1*s), do(60*s, 1*s))
	wantRuns(t, rows, ran{60 * s, 61 * s}, ran{61 * s, 62 * s})
	if pending != 2 {
		t.Errorf("the tick saw %d pending jobs, want 2: the instance was not there yet", pending)
	}
}

// At the end of the run completions and arrivals still happen; no tick does,
// and nothing happens later.
func TestEnd(t *testing.T) {
	cfg := tiny()
	cfg.Duration = 120 * s
	ticks := 0
	p := acts(func(*policy.Observation) policy.Decision {
		if ticks++; ticks == 1 {
			return launch(2)
		}
		return policy.Decision{}
	})
	f, rows := play(t, cfg, p, do(0, 120*s), do(0, 120*s+1), do(120*s, 1*s), do(120*s+1, 1*s))
	wantRuns(t, rows, ran{0, 120 * s}, ran{0, -1}, ran{120 * s, -1})
	if ticks != 2 || f.Ticks != 2 {
		t.Errorf("%d ticks, %d in the figures; want those at 0 and 60 s", ticks, f.Ticks)
	}
	want := JobFigures{Arrived: 3, Completed: 1, Pending: 2}
	if f.Jobs != want || !same(f.DurationS, 120) {
		t.Errorf("%+v after %v s, want %+v after 120 s", f.Jobs, f.DurationS, want)
	}
}

// Without a duration the run ends when the last job is done, and bills end
// there.
func TestEndOfTrace(t *testing.T) {
	cfg := tiny()
	cfg.Catalog.Billing = policy.PerSecond
	f, _ := follow(t, cfg, plan{0: launch(1)}, do(0, 10*s), do(80*s, 10*s))
	if !same(f.DurationS, 90) || f.Ticks != 2 || f.HoursPaid != 0.025 {
		t.Errorf("%v s, %d ticks, %v hours paid; want 90 s, 2, 0.025", f.DurationS, f.Ticks, f.HoursPaid)
	}
}

// Ticks fall on multiples of the tick; an earlier one may be asked for where
// fast ticks are on, ten seconds ahead at the least, and the grid stays.
func TestTicks(t *testing.T) {
	for _, x := range []struct {
		fast bool
		next time.Duration
		want []time.Duration
	}{
		{false, 20 * s, []time.Duration{0, 60 * s, 120 * s}},
		{true, 0, []time.Duration{0, 60 * s, 120 * s}},
		{true, 25 * s, []time.Duration{0, 25 * s, 50 * s, 60 * s, 85 * s, 110 * s, 120 * s}},
		{true, 50 * s, []time.Duration{0, 50 * s, 60 * s, 110 * s, 120 * s}},
		{true, 90 * s, []time.Duration{0, 60 * s, 120 * s}},
		{true, 1, []time.Duration{0, 10 * s, 20 * s, 30 * s, 40 * s, 50 * s, 60 * s, 70 * s, 80 * s, 90 * s, 100 * s, 110 * s, 120 * s}},
	} {
		cfg := tiny()
		cfg.FastTicks, cfg.Duration = x.fast, 121*s
		var got []time.Duration
		play(t, cfg, acts(func(o *policy.Observation) policy.Decision {
			got = append(got, o.Now.Sub(cfg.Start))
			return policy.Decision{NextTick: x.next}
		}))
		if !slices.Equal(got, x.want) {
			t.Errorf("fast ticks %v, asked for %v: ticks at %v, want %v", x.fast, x.next, got, x.want)
		}
	}
}

// Jobs run by priority, then arrival, then order in the trace, and nothing is
// preempted.
func TestLineOrder(t *testing.T) {
	_, rows := follow(t, tiny(), plan{0: launch(1)},
		do(0, 10*s, 3), do(1*s, 1*s, 2), do(1*s, 1*s, 2), do(2*s, 1*s, 0), do(3*s, 1*s, 0), do(3*s, 1*s, 1))
	wantRuns(t, rows,
		ran{0, 10 * s}, ran{13 * s, 14 * s}, ran{14 * s, 15 * s}, ran{10 * s, 11 * s}, ran{11 * s, 12 * s}, ran{12 * s, 13 * s})
}

// A waiting job goes to the slot idle longest; ties go to the lowest instance.
func TestIdleOrder(t *testing.T) {
	cfg := tiny()
	cfg.Catalog.Types[0].Slots, cfg.Catalog.Types[0].Cores = 2, 2
	_, rows := follow(t, cfg, plan{0: launch(2)},
		// all idle since 0: instance 0 twice, then 1 twice
		do(1*s, 9*s), do(2*s, 2*s), do(3*s, 1*s), do(5*s, 6*s),
		// idle since: 1 since 0 (taken by the last), 0 since 4 and 1 since 4
		do(6*s, 10*s), do(7*s, 10*s),
		// 0 free at 10, 1 at 11
		do(12*s, 1*s), do(12*s, 1*s))
	wantInstances(t, rows, 0, 0, 1, 1, 0, 1, 0, 1)
}

// Slots that came free at one instant are tied, in whichever order their jobs
// were started.
func TestIdleTies(t *testing.T) {
	_, rows := follow(t, tiny(), plan{0: launch(3)},
		do(0, 10*s), do(1*s, 9*s), do(2*s, 8*s), do(10*s, 1*s), do(11*s, 1*s), do(11*s, 1*s))
	wantInstances(t, rows, 0, 1, 2, 0, 1, 2)
}

// They are tied where jobs wait for them, too, and on slots that instance 0 had
// and instance 2 took over.
func TestIdleTiesOfOneInstant(t *testing.T) {
	_, rows := follow(t, tiny(), plan{0: launch(2), 60 * s: drain(0), 120 * s: launch(1)},
		do(121*s, 10*s), do(122*s, 9*s), do(123*s, 1*s), do(124*s, 1*s))
	wantInstances(t, rows, 1, 2, 1, 2)
}

// Service is work over speed, rounded up to a nanosecond.
func TestServiceTime(t *testing.T) {
	for _, x := range []struct {
		reference, speed float64
		service, want    time.Duration
	}{
		{1, 1, 7, 7},
		{1, 2, 7, 4},
		{1, 3, 1, 1},
		{1, 3, 10, 4},
		{1, 3, 9, 3},
		{2.5, 2.5, 7, 7},
		{2.5, 2, 7, 9},
		{2.5, 1, 4 * s, 10 * s},
		{0.7, 1, 10, 7},
		{1, 0.3, 3, 10},
	} {
		cfg := tiny()
		cfg.ReferenceSpeed, cfg.Catalog.Types[0].Speed = x.reference, x.speed
		_, rows := follow(t, cfg, plan{0: launch(1)}, do(0, x.service))
		if got := rows[0].Finish - rows[0].Start; got != x.want {
			t.Errorf("%v recorded at speed %v takes %v at speed %v, want %v", x.service, x.reference, got, x.speed, x.want)
		}
	}
}

// A job of a crashed worker returns a lease after its last beat: beats come
// every ten seconds from when the worker was ready, and taking a job is one.
func TestLeaseEnd(t *testing.T) {
	for _, x := range []struct {
		name               string
		boot, taken, crash time.Duration
		lease, beat        time.Duration
		back               time.Duration
	}{
		{"beats at 0, 10, 20", 0, 0, 25 * s, 30 * s, 10 * s, 50 * s},
		{"a beat as it crashes", 0, 0, 20 * s, 30 * s, 10 * s, 50 * s},
		{"before the first beat", 0, 0, 10*s - 1, 30 * s, 10 * s, 30 * s},
		{"taken after the last beat", 0, 23 * s, 25 * s, 30 * s, 10 * s, 53 * s},
		{"beats from when it was ready", 5 * s, 5 * s, 24 * s, 30 * s, 10 * s, 45 * s},
		{"another lease and beat", 0, 0, 25 * s, 100 * s, 4 * s, 124 * s},
	} {
		t.Run(x.name, func(t *testing.T) {
			cfg := tiny()
			cfg.Boot["a"] = BootModel{Model: "fixed", Value: x.boot}
			cfg.Lease, cfg.Beat = x.lease, x.beat
			cfg.Faults = []Fault{{Kind: Crash, From: x.crash, Types: []string{"a"}}}
			cfg.Tick = 10 * s
			f, rows := follow(t, cfg, plan{0: launch(1), 20 * s: launch(0, 1)}, do(x.taken, 90*s))
			wantRuns(t, rows, ran{x.back, x.back + 90*s})
			wantInstances(t, rows, 1)
			if rows[0].Attempts != 2 || f.Jobs != (JobFigures{Arrived: 1, Completed: 1, Retried: 1}) {
				t.Errorf("%d attempts, %+v; want one retry and one completion", rows[0].Attempts, f.Jobs)
			}
		})
	}
}

// A returned job keeps its arrival, and so its place: before those of its
// priority that came later, after those more urgent.
func TestReturnedJobKeepsItsPlace(t *testing.T) {
	cfg := tiny()
	cfg.Tick = 10 * s
	cfg.Faults = []Fault{{Kind: Crash, From: 15 * s, Types: []string{"a"}}}
	// the crashed job is back at 40 s; b comes free at 100 s
	_, rows := follow(t, cfg, plan{0: launch(1, 1)},
		do(0, 60*s, 1), do(0, 100*s, 1), do(5*s, 1*s, 1), do(50*s, 1*s, 0))
	wantRuns(t, rows, ran{101 * s, 161 * s}, ran{0, 100 * s}, ran{161 * s, 162 * s}, ran{100 * s, 101 * s})
	if rows[0].Arrival != 0 || rows[0].Attempts != 2 {
		t.Errorf("%+v: want arrival 0 and 2 attempts", rows[0])
	}
}

// A job whose attempts are used up is lost, and late.
func TestLost(t *testing.T) {
	cfg := tiny()
	cfg.MaxAttempts, cfg.Duration = 1, 50*s
	cfg.Faults = []Fault{{Kind: Crash, From: 5 * s}}
	f, rows := follow(t, cfg, plan{0: launch(1)}, do(0, 10*s))
	wantRuns(t, rows, ran{-1, -1})
	if f.Jobs != (JobFigures{Arrived: 1, Lost: 1, Retried: 1}) {
		t.Errorf("%+v, want the job lost", f.Jobs)
	}
	wantFigure(t, "attained", f.Classes["all"].Attained, 0)
}

// A drained instance takes no new job, ends with its last one, and never in
// the middle; one still booting ends at once.
func TestDrain(t *testing.T) {
	cfg := tiny()
	cfg.Catalog.Types[0].Slots, cfg.Catalog.Types[0].Cores = 2, 2
	cfg.Catalog.Billing = policy.PerSecond
	cfg.Duration = 200 * s
	f, rows := follow(t, cfg, plan{0: launch(1), 60 * s: drain(0)}, do(0, 30*s), do(0, 150*s), do(61*s, 1*s))
	wantRuns(t, rows, ran{0, 30 * s}, ran{0, 150 * s}, ran{-1, -1})
	if f.Instances.Terminated != 1 || f.HoursPaid != (150*s).Hours() {
		t.Errorf("%d terminated, %v hours paid; want one that lived 150 s", f.Instances.Terminated, f.HoursPaid)
	}
}

// Undrained at a tick, an instance takes waiting jobs at that instant; one
// that has ended stays ended.
func TestUndrain(t *testing.T) {
	cfg := tiny()
	cfg.Catalog.Types[0].Slots, cfg.Catalog.Types[0].Cores = 2, 2
	cfg.Duration = 400 * s
	f, rows := follow(t, cfg, plan{0: launch(1), 60 * s: drain(0), 120 * s: undrain(0), 180 * s: drain(0), 360 * s: undrain(0)},
		do(0, 300*s), do(61*s, 5*s), do(350*s, 1*s))
	wantRuns(t, rows, ran{0, 300 * s}, ran{120 * s, 125 * s}, ran{-1, -1})
	if i := f.Instances; i.Drained != 2 || i.Undrained != 1 || i.Terminated != 1 {
		t.Errorf("%+v: want 2 drains, 1 undrain, 1 termination", i)
	}
}

// A slot that is put back has been idle since its last job, not since then.
func TestUndrainedSlotKeepsItsPlace(t *testing.T) {
	cfg := tiny()
	cfg.Catalog.Types[0].Slots, cfg.Catalog.Types[0].Cores = 2, 2
	_, rows := follow(t, cfg, plan{0: launch(1, 1), 60 * s: drain(0), 120 * s: undrain(0)},
		do(0, 300*s), do(0, 10*s), do(0, 20*s), do(130*s, 1*s))
	wantInstances(t, rows, 0, 0, 1, 0)
}

// What EC2 has no room for is refused and counted; the rest is launched.
func TestQuota(t *testing.T) {
	cfg := tiny()
	cfg.MaxInstances = 3
	open := policy.Open(100)
	cfg.Guard = &open
	cfg.Duration = 30 * s
	f, _ := follow(t, cfg, plan{0: launch(2, 4)})
	if i := f.Instances; i.Launched != 3 || i.Refused != 3 || i.LaunchedByType["a"] != 2 {
		t.Errorf("%+v: want 3 launched, two of them a, and 3 refused", i)
	}
}

// What EC2 refuses of a type is asked for as its substitute, in proportion,
// rounded up.
func TestSubstitutes(t *testing.T) {
	cfg := tiny()
	cfg.Duration = 30 * s
	cfg.Faults = []Fault{{Kind: Refuse, Types: []string{"a"}, To: time.Hour}}
	d := launch(3)
	d.Launches[0].Else = []policy.Substitute{{Type: 1, Num: 5, Den: 2}}
	f, _ := follow(t, cfg, plan{0: d})
	if i := f.Instances; i.LaunchedByType["b"] != 8 || i.Launched != 8 || i.Refused != 3 {
		t.Errorf("%+v: want 8 b for 3 a", i)
	}
}
