package skynet

import (
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// books drives the books of one class, minute by minute: what starts, and the
// late share of it at a z.
type books struct {
	w             *world
	o             policy.Observation
	minute        int
	started, late float64
}

func newBooks(t *testing.T, v policy.Values, class policy.Class) *books {
	class.Name, class.Priority, class.On, class.Target = "photo", -1, policy.Wait, time.Minute
	b := &books{w: newWorld(policy.Hourly, []policy.Class{class})}
	if err := b.w.start(v); err != nil {
		t.Fatal(err)
	}
	b.o.Queue.Kinds = []policy.KindView{
		{Type: "photo", Arrived: [4]policy.Flow{3: flow(60_000, 60_000)}},
		{Type: "raw", Arrived: [4]policy.Flow{3: flow(60_000, 60_000)}},
	}
	return b
}

func (b *books) class() *classBooks { return &b.w.policy.st.Steer.Classes[0] }

// run counts for days: jobs(minute) of each kind, of which late(z, jobs) are.
func (b *books) run(days float64, jobs func(minute int) float64, late func(z, jobs float64) float64) {
	for range int(days * 1440) {
		b.w.policy.lines = append(b.w.policy.lines[:0], line{urgent: true})
		n := jobs(b.minute)
		for i := range b.o.Queue.Kinds {
			k := &b.o.Queue.Kinds[i]
			k.Started = int64(n)
			k.StartedLate = int64(math.Round(n * late(b.class().Z, n)))
			b.started += float64(k.Started)
			b.late += float64(k.StartedLate)
		}
		b.w.policy.countStarts(&b.o, 60)
		b.minute++
	}
}

func steady(n float64) func(int) float64 { return func(int) float64 { return n } }

// In the long run the late share is the budget's part of what is allowed,
// whatever a reserve buys and whenever the jobs arrive.
func TestBooksSpendTheBudget(t *testing.T) {
	curves := map[string]func(z, jobs float64) float64{
		"exponential": func(z, _ float64) float64 { return min(0.1*math.Exp(-z), 1) },
		"logistic":    func(z, _ float64) float64 { return 0.3 / (1 + math.Exp(2*z)) },
		"crowds are late": func(z, jobs float64) float64 {
			return min(0.1*math.Exp(-z)*jobs/20_000, 1)
		},
	}
	mixes := map[string]func(int) float64{
		"steady":  steady(20_000),
		"by day":  func(m int) float64 { return 20_000 * (1 + 0.9*math.Sin(2*math.Pi*float64(m)/1440)) },
		"by week": func(m int) float64 { return 20_000 * (1 + 0.5*math.Sin(2*math.Pi*float64(m)/10_080)) },
		"bursts": func(m int) float64 {
			if m%300 < 10 {
				return 100_000
			}
			return 10_000
		},
	}
	for curve, late := range curves {
		for mix, jobs := range mixes {
			t.Run(curve+", "+mix, func(t *testing.T) {
				b := newBooks(t, nil, policy.Class{Attain: 0.95})
				b.run(28, jobs, late)
				b.started, b.late = 0, 0
				b.run(84, jobs, late)
				want := parBudget.Default * 0.05
				if got := b.late / b.started; math.Abs(got/want-1) > 0.06 {
					t.Errorf("%.3f %% late, want %.3f %%", 100*got, 100*want)
				}
			})
		}
	}
}

// However many are late in one bad minute, z rises by no more than two days of
// budget do: dz/dpaid = G(1 + z/2) over a payment of 2.
func TestOneDisasterCostsTwoDaysOfBudget(t *testing.T) {
	rise := func(bad float64) (z, most float64) {
		b := newBooks(t, nil, policy.Class{Attain: 0.95})
		late := func(z, _ float64) float64 { return 0.1 * math.Exp(-z) }
		b.run(20, steady(20_000), late)
		before := b.class().Z
		minutes := int(bad)
		b.run(bad/1440, steady(20_000), func(float64, float64) float64 { return 1 })
		for range 5 * 144 {
			b.run(10.0/1440, steady(20_000), late)
			z = max(z, b.class().Z-before)
		}
		paid := debtMost * (1 + float64(minutes)*60/debtTime)
		most = (before+2)*math.Exp(parGain.Default/2*paid) - 2 - before
		return z, most
	}
	for _, minutes := range []float64{200, 400} {
		if z, most := rise(minutes); z > most || z < 0.1*most {
			t.Errorf("%v bad minutes raise z by %.3f, want something up to %.3f", minutes, z, most)
		}
	}
}

// A class that comes after weeks, or comes back, has no days behind it that its
// first jobs could be measured by: nobody is late, and z falls as it falls for
// any class, by G a day.
func TestALateComerKeepsItsReserve(t *testing.T) {
	none := func(float64, float64) float64 { return 0 }
	t.Run("late", func(t *testing.T) {
		b := newBooks(t, nil, policy.Class{Attain: 0.95})
		b.run(30, steady(0), none)
		b.run(1, steady(1000), none)
		if fell := parZStart.Default - b.class().Z; fell < 0.2 || fell > 0.5 {
			t.Errorf("z fell by %.2f in a day, want about %.2f", fell, parGain.Default)
		}
	})
	t.Run("back", func(t *testing.T) {
		b := newBooks(t, nil, policy.Class{Attain: 0.95})
		b.run(20, steady(1000), func(z, _ float64) float64 { return 0.1 * math.Exp(-z) })
		b.run(30, steady(0), none)
		before := b.class().Z
		b.run(1, steady(1000), none)
		if fell := before - b.class().Z; fell < 0.2 || fell > 0.7 {
			t.Errorf("z fell by %.2f in a day from %.2f, want about %.2f", fell, before, parGain.Default*(1+before/2))
		}
	})
}

// A class that begins far over its allowance and is helped by what is bought is
// not taken for one that is out of reach.
func TestABadBeginningIsNotOutOfReach(t *testing.T) {
	b := newBooks(t, nil, policy.Class{Attain: 0.99})
	late := func(z, _ float64) float64 { return min(0.99*math.Exp(-z/6), 1) }
	for range 15 * 24 {
		b.run(1.0/24, steady(1000), late)
		if b.class().BarS > 0 {
			t.Fatalf("z = %.2f is barred: %.0f %% late, %.0f %% when it rose from %.2f", b.class().Z, 100*b.class().Late/b.class().Started, 100*b.class().BaseLate, b.class().BaseZ)
		}
	}
}

func TestNoGainHoldsZ(t *testing.T) {
	b := newBooks(t, policy.Values{"gain": 0.0, "z_start": 8.0}, policy.Class{Attain: 0.95, WorstHour: 0.9})
	b.run(2, steady(1000), func(float64, float64) float64 { return 0.5 })
	if c := b.class(); c.Z != 8 || c.HourZ != zHigh {
		t.Errorf("z = %v and %v, want both where they started", c.Z, c.HourZ)
	}
}

// A class that allows one job in a thousand and begins with all of them late owes
// more than it earns from its first sample on: its z rises at once, and the late
// share it began with is still what a rise is judged by.
func TestAStrictPromiseRemembersItsBeginning(t *testing.T) {
	w := newWorld(policy.Hourly, []policy.Class{{Name: "photo", Priority: -1, Target: time.Minute, On: policy.Wait, Attain: 0.999}})
	if err := w.start(nil); err != nil {
		t.Fatal(err)
	}
	o := &policy.Observation{Queue: policy.QueueView{Kinds: []policy.KindView{{
		Type: "photo", Started: 1000, StartedLate: 1000, Arrived: [4]policy.Flow{3: flow(60_000, 60_000)},
	}}}}
	c := &w.policy.st.Steer.Classes[0]
	w.policy.lines = append(w.policy.lines[:0], line{urgent: true})
	w.policy.countStarts(o, 60)
	if c.Z <= c.BaseZ || c.BaseLate != 1 {
		t.Errorf("z %.5f from %.5f, judged by a late share of %v: want a rise, judged by 1", c.Z, c.BaseZ, c.BaseLate)
	}
}

// A class with over one and a half times the late jobs it allows is behind: what
// is late is caught up within a boot, and an hour is in danger with more late jobs
// than the class allows. Not so in its first six hours, and not when it is out of
// reach. A class that was promised something of every hour has its own alarm.
func TestWhoIsBehindCatchesUp(t *testing.T) {
	for _, c := range []struct {
		late, worstHour float64
		hour            float64 // late jobs of the running hour, of 10 000
		lag             float64
		young           bool
		recovery        float64
		chase           bool
	}{
		{late: 740, hour: 900, lag: 118, recovery: 300},
		{late: 760, hour: 900, lag: 118, young: true, recovery: 300},
		{late: 4100, hour: 900, lag: 118, recovery: 300},
		{late: 760, hour: 0, lag: 118, recovery: 60},
		{late: 760, hour: 400, lag: 118, recovery: 60},
		{late: 760, hour: 600, lag: 118, recovery: 60, chase: true},
		{late: 760, hour: 600, lag: 33, recovery: 33, chase: true},
		{late: 760, hour: 600, lag: 0, recovery: 15, chase: true},
		{late: 760, hour: 0, worstHour: 0.8, lag: 118, recovery: 300},
	} {
		p := newBooks(t, nil, policy.Class{Attain: 0.95, WorstHour: c.worstHour}).w.policy
		p.clock, p.lag = 3600*9.999, c.lag
		class := &p.st.Steer.Classes[0]
		class.Started, class.Late = 10_000, c.late
		class.SeenS = behindSeen
		if c.young {
			class.SeenS--
		}
		class.Hours = hours{Hour: 9, Started: 10_000, Late: c.hour}
		if recovery, chase := p.recoveryTime(); recovery != c.recovery || chase != c.chase {
			t.Errorf("%+v: recovery %v, chase %v", c, recovery, chase)
		}
	}
}

// Per second the multiplier moves how soon a line is served as well as its
// reserve; with paid windows it does not, and neither for a slack to hold.
func TestALineRecoversSoonerWhereItsReserveGrows(t *testing.T) {
	for _, c := range []struct {
		z, promised float64 // promised: the recovery in force, 0: the usual
		lost, paid  bool
		cold        bool
		slack       bool
		recovery    float64
	}{
		{z: -1, recovery: 180},
		{z: 0, recovery: 90},
		{z: 0.8, recovery: 18},
		{z: 1, recovery: recoverLeast},
		{z: 4, recovery: recoverLeast},
		{z: 4, lost: true, recovery: 90},
		{z: 4, cold: true, recovery: 90},
		{z: -1, lost: true, recovery: 180},
		{z: -1, promised: 40, recovery: 40},
		{z: 0.8, promised: 40, recovery: 18},
		{z: 4, paid: true, recovery: 90},
		{z: 4, slack: true, recovery: 90},
	} {
		p := &Policy{recovery: 90, lines: []line{{z: c.z, outOfReach: c.lost}}}
		p.set = settings{recovery: 90, windows: c.paid, promises: !c.slack}
		if c.promised > 0 {
			p.recovery = c.promised
		}
		if !c.cold {
			p.st.WarmAt = time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC)
		}
		p.setLineRecovery()
		if got := p.lines[0].recovery; math.Abs(got-c.recovery) > 1e-9 {
			t.Errorf("%+v: a line recovers within %v s", c, got)
		}
	}
}

// However soon what waits shall be done, and wherever in a step of the plan a boot
// ends: no more is asked for than does it within the shortest recovery.
func TestTheShortestRecoveryStillLeavesTimeToServe(t *testing.T) {
	const work = 6000.0 // slot-seconds
	for lag := 0.0; lag < 500; lag += 0.37 {
		p := &plan{steps: fineSteps + minuteSteps, lineCount: 1}
		p.lines[0] = planLine{urgent: true, waiting: work, reserveFactor: noReserve}
		from := lag + recoverLeast
		k := checks{urgent: sameSpan(stepOf(from), stepOf(from+60)), tolerance: 1}
		if need := p.shortfall(capacity{extraFrom: maxSteps}, lag, k); need > 1.01*work/recoverLeast {
			t.Fatalf("%v slots for %v slot-seconds, with a boot lag of %v s", need, work, lag)
		}
	}
}
