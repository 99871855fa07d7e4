package skynet

import (
	"cmp"
	"math"
	"slices"

	"github.com/skynet-ec2/skynet/policy"
)

var (
	rulePlanFits   = policy.NewRule("plan.fits", "%.1f cores serve, %.1f are on their way; forecast %.1f, planned for %.1f in %.0f s", false)
	rulePlanShort  = policy.NewRule("plan.short", "short of %.1f cores in %.0f s: %.1f serve, %.1f are on their way, %.0f core-seconds wait", false)
	rulePlanMore   = policy.NewRule("plan.more", "%.1f cores are bought: a line with a reserve multiplier of %.2f is short of more when they come", false)
	ruleUndrain    = policy.NewRule("undrain", "%.0f draining instances (%.1f cores) are taken back before anything is bought", false)
	ruleUndrainOwn = policy.NewRule("undrain.paid", "%.0f draining instances are still busy in a new paid window: they stay", false)
	ruleSubstitute = policy.NewRule("buy.substitute", "%s instead of what EC2 refused %.0f s ago", true)
	ruleBuyDenied  = policy.NewRule("buy.quota", "short of %.1f cores, but the account is at its quota: asked again in %.0f s", false)
	ruleBuyNothing = policy.NewRule("buy.nothing", "short of %.1f cores, but EC2 refused every type within %.0f s", false)
	ruleBuyQuota   = policy.NewRule("buy.room", "asked for %.0f instances, the quota has room for %.0f", false)
	ruleStranded   = policy.NewRule("plan.stranded", "%.2f core-seconds, the oldest for %.0f s, wait for an instance although none runs", false)
	ruleCold       = policy.NewRule("buy.cold", "the size of the work is unknown until a job completes: at most %.0f instances until then", false)
)

// scaleOut takes back and buys what the plan, or the slack rule, is short of.
func (p *Policy) scaleOut(o *policy.Observation) {
	need := p.scaleOutChecks()
	unit := p.market.unitSpeed
	now := capacity{useFleet: true, extraFrom: maxSteps}
	fits := p.plan.holds(now, need)
	floor := max(p.band.floor-p.fleet.alive, p.slotFloor.slots-p.fleet.alive, 0)
	if fits && floor == 0 && p.undrainForSpare(o, now, need) {
		return
	}
	if fits && floor == 0 && p.stranded() {
		p.explain(ruleStranded.Because(p.waitingWork()*unit, p.oldestWait()))
		p.buy(o, p.lagTolerance())
		return
	}
	if fits && floor == 0 {
		if want := p.swapSlots(o); want > 0 {
			p.buy(o, want)
			return
		}
		if why, ok := p.spareReason(); ok {
			p.explain(why)
		}
		p.explain(rulePlanFits.Because(p.fleet.serving*unit, p.fleet.booting*unit, p.forecast.mean*unit, p.forecast.high*unit, p.lag+p.tick))
		return
	}
	back := 0.0
	if len(p.fleet.undrainable) > 0 {
		want := floor
		if !fits {
			want = max(want, p.plan.shortfall(now, 0, need))
		}
		back = p.undrain(o, want)
		now.constant = back
		fits = fits || p.plan.holds(now, need)
	}
	short := 0.0
	if !fits {
		short = p.plan.shortfall(now, p.lag, need)
		p.explain(rulePlanShort.Because(short*unit, p.lag, p.fleet.serving*unit, p.fleet.booting*unit, p.waitingWork()*unit))
		short = p.withBurstMargin(o, short)
	}
	if room := max(p.band.ceiling-p.fleet.alive-back, 0); short > room {
		p.explain(ruleSlackEnough.Because(short*unit, room*unit, 100*(p.set.slackTarget+slackTop), 100*o.History.Slack24h))
		short = room
	}
	if floor-back > short {
		short = floor - back
		if p.slotFloor.slots > p.band.floor {
			p.explain(ruleChanceShort.Because(p.fleet.alive*unit, p.slotFloor.budget, p.slotFloor.slots*unit, p.slotFloor.held))
		} else {
			p.explain(ruleSlackShort.Because((p.fleet.alive+floor)*unit, 100*p.set.slackTarget, 100*o.History.Slack24h, p.fleet.alive*unit))
		}
	}
	if short > 0 {
		p.buy(o, short)
	}
}

// undrainForSpare takes back, per second, what is there already for jobs that may be
// late, and reports whether it did: what they spare is a launch. Free slots beside the
// last jobs of a draining instance are paid for. Where something drains, the plan
// spares nothing afterwards.
func (p *Policy) undrainForSpare(o *policy.Observation, now capacity, need checks) bool {
	if p.set.windows || len(p.fleet.undrainable) == 0 || !p.plan.spareNothing() || p.plan.holds(now, need) {
		return false
	}
	p.undrain(o, p.plan.shortfall(now, 0, need))
	return true
}

