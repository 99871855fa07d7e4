package skynet

import (
	"math"

	"github.com/skynet-ec2/skynet/policy"
)

var (
	rulePlanFits   = policy.NewRule("plan.fits", "%.1f cores serve, %.1f are on their way; forecast %.1f, planned for %.1f in %.0f s", false)
	rulePlanShort  = policy.NewRule("plan.short", "short of %.1f cores in %.0f s: %.1f serve, %.1f are on their way, %.0f core-seconds wait", false)
	ruleSlackShort = policy.NewRule("slack.short", "need %.1f cores to hold %.0f %% slack over 24 h (now %.1f %%), have %.1f", false)
	ruleUndrain    = policy.NewRule("undrain", "%.0f draining instances (%.1f cores) are taken back before anything is bought", false)
	ruleUndrainOwn = policy.NewRule("undrain.paid", "%.0f draining instances are still busy in a new paid window: they stay", false)
	ruleSubstitute = policy.NewRule("buy.substitute", "%s instead of what EC2 refused %.0f s ago", true)
	ruleBuyDenied  = policy.NewRule("buy.quota", "short of %.1f cores, but the account is at its quota: asked again in %.0f s", false)
	ruleBuyNothing = policy.NewRule("buy.nothing", "short of %.1f cores, but EC2 refused every type within %.0f s", false)
	ruleBuyQuota   = policy.NewRule("buy.room", "asked for %.0f instances, the quota has room for %.0f", false)
	ruleCold       = policy.NewRule("buy.cold", "the size of the work is unknown until a job completes: at most %.0f instances until then", false)
)

// grow decides what to take back and what to buy. It returns the slots short of
// the plan after what was taken back.
func (p *Policy) grow(o *policy.Observation) {
	need := p.upChecks()
	short := 0.0
	base := capacity{useThere: true, from: maxSteps}
	floor := p.floorShort()
	taken, tookSlots := 0, 0.0
	fits := p.plan.holds(base, need)
	for taken < len(p.fleet.back) && (!fits || floor > tookSlots) {
		in := &o.Fleet.Instances[p.fleet.back[len(p.fleet.back)-1-taken]] // newest first
		p.undrains = append(p.undrains, in.ID)
		taken++
		tookSlots += p.market.slotsOf(in.Type)
		base.always = tookSlots
		if !fits {
			fits = p.plan.holds(base, need)
		}
	}
	if taken > 0 {
		p.because(ruleUndrain.Because(float64(taken), tookSlots*p.market.unitSpeed))
	}
	if !fits {
		short = p.shortfall(base, need)
		p.because(rulePlanShort.Because(short*p.market.unitSpeed, p.lag, p.fleet.serving*p.market.unitSpeed,
			p.fleet.coming*p.market.unitSpeed, p.waitingWork()*p.market.unitSpeed))
	}
	if rest := floor - tookSlots; rest > short {
		short = rest
		p.because(ruleSlackShort.Because((p.fleet.alive+floor)*p.market.unitSpeed, 100*p.set.slackTarget,
			100*o.History.Slack24h, p.fleet.alive*p.market.unitSpeed))
	}
	if short > 0 {
		p.buy(o, short)
	} else if taken == 0 {
		f := p.fleet
		unit := p.market.unitSpeed
		p.because(rulePlanFits.Because(f.serving*unit, f.coming*unit, p.ahead.mean*unit, p.ahead.high*unit, p.lag+p.tick))
	}
}

// upChecks says where the plan must hold for nothing to be bought: urgent lines
// in one tick once launches could have helped and had time to catch up, the
// others from then on. Work that is late before that stays late: machines come
// too late for it.
func (p *Policy) upChecks() checks {
	from := p.lag + p.set.recovery
	return checks{
		urgentFrom: stepOf(from), urgentTo: stepOf(from + p.tick), patientFrom: stepOf(from),
		slack: p.lagging(),
	}
}

// lagging is by how many slot-seconds a line may lag in the plan: 0.2 s of an
// instance.
func (p *Policy) lagging() float64 { return 0.2 * p.market.unitSlots }

