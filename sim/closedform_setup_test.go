package sim

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"gonum.org/v1/gonum/mat"
)

// setupPolicy turns a server on for every waiting job and off when it finds
// none: M/M/c with setup (Gandhi, Doroudi, Harchol-Balter 2014). An instance
// in setup that nobody waits for any more is cancelled. Staggered: one in
// setup at a time.
type setupPolicy struct {
	sleeper
	servers   int
	staggered bool
}

func (p *setupPolicy) Step(o *policy.Observation) policy.Decision {
	var d policy.Decision
	waiting := 0
	for i := range o.Queue.Kinds {
		waiting += int(o.Queue.Kinds[i].Pending.Jobs)
	}
	var setup []policy.InstanceID
	on := 0
	for i := range o.Fleet.Instances {
		switch in := &o.Fleet.Instances[i]; {
		case in.Phase == policy.Booting:
			setup = append(setup, in.ID)
		case in.Busy == 0:
			d.Drains = append(d.Drains, in.ID)
		default:
			on++
		}
	}
	want := min(waiting, p.servers-on)
	if p.staggered {
		want = min(want, 1)
	}
	if len(setup) > want { // setups forget their age: any may go
		d.Drains = append(d.Drains, setup[want:]...)
	} else if want > len(setup) {
		d.Launches = []policy.Launch{{Count: want - len(setup)}}
	}
	return d
}

// setupStation returns the exact mean sojourn and the mean number of servers
// on or in setup, with mu = 1. The chain of (jobs present, servers on) is cut
// off at far more jobs than ever occur and solved level by level.
func setupStation(c int, lambda, alpha float64, staggered bool) (sojourn, paid float64) {
	const levels = 4000
	width := func(level int) int { return min(level, c) + 1 } // servers on: 0 to min(level, c)
	setups := func(level, on int) float64 {
		n := min(level-on, c-on)
		if staggered {
			n = min(n, 1)
		}
		return float64(n)
	}
	// rates[l] times the law of level l is the law of level l+1
	rates := make([]*mat.Dense, levels)
	var next *mat.Dense
	for level := levels; level > 0; level-- {
		w := width(level)
		local := mat.NewDense(w, w, nil) // minus the generator within the level
		for on := range w {
			out := float64(on)
			if level < levels {
				out += lambda
			}
			start := alpha * setups(level, on)
			if on+1 < w {
				local.Set(on, on+1, -start)
				out += start
			}
			local.Set(on, on, out)
		}
		if next != nil { // what comes back from the level above
			for on := range w {
				for above := range width(level + 1) {
					below := above
					if above == level+1 { // its server finds no work
						below--
					}
					local.Set(on, below, local.At(on, below)-next.At(on, above)*float64(above))
				}
			}
		}
		var inverse mat.Dense
		if err := inverse.Inverse(local); err != nil {
			panic(err)
		}
		up := mat.NewDense(width(level-1), w, nil)
		for on := range width(level - 1) {
			up.Set(on, on, lambda)
		}
		next = new(mat.Dense)
		next.Mul(up, &inverse)
		rates[level-1] = next
	}
	law := mat.NewDense(1, 1, []float64{1})
	total, jobs, servers := 1.0, 0.0, 0.0
	for level := 1; level <= levels; level++ {
		here := new(mat.Dense)
		here.Mul(law, rates[level-1])
		law = here
		for on := range width(level) {
			p := law.At(0, on)
			total += p
			jobs += p * float64(level)
			servers += p * (float64(on) + setups(level, on))
		}
	}
	return jobs / total / lambda, servers / total
}

// exponential returns a boot model of exponential lags with the given mean.
func exponential(mean time.Duration) BootModel {
	const n = 4096
	b := BootModel{Model: "empirical"}
	for k := range n {
		b.Samples = append(b.Samples, time.Duration(-math.Log1p(-(float64(k)+0.5)/n)*float64(mean)))
	}
	return b
}