// withBurstMargin returns the slots to buy where the plan is short of some. Per second, a
// line that needs a reserve of z > 1 has bursts that nothing announces, and what it
// is short of is the beginning of one: at the next tick it would be short again. So
// up to as much again is bought, all of that from z = 3 on, as far as it makes whole
// instances of the size that suits: large ones bring more than is asked for anyway.
// What is too much leaves within a tick or two; with paid windows it would be paid
// for an hour. Where slack is all that is held, there is no such reserve.
func (p *Policy) withBurstMargin(o *policy.Observation, short float64) float64 {
	j := p.plan.shortLine()
	if p.set.windows || !p.set.promises || j < 0 {
		return short
	}
	z := p.lines[j].z
	share := min(max((z-1)/2, 0), 1)
	size := p.market.slots[p.suitableType(o, p.market.cheapestFirst[0], short)]
	more := size * math.Floor(float64(short*(1+share))/size)
	if more <= short {
		return short
	}
	p.explain(rulePlanMore.Because(more*p.market.unitSpeed, z))
	return more
}

// undrain puts draining instances back into service, newest first, until they
// have the wanted slots, and returns how many they have.
func (p *Policy) undrain(o *policy.Observation, want float64) float64 {
	got := 0.0
	for n := len(p.fleet.undrainable); n > 0 && got < want; n-- {
		in := &o.Fleet.Instances[p.fleet.undrainable[n-1]]
		p.undrains = append(p.undrains, in.ID)
		got += p.market.slotsOf(in.Type)
	}
	p.explain(ruleUndrain.Because(float64(len(p.undrains)), got*p.market.unitSpeed))
	return got
}

// scaleOutChecks says where the plan must hold for nothing to be bought: urgent lines
// in one tick once launches could have helped and had time to catch up, the
// others from then on. Work that is late before that stays late: machines come
// too late for it.
func (p *Policy) scaleOutChecks() checks {
	k := checks{patientFrom: stepOf(p.lag + p.recovery), tolerance: p.lagTolerance()}
	for j := range p.lines {
		from := p.lag + p.lines[j].recovery
		k.urgent[j] = span{stepOf(from), stepOf(from + p.tick)}
	}
	return k
}

// lagTolerance is by how many slot-seconds a line may lag in the plan: 0.2 s of an
// instance.
func (p *Policy) lagTolerance() float64 { return 0.2 * p.market.unitSlots }

// stranded reports whether jobs wait that nothing would ever serve: the plan lets
// every line lag by a little work, and some jobs be late, and where no instance is
// alive so little work, or such jobs, may be all there is. A job of a line that can wait does so until the wait that
// an instance launched now could just end.
func (p *Policy) stranded() bool {
	if p.fleet.alive > 0 {
		return false
	}
	for i := range p.lines {
		if ln := &p.lines[i]; ln.waitingHead+ln.waitingTail > 0 && (ln.urgent || ln.oldest+p.lag+p.tick > ln.budget) {
			return true
		}
	}
	return false
}

// oldestWait returns how long the first of all waiting jobs has waited, in
// seconds.
func (p *Policy) oldestWait() float64 {
	oldest := 0.0
	for i := range p.lines {
		oldest = max(oldest, p.lines[i].oldest)
	}
	return oldest
}

// waitingWork returns the work that waits, in slot-seconds.
func (p *Policy) waitingWork() float64 {
	sum := 0.0
	for i := range p.lines {
		sum += p.lines[i].waitingHead + p.lines[i].waitingTail
	}
	return sum
}

// buy launches the cheapest set of types with the given slots.
func (p *Policy) buy(o *policy.Observation, slots float64) {
	m := &p.market
	cores := slots * m.unitSpeed
	if o.Now.Before(m.quotaUntil) {
		p.explain(ruleBuyDenied.Because(cores, m.quotaUntil.Sub(o.Now).Seconds()))
		return
	}
	bulk, rest := p.cover(o, slots)
	if bulk.typ < 0 {
		p.explain(ruleBuyNothing.Because(cores, refusedFor.Seconds()))
		return
	}
	if best := m.cheapestFirst[0]; !m.sells(best, o.Now) && m.priceOrder(bulk.typ, best) >= 0 && bulk.typ != best {
		ago := o.Now.Sub(m.refusedUntil[best].Add(-refusedFor))
		p.explain(ruleSubstitute.Named(m.catalog.Types[bulk.typ].Name, ago.Seconds()))
	}
	if p.unknownWork(o) {
		if room := p.set.coldLaunch - p.fleet.instances; bulk.n+rest.n > room {
			p.explain(ruleCold.Because(float64(p.set.coldLaunch)))
			bulk.n = min(bulk.n, max(room, 0))
			rest.n = min(rest.n, max(room-bulk.n, 0))
		}
	}
	if q := o.EC2.Quota; q > 0 && bulk.n+rest.n > q-p.fleet.instances {
		room := max(q-p.fleet.instances, 0)
		p.explain(ruleBuyQuota.Because(float64(bulk.n+rest.n), float64(room)))
		bulk.n = min(bulk.n, room)
		rest.n = min(rest.n, room-bulk.n)
	}
	p.launch(o, bulk)
	p.launch(o, rest)
}

// lot is a number of instances of one type.
type lot struct{ typ, n int }

