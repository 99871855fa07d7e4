package skynet

import (
	"cmp"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

var ruleSlackSwap = policy.NewRule("slack.swap", "%.1f cores would idle too much, %.1f are enough: %.1f are bought so that one of %.1f can leave", false)

// oversizedLead is how long before the end of its paid window an instance may
// leave a fleet that is too large: a job that is long then does not make its
// next window be paid.
const oversizedLead = 3 * time.Minute

// oversized reports whether the fleet is larger than the slack rule wants.
func (p *Policy) oversized() bool { return p.fleet.alive > p.band.ceiling }

// rankBySize orders the candidates of an oversized fleet: the largest that can
// leave first, so that what remains is not one large instance for little work.
// What boots may be there to replace one of them, and stays where leaving is
// not a matter of paid windows.
func (p *Policy) rankBySize(o *policy.Observation) {
	if !p.set.windows {
		p.candidates = slices.DeleteFunc(p.candidates, func(c candidate) bool {
			return o.Fleet.Instances[c.index].Phase != policy.Ready
		})
	}
	room := p.fleet.serving - p.band.floor
	last := func(c candidate) int {
		if c.slots > room {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(p.candidates, func(a, b candidate) int {
		return cmp.Or(last(a)-last(b), cmp.Compare(b.slots, a.slots))
	})
}

// swapSlots returns the slots to buy so that an oversized fleet can let its largest
// instance go, which is more than the floor can spare: 0 where nothing much
// smaller would do, where something is on its way already, or where no paid
// window ends soon after the launch would be ready.
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
		if p.set.windows && (left < p.tick || left > 4*p.tick) {
			continue
		}
		largest = max(largest, p.market.slotsOf(in.Type))
	}
	want := p.band.floor - (p.fleet.alive - largest)
	if largest == 0 || want <= 0 {
		return 0
	}
	bulk, rest := p.cover(o, want)
	if got := p.slotsIn(bulk) + p.slotsIn(rest); got == 0 || got > 0.75*largest {
		return 0
	}
	unit := p.market.unitSpeed
	p.explain(ruleSlackSwap.Because(p.fleet.alive*unit, p.band.floor*unit, want*unit, largest*unit))
	return want
}

// slotsIn returns the slots of a lot.
func (p *Policy) slotsIn(l lot) float64 {
	if l.typ < 0 {
		return 0
	}
	return float64(l.n) * p.market.slots[l.typ]
}
