package skynet

import (
	"cmp"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

var (
	ruleReleaseWindow = policy.NewRule("release.window", "%.0f instances near the end of their paid hour are not needed for %.0f s: %.1f cores stay", false)
	ruleReleasePlan   = policy.NewRule("release.plan", "%.0f instances are not needed for %.0f s: %.1f cores stay", false)
	ruleReleaseSpare  = policy.NewRule("release.spare", "%.0f instances never registered, or have been silent for more than %.0f s", false)
	ruleReleaseEarly  = policy.NewRule("release.early", "nothing leaves: the load is known for %.0f s only, less than %.0f s", false)
	rulePlanKeep      = policy.NewRule("plan.keep", "%.0f instances reach the end of their paid hour; the plan needs them: %.1f cores, forecast %.1f, planned for %.1f", false)
	ruleKeepValue     = policy.NewRule("keep.value", "%.0f instances stay: at this hour of the week they are needed in %.0f %% of the next", false)
)

// candidate is an instance that may be released now.
type candidate struct {
	index     int // in Fleet.Instances
	slots     float64
	unitPrice float64 // price of its unit of work
	paidFor   time.Duration
	busy      int
}

// scaleIn drains what the plan does not need.
//
// With paid windows, only instances whose window ends before the next chance
// to drain them, and whose running jobs will be done by then; what is drained
// but still busy when its new window began is taken back, for it is paid. Per
// second, any instance. Substitutes, whose unit of work is dearer, leave first;
// then the larger; then the nearest window's end, or the least busy and newest.
func (p *Policy) scaleIn(o *policy.Observation) {
	if p.set.windows {
		p.undrainPaid(o)
	}
	p.findCandidates(o)
	if n := p.releaseUncounted(o); n > 0 {
		p.explain(ruleReleaseSpare.Because(float64(n), 3*silentCounted.Seconds()))
	}
	if len(p.candidates) == 0 || len(p.launches) > 0 || len(p.undrains) > 0 {
		return
	}
	if known := o.Now.Sub(p.st.FirstAt); known < p.set.releaseAfter {
		p.explain(ruleReleaseEarly.Because(known.Seconds(), p.set.releaseAfter.Seconds()))
		return
	}
	p.rank()
	if p.oversized() {
		p.rankBySize(o)
	}
	unit := p.market.unitSpeed
	if !p.set.windows {
		p.plan.spareNothing() // what is there finishes what waits
	}
	left := p.chooseLeaving()
	valued := 0
	if p.set.windows {
		for n := len(p.leaving); n > 0 && p.profileNeeds(left); n-- {
			left += p.leaving[n-1].slots
			p.leaving = p.leaving[:n-1]
			valued++
		}
	}
	for _, c := range p.leaving {
		p.drains = append(p.drains, o.Fleet.Instances[c.index].ID)
	}
	n, stay := len(p.leaving), left*unit
	switch {
	case n > 0 && p.set.windows:
		p.explain(ruleReleaseWindow.Because(float64(n), p.releaseHorizon(), stay))
	case n > 0:
		p.explain(ruleReleasePlan.Because(float64(n), p.releaseHorizon(), stay))
	case valued == 0 && p.set.windows:
		p.explain(rulePlanKeep.Because(float64(len(p.candidates)), stay, p.forecast.mean*unit, p.forecast.high*unit))
	}
	if valued > 0 {
		p.explain(ruleKeepValue.Because(float64(valued), 100*p.set.valueShare))
	}
}

// undrainPaid takes back what drained past the end of its paid window: its new
// window is paid whole. At the very end of the old one that is already certain.
func (p *Policy) undrainPaid(o *policy.Observation) {
	n := 0
	for _, at := range p.fleet.undrainable {
		in := &o.Fleet.Instances[at]
		left := in.PaidUntil.Sub(o.Now)
		rolled := left <= 0 || left > p.env.Catalog.Billing.Quantum/2
		if in.Busy > 0 && rolled && !slices.Contains(p.undrains, in.ID) {
			p.undrains = append(p.undrains, in.ID)
			n++
		}
	}
	if n > 0 {
		p.explain(ruleUndrainOwn.Because(float64(n)))
	}
}

// mustDrainNow reports whether an instance must be drained now, or be paid for again:
// its window ends so soon that at the next tick its last job could not end in
// time.
func (p *Policy) mustDrainNow(in *policy.Instance, now time.Time) bool {
	if !p.set.windows {
		return true
	}
	left := in.PaidUntil.Sub(now).Seconds()
	lead := max(p.set.drainLead, p.tick)
	if p.oversized() {
		lead = max(lead, oversizedLead.Seconds())
	}
	return left <= lead+min(in.IdleIn.Seconds(), lead)
}

// findCandidates lists the instances the plan counts on that may be released
// now.
func (p *Policy) findCandidates(o *policy.Observation) {
	p.candidates = p.candidates[:0]
	uncounted := p.fleet.uncounted
	for i := range o.Fleet.Instances {
		if len(uncounted) > 0 && uncounted[0] == i {
			uncounted = uncounted[1:]
			continue
		}
		in := &o.Fleet.Instances[i]
		if in.Phase == policy.Draining || in.Phase == policy.Lost || !in.InterruptAt.IsZero() || !p.mustDrainNow(in, o.Now) {
			continue
		}
		left := in.PaidUntil.Sub(o.Now)
		if p.set.windows && in.IdleIn > left {
			continue // busy into its next window: paid again whatever happens
		}
		slots := p.market.slotsOf(in.Type)
		if slots == 0 {
			continue
		}
		p.candidates = append(p.candidates, candidate{
			index: i, slots: slots, paidFor: left, busy: in.Busy,
			unitPrice: float64(p.market.prices[in.Type]) / slots,
		})
	}
}

// releaseUncounted drains what nobody counts on any more and returns how many: what
// never registered, and what has been silent for three times as long as a
// silent worker is counted on.
func (p *Policy) releaseUncounted(o *policy.Observation) int {
	n := 0
	for _, at := range p.fleet.uncounted {
		in := &o.Fleet.Instances[at]
		if p.mustDrainNow(in, o.Now) && (in.Phase != policy.Lost || o.Now.Sub(in.LastSeen) > 3*silentCounted) {
			p.drains = append(p.drains, in.ID)
			n++
		}
	}
	return n
}

// rank orders the candidates: first to leave first.
func (p *Policy) rank() {
	byWindow := p.set.windows
	slices.SortFunc(p.candidates, func(a, b candidate) int {
		switch {
		case a.unitPrice != b.unitPrice:
			return cmp.Compare(b.unitPrice, a.unitPrice)
		case a.slots != b.slots:
			return cmp.Compare(b.slots, a.slots)
		case byWindow && a.paidFor != b.paidFor:
			return cmp.Compare(a.paidFor, b.paidFor)
		case !byWindow && a.busy != b.busy:
			return cmp.Compare(a.busy, b.busy)
		case byWindow:
			return cmp.Compare(a.index, b.index)
		}
		return cmp.Compare(b.index, a.index)
	})
}

// chooseLeaving fills p.leaving with the candidates that the plan can do without, and
// returns the slots that stay. It goes through the candidates in their order,
// so that of two that cost the same per unit of work the larger leaves if it
// can; among equals it bisects, because less capacity never makes a plan hold.
func (p *Policy) chooseLeaving() (left float64) {
	k := checks{urgent: sameSpan(0, stepOf(p.releaseHorizon())), tolerance: p.lagTolerance()}
	// what waits may wait, and a fleet of one instance and a half may be two by
	// turns and one by turns; but a line must not be left to grow
	least := max(p.band.floor, p.slotFloor.slots)
	if !p.quiet {
		least = max(least, p.forecast.mean-p.market.unitSlots)
	}
	waits := p.plan.sparing(k.tolerance) // the last instance is not let go before jobs that may be late
	p.leaving = p.leaving[:0]
	left = p.fleet.alive
	for rest := p.candidates; len(rest) > 0; {
		same := 1
		for same < len(rest) && rest[same].slots == rest[0].slots && rest[same].unitPrice == rest[0].unitPrice {
			same++
		}
		fits := func(n int) bool {
			stay := left - float64(float64(n)*rest[0].slots)
			return stay >= least && (stay > 0 || !waits) && (stay >= p.band.ceiling || p.plan.holds(capacity{constant: stay, extraFrom: maxSteps}, k))
		}
		low, high := 0, same
		if fits(1) {
			low = 1
		} else {
			high = 0
		}
		for low < high {
			if mid := (low + high + 1) / 2; fits(mid) {
				low = mid
			} else {
				high = mid - 1
			}
		}
		p.leaving = append(p.leaving, rest[:low]...)
		left -= float64(float64(low) * rest[0].slots)
		rest = rest[same:]
	}
	return left
}

// releaseBoots is for how many boots at least the plan must hold without what is
// released: of boots of 300 s, with a boot and a tick, what left was wanted again
// as soon as it could be back, and each of its boots was paid.
const releaseBoots = 3

// releaseHorizon returns for how many seconds the plan must hold without what is
// released: the look-ahead, some boots, and at least until a job that arrives
// before the next decision is due. Before that anything could leave, because
// nothing is late yet.
func (p *Policy) releaseHorizon() float64 {
	h := max(p.set.lookAhead, p.lag+p.tick, releaseBoots*p.lag)
	for i := range p.lines {
		if ln := &p.lines[i]; ln.urgent {
			h = max(h, ln.budget+float64(0.5*p.tick))
		}
	}
	return h
}

// profileNeeds reports whether the profile needs more than left slots in more
// than the value share of the next paid window. A window is an option that can
// be bought later for a boot lag, so it is not bought for less.
func (p *Policy) profileNeeds(left float64) bool {
	if p.set.valueShare >= 1 || !p.profileNow.known || p.quiet {
		return false
	}
	const points = 12
	window := p.env.Catalog.Billing.Quantum.Seconds()
	needed := 0
	for i := range points {
		ratio := p.profileRatio((float64(i) + 0.5) * window / points)
		level := 0.0
		for j := range p.lines {
			if !p.lines[j].urgent {
				continue
			}
			level += p.st.Lines[j].Head
			if p.forecast.reserves[j].plannedLoad(float64(level*ratio)) > left {
				needed++
				break
			}
		}
	}
	return float64(needed) > float64(p.set.valueShare*points)
}