// cover returns the cheapest set of at most two types with at least the given
// slots, among those EC2 can be expected to sell: as many as fit of the cheapest
// per unit of work, in the size that suits the fleet, and for what is left the
// type that covers it for least, the larger instance among equals. Types whose
// work is dearer by more than a twentieth are left out: a small instance that
// fits today's need is dear tomorrow, and its slow cores make jobs late that did
// not wait. A typ of −1 stands for none.
//
// Where sizes cost the same per unit of work, small ones follow the load more
// closely and large ones are fewer to handle: the size that suits is the largest
// of at most a twelfth of the fleet that there will be.
func (p *Policy) cover(o *policy.Observation, slots float64) (bulk, rest lot) {
	m := &p.market
	bulk.typ, rest.typ = -1, -1
	for _, typ := range m.cheapestFirst {
		if m.sells(typ, o.Now) {
			bulk.typ = p.suitableType(o, typ, slots)
			break
		}
	}
	if bulk.typ < 0 {
		return bulk, rest
	}
	bulk.n = int(math.Floor(min(slots/m.slots[bulk.typ], instancesMax)))
	left := slots - float64(float64(bulk.n)*m.slots[bulk.typ])
	if left <= 0 {
		return bulk, rest
	}
	var least float64
	for _, typ := range m.cheapestFirst {
		if !m.sells(typ, o.Now) || !m.nearlyAsCheap(bulk.typ, typ) {
			continue
		}
		n := math.Ceil(left / m.slots[typ])
		if n > instancesMax {
			continue
		}
		if cost := n * float64(m.prices[typ]); rest.typ < 0 || cost < least || cost == least && int(n) < rest.n {
			least = cost
			rest = lot{typ, int(n)}
		}
	}
	if rest.typ == bulk.typ || rest.typ < 0 {
		return lot{bulk.typ, bulk.n + 1}, lot{-1, 0}
	}
	if bulk.n == 0 {
		return rest, lot{-1, 0}
	}
	return bulk, rest
}

// fleetGrain is how many instances make a fleet that can follow the load.
const fleetGrain = 12

// suitableType returns the size of best that suits a fleet with so many more slots:
// among the types on sale that cost the same per unit of work, the largest of at
// most a grain of the fleet, or else the smallest.
func (p *Policy) suitableType(o *policy.Observation, best int, slots float64) int {
	m := &p.market
	most := (p.fleet.alive + slots) / fleetGrain
	size := best
	for _, typ := range m.cheapestFirst {
		if m.priceOrder(typ, best) == 0 && m.sells(typ, o.Now) && m.slots[size] > most && m.slots[typ] < m.slots[size] {
			size = typ
		}
	}
	return size
}

// instancesMax bounds one launch, so that counting never overflows.
const instancesMax = 1e6

// launch asks for a lot, with equivalents by throughput for what EC2 refuses of
// it: first those that cover all of it for least, the fewer instances among
// equals.
func (p *Policy) launch(o *policy.Observation, l lot) {
	if l.typ < 0 || l.n <= 0 {
		return
	}
	m := &p.market
	slots := float64(l.n) * m.slots[l.typ]
	p.options = p.options[:0]
	for _, typ := range m.cheapestFirst {
		if typ != l.typ && m.sells(typ, o.Now) {
			n := math.Ceil(slots / m.slots[typ])
			p.options = append(p.options, option{typ: typ, n: n, cost: n * float64(m.prices[typ])})
		}
	}
	slices.SortStableFunc(p.options, func(a, b option) int {
		if a.cost != b.cost {
			return cmp.Compare(a.cost, b.cost)
		}
		return cmp.Compare(a.n, b.n)
	})
	start, from := len(p.substitutes), l.typ
	for _, option := range p.options[:min(len(p.options), substitutesMax)] {
		// what is refused of one is asked for as the next
		num, den := fraction(m.slots[from], m.slots[option.typ])
		p.substitutes = append(p.substitutes, policy.Substitute{Type: option.typ, Num: num, Den: den})
		from = option.typ
	}
	p.launches = append(p.launches, policy.Launch{Type: l.typ, Count: l.n, Else: p.substitutes[start:len(p.substitutes):len(p.substitutes)]})
}

// option is a type that could stand in for a lot, how many of it, and for how
// much an hour.
type option struct {
	typ     int
	n, cost float64
}

// substitutesMax is how many equivalents one launch carries.
const substitutesMax = 4

// fraction returns a/b as a fraction of small whole numbers, to a thousandth.
func fraction(a, b float64) (num, den int) {
	num, den = int(math.Round(a*1000)), int(math.Round(b*1000))
	if num <= 0 || den <= 0 {
		return 1, 1
	}
	x, y := num, den
	for y != 0 {
		x, y = y, x%y
	}
	return num / x, den / x
}

// unknownWork reports whether nothing tells how large the waiting jobs are: no
// job of theirs has completed, and they carry no estimate of their own.
func (p *Policy) unknownWork(o *policy.Observation) bool {
	waiting := false
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		if k.Service.Samples > 0 || k.Pending.Jobs > 0 && !sizeUnknown(k) {
			return false
		}
		waiting = waiting || k.Pending.Jobs > 0
	}
	return waiting
}
