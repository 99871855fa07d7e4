package skynet

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
)

// drawnRelease draws a policy whose plan is known and whose candidates are ranked.
func drawnRelease(t *rapid.T, sizes []int) *Policy {
	p, err := New(policy.Env{Catalog: policy.EC2in2008(), Tick: time.Minute}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pl, _ := drawnPlan(t)
	p.plan, p.tick = *pl, 60
	for range rapid.IntRange(0, 30).Draw(t, "candidates") {
		typ := rapid.SampledFrom(sizes).Draw(t, "type")
		slots := p.market.slotsOf(typ)
		p.candidates = append(p.candidates, candidate{index: len(p.candidates), slots: slots, unitPrice: float64(p.market.prices[typ]) / slots})
		p.fleet.alive += slots
	}
	p.fleet.alive += rapid.Float64Range(0, 60).Draw(t, "others")
	p.forecast.mean = rapid.Float64Range(0, 100).Draw(t, "mean")
	p.band = band{rapid.Float64Range(0, 100).Draw(t, "floor"), 1e9}
	if rapid.Bool().Draw(t, "a ceiling") {
		p.band.ceiling = p.band.floor + rapid.Float64Range(0, 100).Draw(t, "ceiling")
	}
	p.rank()
	return p
}

// What leaves is what the plan can do without: never so much that less than the
// floor stays, or less than the mean load but for one unit instance; and no
// candidate is passed over that could leave when its turn came, dearest first,
// then largest.
func TestChooseLetsTheLargestLeaveThatCan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawnRelease(t, []int{0, 1, 2, 3, 4})
		left := p.chooseLeaving()
		k := checks{urgent: sameSpan(0, stepOf(p.releaseHorizon())), tolerance: p.lagTolerance()}
		can := func(stay float64) bool {
			return stay >= p.band.floor && stay >= p.forecast.mean-p.market.unitSlots &&
				(stay >= p.band.ceiling || p.plan.holds(capacity{constant: stay, extraFrom: maxSteps}, k))
		}
		stay, next := p.fleet.alive, 0
		for i, c := range p.candidates {
			if i > 0 {
				before := p.candidates[i-1]
				if before.unitPrice < c.unitPrice || before.unitPrice == c.unitPrice && before.slots < c.slots {
					t.Fatalf("%v is ranked before %v", before, c)
				}
			}
			if next < len(p.leaving) && p.leaving[next].index == c.index {
				stay -= c.slots
				next++
				// a hair's breadth: the slots are summed in another order
				if !can(stay + 1e-9) {
					t.Fatalf("%v leaves, and %v slots are not enough", c, stay)
				}
			} else if can(stay - c.slots - 1e-9) {
				t.Fatalf("%v stays, and %v slots would do", c, stay-c.slots)
			}
		}
		if next != len(p.leaving) {
			t.Fatalf("%d leave that are no candidates, or twice", len(p.leaving)-next)
		}
		if diff := left - stay; diff > 1e-9 || diff < -1e-9 {
			t.Fatalf("%v slots stay, %v were said to", stay, left)
		}
	})
}

// Of candidates of one size, a higher floor, more load or more waiting work lets
// no more leave.
func TestChooseIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawnRelease(t, []int{4})
		p.chooseLeaving()
		before := len(p.leaving)
		p.band.floor += rapid.Float64Range(0, 50).Draw(t, "more floor")
		p.band.ceiling = max(p.band.ceiling, p.band.floor)
		p.forecast.mean += rapid.Float64Range(0, 50).Draw(t, "more load")
		p.plan.lines[0].waiting += rapid.Float64Range(0, 3000).Draw(t, "more work")
		p.chooseLeaving()
		if after := len(p.leaving); after > before {
			t.Fatalf("%d leave, %d of less work", after, before)
		}
	})
}

// A silent hour needs no mean: nothing arrives that is planned for.
func TestChooseIgnoresTheMeanOfASilentHour(t *testing.T) {
	p, err := New(policy.Env{Catalog: policy.EC2in2008(), Tick: time.Minute}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.tick, p.fleet.alive, p.forecast.mean, p.band.ceiling = 60, 16, 20, 1e9
	p.candidates = []candidate{{slots: 8}, {slots: 8}}
	if p.chooseLeaving(); len(p.leaving) != 0 {
		t.Errorf("%d leave under the mean load", len(p.leaving))
	}
	p.quiet = true
	if p.chooseLeaving(); len(p.leaving) != 2 {
		t.Errorf("%d leave a silent hour, want both", len(p.leaving))
	}
}

// What leaves is not wanted back for three boots, whatever the look-ahead is, nor
// before a boot and a tick, nor before what arrives until the next decision is due.
func TestHorizonIsThreeBootsAtLeast(t *testing.T) {
	for _, c := range []struct{ lookAhead, lag, tick, budget, want float64 }{
		{120, 0, 60, 0, 120},
		{120, 30, 60, 30, 120},
		{120, 300, 60, 60, 900},
		{120, 300, 60, 1000, 1030},
		{0, 20, 60, 0, 80},
	} {
		p, err := New(policy.Env{Catalog: policy.EC2in2008(), Tick: time.Minute}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.set.lookAhead, p.lag, p.tick = c.lookAhead, c.lag, c.tick
		p.lines = []line{{urgent: true, budget: c.budget}}
		if got := p.releaseHorizon(); got != c.want {
			t.Errorf("look-ahead %g s, boots of %g s, budget %g s: horizon %g s, want %g s", c.lookAhead, c.lag, c.budget, got, c.want)
		}
	}
}
