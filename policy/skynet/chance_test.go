package skynet

import (
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// TestSlotsForWait holds slotsForWait against Erlang's formula written out as the sums
// it is, whose probability is met by the answer and not by one slot less.
func TestSlotsForWait(t *testing.T) {
	late := func(n int, all, often float64) float64 {
		waits := 1.0
		if n < 1 {
			return 1
		}
		if float64(n) > all {
			term, sum := 1.0, 1.0 // allᵏ/k!
			for k := 1; k < n; k++ {
				term *= all / float64(k)
				sum += term
			}
			last := term * all / float64(n) * float64(n) / (float64(n) - all)
			waits = last / (sum + last)
		}
		return waits * math.Exp(-float64(n)*often)
	}
	for _, all := range []float64{0.01, 0.5, 3, 17.5, 60, 150} {
		for _, often := range []float64{0, 0.1, 2, 20, 1000} {
			for _, allowed := range []float64{0.001, 0.05, 0.5} {
				n := int(slotsForWait(all, often, allowed))
				if p := late(n, all, often); p > allowed*(1+1e-9) {
					t.Errorf("slotsForWait(%v, %v, %v) = %d: late %v", all, often, allowed, n, p)
				}
				if p := late(n-1, all, often); p <= allowed*(1-1e-9) {
					t.Errorf("slotsForWait(%v, %v, %v) = %d: %d are late only %v", all, often, allowed, n, n-1, p)
				}
			}
		}
	}
	if n := slotsForWait(1e6, 1e-9, 0.01); n < 1e6 {
		t.Errorf("a million slots asked for: %v", n)
	}
}

// TestBootWithin holds the quantiles of a lognormal boot against its median and
// p99.
func TestBootWithin(t *testing.T) {
	b := policy.BootView{P50: 28 * time.Second, P99: 62 * time.Second}
	for _, c := range []struct{ share, want float64 }{{0.99, 62}, {0.5, 28}, {0.1, 28}} {
		if got := bootWithin(&b, 33, c.share); math.Abs(got-c.want) > 0.01 {
			t.Errorf("within %v of boots: %v s, want %v", c.share, got, c.want)
		}
	}
	if got := bootWithin(&policy.BootView{}, 33, 0.9); got != 33 {
		t.Errorf("unknown boots: %v s, want the lag", got)
	}
}

// What runs now, and still will when a launch could help, holds its slots for
// certain: a line needs fewer beside it than beside as many that come and go.
func TestSlotFloorOfWhatRunsNow(t *testing.T) {
	floor := func(running int64) float64 {
		w := newWorld(policy.PerSecond, []policy.Class{
			{Priority: 0, On: policy.Wait, Target: 10 * time.Second, Attain: 0.99},
			{Priority: 1, On: policy.Wait, Target: 2 * time.Hour, Attain: 0.95},
		})
		if err := w.start(nil); err != nil {
			t.Fatal(err)
		}
		p, o := w.policy, &policy.Observation{Now: time.Unix(1e9, 0)}
		p.st.FirstAt = o.Now.Add(-time.Hour)
		p.lag, p.tick = 30, 60
		p.lines = []line{{priority: 0, budget: 10, promised: true, urgent: true, allowedLate: 0.01}, {priority: 1, budget: 5760, promised: true, allowedLate: 0.05}}
		p.st.Lines = []level{{Head: 4}, {Priority: 1}}
		p.forecast.ratio = 1
		const expected = 40.0 // slots asked for by renders of 50 minutes
		o.Queue.Kinds = []policy.KindView{
			{Class: 0, Priority: 0, Arrived: [4]policy.Flow{3: flow(7200, 4*3600*p.market.unitSpeed)}, Service: policy.ServiceView{Samples: 100, Mean: policy.CoreSeconds(2 * p.market.unitSpeed)}},
			{Class: 1, Priority: 1, Arrived: [4]policy.Flow{3: flow(48, expected*3600*p.market.unitSpeed)}, Service: policy.ServiceView{Samples: 100, Mean: policy.CoreSeconds(3000 * p.market.unitSpeed)}, InFlight: flow(running, 1)},
		}
		return p.minSlots(o).slots
	}
	// 40 of which nothing was known would need a reserve of more than a root of 40
	if got := floor(40); got < 4+40 || got > 4+40+6 {
		t.Errorf("beside 40 that run: %v slots, want from 44 to 50", got)
	}
	if few, many := floor(10), floor(40); many-few < 25 {
		t.Errorf("30 more that run need %v more slots, want nearly 30", many-few)
	}
}
