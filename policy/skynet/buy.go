package skynet

import (
	"math"

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

// scaleOut undrains and launches what the plan lacks, or what a floor under the fleet
// lacks.
func (p *Policy) scaleOut(o *policy.Observation) {
	mustHold := p.scaleOutChecks()
	now := capacity{useFleet: true, extraFrom: maxSteps}
	fits := p.plan.holds(now, mustHold)
	belowFloor := max(p.band.floor-p.fleet.alive, p.slotFloor.slots-p.fleet.alive, 0)
	if fits && belowFloor == 0 {
		p.withEnough(o, now, mustHold)
		return
	}
	unit := p.market.unitSpeed

	// What drains costs nothing to keep.
	undrained := 0.0
	if len(p.fleet.undrainable) > 0 {
		want := belowFloor
		if !fits {
			want = max(want, p.plan.shortfall(now, 0, mustHold))
		}
		undrained = p.undrain(o, want)
		now.constant = undrained
		fits = fits || p.plan.holds(now, mustHold)
	}

	// What the plan still lacks, but no more than the ceiling of the slack rule.
	short := 0.0
	if !fits {
		short = p.plan.shortfall(now, p.lag, mustHold)
		p.explain(rulePlanShort.Because(short*unit, p.lag, p.fleet.serving*unit, p.fleet.booting*unit, p.waitingWork()*unit))
		short = p.withBurstMargin(o, short)
	}
	if room := max(p.band.ceiling-p.fleet.alive-undrained, 0); short > room {
		p.explain(ruleSlackEnough.Because(short*unit, room*unit, 100*(p.set.slackTarget+slackTop), 100*o.History.Slack24h))
		short = room
	}

	// What a floor still lacks, if that is more.
	if belowFloor-undrained > short {
		short = belowFloor - undrained
		if p.slotFloor.slots > p.band.floor {
			p.explain(ruleChanceShort.Because(p.fleet.alive*unit, p.slotFloor.budget, p.slotFloor.slots*unit, p.slotFloor.held))
		} else {
			p.explain(ruleSlackShort.Because((p.fleet.alive+belowFloor)*unit, 100*p.set.slackTarget, 100*o.History.Slack24h, p.fleet.alive*unit))
		}
	}
	if short > 0 {
		p.buy(o, short)
	}
}

// withEnough does what is left to do where the plan holds and no floor lacks
// anything: a little work that the plan leaves out is served, and a fleet that is too
// large for its load gets a smaller instance in place of a large one.
func (p *Policy) withEnough(o *policy.Observation, now capacity, mustHold checks) {
	unit := p.market.unitSpeed
	if p.undrainForSpare(o, now, mustHold) {
		return
	}
	if p.stranded() {
		p.explain(ruleStranded.Because(p.waitingWork()*unit, p.oldestWait()))
		p.buy(o, p.lagTolerance())
		return
	}
	if want := p.swapSlots(o); want > 0 {
		p.buy(o, want)
		return
	}
	if why, ok := p.spareReason(); ok {
		p.explain(why)
	}
	p.explain(rulePlanFits.Because(p.fleet.serving*unit, p.fleet.booting*unit, p.forecast.mean*unit, p.forecast.high*unit, p.lag+p.tick))
}

// undrainForSpare undrains instances for jobs that may be late, with billing per second,
// and reports whether it did. The miss budget is to save launches, not capacity that is
// there: the free slots of a draining instance are paid for as long as its last jobs
// run. Where something drains, the plan spares nothing afterwards.
func (p *Policy) undrainForSpare(o *policy.Observation, now capacity, mustHold checks) bool {
	if p.set.windows || len(p.fleet.undrainable) == 0 || !p.plan.spareNothing() || p.plan.holds(now, mustHold) {
		return false
	}
	p.undrain(o, p.plan.shortfall(now, 0, mustHold))
	return true
}

// withBurstMargin returns how many slots to buy where the plan is short of some: more
// than that, with billing per second, for a line with z > 1.
//
// Such a line has bursts that nothing announces. What it is short of is the beginning
// of one, and at the next tick it would be short again. So as much again is bought in
// proportion to z − 1, all of it from z = 3 on, but only as far as it makes whole
// instances of the suitable type: large ones bring more than was asked for anyway.
// What is too much leaves within a tick or two; a paid hour would have to be paid in
// full. Where slack is all that is held there is no reserve to go by.
func (p *Policy) withBurstMargin(o *policy.Observation, short float64) float64 {
	j := p.plan.shortLine()
	if p.set.windows || !p.set.promises || j < 0 {
		return short
	}
	z := p.lines[j].z
	margin := min(max((z-1)/2, 0), 1)
	size := p.market.slots[p.suitableType(o, p.market.cheapestFirst[0], short)]
	more := size * math.Floor(float64(short*(1+margin))/size)
	if more <= short {
		return short
	}
	p.explain(rulePlanMore.Because(more*p.market.unitSpeed, z))
	return more
}

// undrain puts draining instances back into service, newest first, until these have the
// wanted slots, and returns how many slots they have.
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

// scaleOutChecks says where the plan must hold, or something is bought: urgent lines in
// the first tick after launches could have helped and had the recovery time ρ, patient
// lines from then on. Work that is late before that is late whatever is bought.
func (p *Policy) scaleOutChecks() checks {
	k := checks{patientFrom: stepOf(p.lag + p.recovery), tolerance: p.lagTolerance()}
	for j := range p.lines {
		from := p.lag + p.lines[j].recovery
		k.urgent[j] = span{stepOf(from), stepOf(from + p.tick)}
	}
	return k
}

// lagToleranceSeconds is for how many seconds of a unit instance's service a line may be
// overdue in the plan: too little to launch for.
const lagToleranceSeconds = 0.2

// lagTolerance returns that in slot-seconds.
func (p *Policy) lagTolerance() float64 { return lagToleranceSeconds * p.market.unitSlots }

// stranded reports whether jobs wait that nothing would ever serve. The plan leaves a
// little work overdue in each line, and some jobs late. Where no instance is alive that
// may be all the work there is, and would wait for ever. In a line that is not urgent a
// job is stranded only when an instance launched now could just be in time for it.
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

// oldestWait returns how long the oldest of all waiting jobs has waited, in seconds.
func (p *Policy) oldestWait() float64 {
	oldest := 0.0
	for i := range p.lines {
		oldest = max(oldest, p.lines[i].oldest)
	}
	return oldest
}

// waitingWork returns the work of all waiting jobs, in slot-seconds.
func (p *Policy) waitingWork() float64 {
	sum := 0.0
	for i := range p.lines {
		sum += p.lines[i].waitingHead + p.lines[i].waitingTail
	}
	return sum
}

// buy launches the cheapest set of types with at least the given slots, as far as EC2
// sells, and the quota and the parameter cold_launch leave room for, instances.
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

// unknownWork reports whether nothing tells how large any waiting job is: no job of any
// kind has completed, and those that wait carry no estimate of their own.
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