// shortfall returns the least capacity, in slots, that makes the plan hold if
// it is there after the boot lag: doubled, then bisected to a quarter of a slot.
func (p *Policy) shortfall(base capacity, need checks) float64 {
	base.from = stepOf(p.lag)
	base.first = min(max((grid.end[base.from]-p.lag)/grid.width[base.from], 0), 1)
	low, high := 0.0, 1.0
	for {
		base.extra = high
		if p.plan.holds(base, need) || high >= 1<<24 {
			break
		}
		low, high = high, 2*high
	}
	for high-low > max(0.25, float64(high/512)) {
		mid := 0.5 * (low + high)
		base.extra = mid
		if p.plan.holds(base, need) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
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
	if o.Now.Before(m.denied) {
		p.because(ruleBuyDenied.Because(cores, m.denied.Sub(o.Now).Seconds()))
		return
	}
	bulk, rest := p.cover(o, slots)
	if bulk.typ < 0 {
		p.because(ruleBuyNothing.Because(cores, refusedFor.Seconds()))
		return
	}
	if best := m.order[0]; !m.sells(best, o.Now) && m.dearer(bulk.typ, best) >= 0 && bulk.typ != best {
		ago := o.Now.Sub(m.until[best].Add(-refusedFor))
		p.because(ruleSubstitute.Named(m.catalog.Types[bulk.typ].Name, ago.Seconds()))
	}
	if p.unknownWork(o) {
		if room := p.set.coldLaunch - p.fleet.n; bulk.n+rest.n > room {
			p.because(ruleCold.Because(float64(p.set.coldLaunch)))
			bulk.n = min(bulk.n, max(room, 0))
			rest.n = min(rest.n, max(room-bulk.n, 0))
		}
	}
	if q := o.EC2.Quota; q > 0 && bulk.n+rest.n > q-p.fleet.n {
		room := max(q-p.fleet.n, 0)
		p.because(ruleBuyQuota.Because(float64(bulk.n+rest.n), float64(room)))
		bulk.n = min(bulk.n, room)
		rest.n = min(rest.n, room-bulk.n)
	}
	p.substitutes = p.substitutes[:0]
	p.launch(o, bulk)
	p.launch(o, rest)
}

// lot is a number of instances of one type.
type lot struct{ typ, n int }

// cover returns the cheapest set of at most two types with at least the given
// slots, among those EC2 can be expected to sell: as many of the cheapest per
// unit of work as fit, and for what is left the type that covers it for least,
// the larger instance among equals. Types whose work is dearer by more than a
// twentieth are left out: a small instance that fits today's need is dear
// tomorrow, and its slow cores make jobs late that did not wait. A typ of −1
// stands for none.
func (p *Policy) cover(o *policy.Observation, slots float64) (bulk, rest lot) {
	m := &p.market
	bulk.typ, rest.typ = -1, -1
	for _, typ := range m.order {
		if m.sells(typ, o.Now) {
			bulk.typ = typ
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
	for _, typ := range m.order {
		if !m.sells(typ, o.Now) || !m.kin(bulk.typ, typ) {
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

// instancesMax bounds one launch, so that counting never overflows.
const instancesMax = 1e6

// launch asks for a lot, with equivalents by throughput for what EC2 refuses of
// it: the other types, cheapest unit of work first.
func (p *Policy) launch(o *policy.Observation, l lot) {
	if l.typ < 0 || l.n <= 0 {
		return
	}
	m := &p.market
	start := len(p.substitutes)
	from := l.typ
	for _, typ := range m.order {
		if typ == l.typ || !m.sells(typ, o.Now) {
			continue
		}
		// what is refused of one is asked for as the next
		num, den := ratio(m.slots[from], m.slots[typ])
		p.substitutes = append(p.substitutes, policy.Substitute{Type: typ, Num: num, Den: den})
		from = typ
		if len(p.substitutes)-start == substitutesMax {
			break
		}
	}
	p.launches = append(p.launches, policy.Launch{Type: l.typ, Count: l.n, Else: p.substitutes[start:len(p.substitutes):len(p.substitutes)]})
}

// substitutesMax is how many equivalents one launch carries.
const substitutesMax = 4

// ratio returns a/b as a fraction of small whole numbers, to a thousandth.
func ratio(a, b float64) (num, den int) {
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
		if k.Service.Samples > 0 {
			return false
		}
		if k.Pending.Jobs > 0 {
			waiting = true
			guess := float64(k.Pending.Jobs) * float64(k.Service.Mean)
			if math.Abs(float64(k.Pending.Work)-guess) > 1e-6*guess {
				return false // an estimate
			}
		}
	}
	return waiting
}
