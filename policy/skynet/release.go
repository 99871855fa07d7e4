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
	index     int // in Observation.Fleet.Instances
	slots     float64
	unitPrice float64       // of its unit of work: price per hour and unit slot
	paidFor   time.Duration // until its paid window ends
	busy      int
}

const (
	// silentReleased is for how long a worker must be silent to be released: it may
	// still work, so it is uncounted long before.
	silentReleased = 3 * silentCounted
	// releaseBoots is for how many boot lags at least the plan must hold without what
	// is released. With less, instances with slow boots are wanted again as soon as
	// they could be back, and each of their boots is paid (measured with boots of
	// 300 s: docs/policy.md).
	releaseBoots = 3
)

// scaleIn drains what the plan does without.
//
// With paid windows these are only instances whose window ends before the next
// chance to drain them, and whose running jobs are done by then. With billing per
// second it is any instance.
func (p *Policy) scaleIn(o *policy.Observation) {
	if p.set.windows {
		p.undrainPaid(o)
	}
	p.findCandidates(o)
	if n := p.releaseUncounted(o); n > 0 {
		p.explain(ruleReleaseSpare.Because(float64(n), silentReleased.Seconds()))
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
	if !p.set.windows {
		p.plan.spareNothing() // what is there finishes what waits
	}
	staying := p.chooseLeaving()
	kept := 0
	if p.set.windows {
		kept, staying = p.keepForProfile(staying)
	}
	for _, c := range p.leaving {
		p.drains = append(p.drains, o.Fleet.Instances[c.index].ID)
	}
	p.explainRelease(staying, kept)
}

// keepForProfile takes candidates back, those chosen last first, while the profile
// needs more than the slots that stay. It returns how many it took back, and the
// slots that stay now.
func (p *Policy) keepForProfile(staying float64) (kept int, slots float64) {
	for n := len(p.leaving); n > 0 && p.profileNeeds(staying); n-- {
		staying += p.leaving[n-1].slots
		p.leaving = p.leaving[:n-1]
		kept++
	}
	return kept, staying
}

// explainRelease gives the reasons for what leaves and for what stays: the slots
// that stay, and how many instances were kept because of the profile.
func (p *Policy) explainRelease(staying float64, kept int) {
	unit := p.market.unitSpeed
	n, cores := len(p.leaving), staying*unit
	switch {
	case n > 0 && p.set.windows:
		p.explain(ruleReleaseWindow.Because(float64(n), p.releaseHorizon(), cores))
	case n > 0:
		p.explain(ruleReleasePlan.Because(float64(n), p.releaseHorizon(), cores))
	case kept == 0 && p.set.windows:
		p.explain(rulePlanKeep.Because(float64(len(p.candidates)), cores, p.forecast.mean*unit, p.forecast.high*unit))
	}
	if kept > 0 {
		p.explain(ruleKeepValue.Because(float64(kept), 100*p.set.valueShare))
	}
}

// undrainPaid undrains what is still busy past the end of its paid window: the new
// window is paid whole, so the instance may as well serve. At the very end of the old
// window that is already certain.
func (p *Policy) undrainPaid(o *policy.Observation) {
	n := 0
	for _, at := range p.fleet.undrainable {
		in := &o.Fleet.Instances[at]
		left := in.PaidUntil.Sub(o.Now)
		// no instance drains for half a window: so much left is of a new one
		newWindow := left <= 0 || left > p.env.Catalog.Billing.Quantum/2
		if in.Busy > 0 && newWindow && !slices.Contains(p.undrains, in.ID) {
			p.undrains = append(p.undrains, in.ID)
			n++
		}
	}
	if n > 0 {
		p.explain(ruleUndrainOwn.Because(float64(n)))
	}
}

// mustDrainNow reports whether an instance must be drained at this step or be paid for
// again: its window ends so soon that, drained at the next tick, its last job might not
// be done in time. With billing per second that is always so.
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

// findCandidates lists the instances that the plan counts on and that may be released
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
			continue // busy into its next window, which will be paid whatever is decided
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

// releaseUncounted drains what is counted on no longer, and returns how many instances
// these are: what never registered, and what has been silent for silentReleased.
func (p *Policy) releaseUncounted(o *policy.Observation) int {
	n := 0
	for _, at := range p.fleet.uncounted {
		in := &o.Fleet.Instances[at]
		if p.mustDrainNow(in, o.Now) && (in.Phase != policy.Lost || o.Now.Sub(in.LastSeen) > silentReleased) {
			p.drains = append(p.drains, in.ID)
			n++
		}
	}
	return n
}

// rank orders the candidates by who leaves first: those whose unit of work is dearer,
// which are substitutes; then the larger, so that small ones stay to follow the load;
// then those whose window ends sooner, or with billing per second the less busy; and
// last the older, or per second the newer.
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

// chooseLeaving fills p.leaving with the candidates that the plan does without, and
// returns the slots that stay.
//
// It goes through the candidates in order, a run of equal ones at a time, so that of
// two that cost the same per unit of work the larger leaves if it can. Within a run it
// bisects for how many can leave, because less capacity never makes a plan hold.
func (p *Policy) chooseLeaving() (staying float64) {
	k := checks{urgent: sameSpan(0, stepOf(p.releaseHorizon())), tolerance: p.lagTolerance()}
	least := max(p.band.floor, p.slotFloor.slots)
	if !p.quiet {
		// At least the mean load, less one instance: what waits may wait, and a fleet of
		// one instance and a half may be two by turns and one by turns; but no line may
		// be left to grow.
		least = max(least, p.forecast.mean-p.market.unitSlots)
	}
	sparing := p.plan.sparing(k.tolerance) // the last instance stays for jobs that may be late
	p.leaving = p.leaving[:0]
	staying = p.fleet.alive
	for rest := p.candidates; len(rest) > 0; {
		equal := 1
		for equal < len(rest) && rest[equal].slots == rest[0].slots && rest[equal].unitPrice == rest[0].unitPrice {
			equal++
		}
		canLeave := func(n int) bool {
			stay := staying - float64(float64(n)*rest[0].slots)
			return stay >= least && (stay > 0 || !sparing) && (stay >= p.band.ceiling || p.plan.holds(capacity{constant: stay, extraFrom: maxSteps}, k))
		}
		low, high := 0, equal
		if canLeave(1) { // usually none can: one question then is enough
			low = 1
		} else {
			high = 0
		}
		for low < high {
			if mid := (low + high + 1) / 2; canLeave(mid) {
				low = mid
			} else {
				high = mid - 1
			}
		}
		p.leaving = append(p.leaving, rest[:low]...)
		staying -= float64(float64(low) * rest[0].slots)
		rest = rest[equal:]
	}
	return staying
}

// releaseHorizon returns for how many seconds the plan must hold without what is
// released: the look-ahead, some boots, and until the jobs that arrive before the next
// decision are due. In a shorter time anything could leave, because nothing would be
// late yet.
func (p *Policy) releaseHorizon() float64 {
	h := max(p.set.lookAhead, p.lag+p.tick, releaseBoots*p.lag)
	for i := range p.lines {
		if ln := &p.lines[i]; ln.urgent {
			h = max(h, ln.budget+float64(0.5*p.tick))
		}
	}
	return h
}

// profileNeeds reports whether the profile plans for more than the given slots in more than
// the share value_share of the next paid window. A window can still be bought later, for
// a boot lag, so it is not paid in advance for less.
func (p *Policy) profileNeeds(slots float64) bool {
	if p.set.valueShare >= 1 || !p.profileNow.known || p.quiet {
		return false
	}
	const points = 12 // of the window, evenly spread
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
			if p.forecast.reserves[j].plannedLoad(float64(level*ratio)) > slots {
				needed++
				break
			}
		}
	}
	return float64(needed) > float64(p.set.valueShare*points)
}
