package skynet

import (
	"cmp"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

var ruleSlackSwap = policy.NewRule("slack.swap", "%.1f cores would idle too much, %.1f are enough: %.1f are bought so that one of %.1f can leave", false)

// oversizedLead is how long before the end of its paid window an instance of a fleet that
// is too large may be drained, so that a long job does not make it pay another window.
const oversizedLead = 3 * time.Minute

// A smaller instance is bought for a large one if it has at most the part swapMost of
// its slots, and if the paid window of the large one ends within swapTicks ticks after
// the small one is ready: what is bought must not idle beside it.
const (
	swapMost  = 0.75
	swapTicks = 4
)

// oversized reports whether the fleet is larger than the ceiling of the slack rule.
func (p *Policy) oversized() bool { return p.fleet.alive > p.band.ceiling }

// rankBySize orders the candidates of an oversized fleet anew: the largest that the floor
// can spare comes first, so that what stays is not one large instance for little work.
// With billing per second a booting instance is no candidate: it may be there to replace
// a large one.
func (p *Policy) rankBySize(o *policy.Observation) {
	if !p.set.windows {
		p.candidates = slices.DeleteFunc(p.candidates, func(c candidate) bool {
			return o.Fleet.Instances[c.index].Phase != policy.Ready
		})
	}
	room := p.fleet.serving - p.band.floor
	tooLarge := func(c candidate) int {
		if c.slots > room {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(p.candidates, func(a, b candidate) int {
		return cmp.Or(tooLarge(a)-tooLarge(b), cmp.Compare(b.slots, a.slots))
	})
}

// swapSlots returns how many slots to buy so that an oversized fleet can let its largest
// instance go, which is more than the floor can spare. It is 0 where nothing much
// smaller would do, where something is booting already, or where no paid window ends
// soon after the launch would be ready.
func (p *Policy) swapSlots(o *policy.Observation) float64 {
	if !p.oversized() || p.fleet.booting > 0 {
		return 0
	}
	largest := 0.0
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		if in.Phase != policy.Ready || !in.InterruptAt.IsZero() {
			continue
		}
		left := in.PaidUntil.Sub(o.Now).Seconds() - p.lag
		if p.set.windows && (left < p.tick || left > swapTicks*p.tick) {
			continue
		}
		largest = max(largest, p.market.slotsOf(in.Type))
	}
	want := p.band.floor - (p.fleet.alive - largest)
	if largest == 0 || want <= 0 {
		return 0
	}
	bulk, rest := p.cover(o, want)
	if got := p.slotsIn(bulk) + p.slotsIn(rest); got == 0 || got > swapMost*largest {
		return 0
	}
	unit := p.market.unitSpeed
	p.explain(ruleSlackSwap.Because(p.fleet.alive*unit, p.band.floor*unit, want*unit, largest*unit))
	return want
}

// slotsIn returns how many unit slots a lot has.
func (p *Policy) slotsIn(l lot) float64 {
	if l.typ < 0 {
		return 0
	}
	return float64(l.n) * p.market.slots[l.typ]
}