// Servers that take time to set up: the fleet follows the queue, so this tests
// launches, boot lags, drains and cancelled boots together.
//
// Theory acts at once, a policy at ticks 10 s apart. Services are made long, and
// what a tick can add is allowed for: a tick of sojourn, and a tick of every
// server's life.
func TestSetup(t *testing.T) {
	for _, x := range []struct {
		c             int
		lambda, alpha float64
		staggered     bool
		sojourn, paid float64
		jobs          int // thousands a seed
		heavy         bool
	}{
		{1, 0.5, 0.1, false, 12, 0.91666667, 40, true},
		{1, 0.8, 0.2, false, 10, 0.96, 40, true},
		{2, 1.2, 0.1, false, 7.56510417, 1.88833333, 3, false},
		{4, 2.8, 0.1, false, 5.19560509, 3.85490460, 100, true},
		{8, 6.4, 0.2, false, 2.71273864, 7.70585765, 5, false},
		{16, 12, 0.1, false, 2.54097608, 15.42488857, 100, true},
		{2, 1.2, 0.1, true, 11.56250000, math.NaN(), 60, true},
		{4, 2.8, 0.1, true, 11.35721193, math.NaN(), 100, true},
		{8, 6.4, 0.2, true, 6.28602808, math.NaN(), 100, true},
		{16, 12, 0.1, true, 11.05114346, math.NaN(), 100, true},
	} {
		t.Run(fmt.Sprintf("c=%d lambda=%v staggered=%v", x.c, x.lambda, x.staggered), func(t *testing.T) {
			sojourn, paid := setupStation(x.c, x.lambda, x.alpha, x.staggered)
			printed(t, "mean sojourn", sojourn, x.sojourn)
			if x.staggered { // one setup at a time decomposes
				printed(t, "mean sojourn", 1+mmcWait(x.c, x.lambda, 1)+1/x.alpha, x.sojourn)
			} else {
				printed(t, "servers on or in setup", paid, x.paid)
			}
			if x.heavy && !long() {
				t.Skip("many ticks: set SKYNET_LONG=1")
			}
			t.Parallel()

			unit := time.Duration(50*x.c) * time.Second // of mean service: a few ticks a job
			var sojourns, alive sample
			tail := 0.0
			for seed := range uint64(seeds) {
				s := &station{
					slots: x.c, streams: []customers{{rate: x.lambda / unit.Seconds(), mean: unit.Seconds()}},
					jobs: x.jobs * 1000,
				}
				cfg := &Config{
					Name: "setup", Start: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Tick: policy.MinTick, Seed: seed,
					Classes: []policy.Class{{Name: "all", Priority: -1, Target: time.Minute}},
					Catalog: policy.Catalog{Billing: policy.PerSecond, Types: []policy.InstanceType{{Name: "x", Cores: 1, Slots: 1, Speed: 1, PerHour: 3600}}},
					Boot:    map[string]BootModel{"": exponential(time.Duration(float64(unit) / x.alpha))}, MaxInstances: x.c,
				}
				span := float64(s.jobs) / x.lambda * float64(unit) // less the start, and the end when nobody comes any more
				cfg.JudgeFrom = time.Duration(0.05 * span)
				cfg.Windows = []Window{{Name: "steady", From: cfg.JudgeFrom, To: time.Duration(0.95 * span)}}
				p := &setupPolicy{servers: x.c, staggered: x.staggered}
				res, err := Run(context.Background(), cfg, p, s.source(seed), Options{})
				if err != nil {
					t.Fatal(err)
				}
				f := &res.Figures
				if f.Jobs.Pending != 0 || f.Instances.Refused != 0 {
					t.Fatalf("seed %d: %d jobs pending, %d launches refused", seed, f.Jobs.Pending, f.Instances.Refused)
				}
				sojourns = append(sojourns, *f.Classes["all"].Sojourn.Mean/unit.Seconds())
				alive = append(alive, *f.Windows["steady"].InstancesMean)
				tail = max(tail, float64(f.Instances.Launched)*policy.MinTick.Seconds()/f.DurationS)
			}
			sojourns.agrees(t, "mean sojourn", sojourn, policy.MinTick.Seconds()/unit.Seconds(), 0.05)
			alive.agrees(t, "servers paid", paid, tail, 0.03)
		})
	}
}
