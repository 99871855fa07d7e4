package sim

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/observe"
)

// tick lets the policy see, decide and act.
func (e *engine) tick() {
	e.ticks++
	e.countArrivals()
	e.observe()
	decision, clamped := e.decide()
	row := e.stats.row
	row.Clamped = clamped
	e.act(&decision, &row)
	e.stats.decided(e, &decision, row)
	e.scheduleTick(decision.NextTick)
}

// decide steps the policy and returns what the guard leaves of its decision, and
// how many launches and drains the guard removed.
func (e *engine) decide() (decision policy.Decision, clamped int) {
	if e.opt.Journal != nil {
		e.opt.Journal.Before(&e.obs, e.policy)
	}
	asked := e.policy.Step(&e.obs)
	decision = e.guard.Clamp(&e.obs, &e.cfg.Catalog, asked)
	removed := journal.Removed{
		Launches: asked.Instances() - decision.Instances(),
		Drains:   len(asked.Drains) - len(decision.Drains),
	}
	if removed.Launches > 0 || removed.Drains > 0 {
		e.stats.clamped(e, removed.Launches, removed.Drains)
	}
	if e.opt.Journal != nil {
		e.opt.Journal.Decided(&e.obs, &decision, removed, e.policy)
	}
	return decision, removed.Launches + removed.Drains
}

// act carries out a decision, drains before launches, and notes in the tick's row
// and in the journal what became of it.
func (e *engine) act(d *policy.Decision, row *TickRow) {
	for _, id := range d.Undrains {
		if e.undrain(int64(id)) {
			row.Undrains++
		}
	}
	e.relistAll()
	for _, id := range d.Drains {
		if e.drain(int64(id)) {
			row.Drains++
		}
	}
	outcome, short := policy.Outcome{At: e.obs.Now, Drained: row.Drains}, 0
	for i := range d.Launches {
		l := &d.Launches[i]
		outcome.Asked += l.Count
		launched, refused, left := e.launchAll(l)
		outcome.Launched += launched
		outcome.Refused += refused
		short += left
	}
	row.Launches, row.Refused = outcome.Launched, outcome.Refused
	if e.opt.Journal != nil {
		e.opt.Journal.Became(journal.Outcome{
			Launched: row.Launches, Refused: row.Refused, Short: short, Drained: row.Drains, Undrained: row.Undrains,
		})
	}
	if outcome.Asked > 0 || outcome.Drained > 0 {
		e.rec.Decided(outcome)
	}
	e.digest.add(digestTick, e.now, int64(outcome.Asked)<<32|int64(outcome.Drained), int64(len(d.Undrains)))
}

// scheduleTick sets the time of the next tick. Where fast ticks are allowed, ticks
// stay on their grid, with the earlier ones that a policy asks for in between.
func (e *engine) scheduleTick(asked time.Duration) {
	tick := int64(e.cfg.Tick)
	if !e.cfg.FastTicks {
		e.nextAt = e.now + tick
		return
	}
	e.nextAt = (e.now/tick + 1) * tick
	if asked > 0 {
		e.nextAt = min(e.nextAt, e.now+int64(max(asked, policy.MinTick)))
	}
}

// observe builds the observation from what a controller could know.
func (e *engine) observe() {
	o := &e.obs
	o.FastTicks = e.cfg.FastTicks
	e.rec.Begin(o, e.now)
	silent := e.observeFleet()
	e.observeMoney()
	e.observeEC2()
	e.stats.row = TickRow{At: time.Duration(e.now)}
	step := e.stats.step(e)
	e.rec.QueueRead(e.now, e.faults.queueUnread)
	e.rec.End(o, e.now, observe.Sample{ReadySlotS: step.ready, BusySlotS: step.busy, Silent: silent})
	e.stats.slack24h(e, o.History.Slack24h)
	e.stats.offered(o, step.at)
	if e.faults.inFault {
		e.distort()
	}
	e.foresee()
}

// observeFleet lists the instances and what runs on them; it returns how many
// workers are silent.
func (e *engine) observeFleet() (silent int) {
	o := &e.obs
	start := e.cfg.Start
	views := o.Fleet.Instances[:0]
	lease := int64(e.cfg.Lease)
	for _, r := range e.alive {
		in := e.insts[r]
		if in.seen >= 0 && !in.silent && !in.dead {
			in.seen = e.lastBeat(in)
		}
		v := policy.Instance{
			ID: policy.InstanceID(in.id), Type: int(in.typ), Market: in.market, Phase: in.phase,
			Zone:       e.zoneName(int(in.zone)),
			LaunchedAt: start.Add(time.Duration(in.launch)),
			Slots:      int(in.n), Busy: int(in.busy),
		}
		v.PaidUntil = v.LaunchedAt.Add(e.cfg.Catalog.Billing.Paid(time.Duration(e.now - in.launch)))
		e.showSpent(in, in.launch+int64(v.PaidUntil.Sub(v.LaunchedAt)))
		if in.busy > 0 {
			v.IdleIn = e.observeRunning(in)
		}
		switch {
		case in.seen < 0 && in.confirmed > e.now:
			v.Phase = policy.Requested
		case in.seen < 0:
			v.Phase = policy.Booting // also one that is ready behind a partition
		case e.now-in.seen > lease && in.phase != policy.Draining:
			// a crashed worker and one behind a partition look the same
			v.Phase = policy.Lost
			silent++
		case in.phase == policy.Lost: // nobody knows yet
			v.Phase, v.Busy, v.IdleIn = policy.Ready, int(in.shownBusy), in.shownIdleIn
		}
		if in.seen >= 0 {
			v.LastSeen = start.Add(time.Duration(in.seen))
		}
		if in.interrupt != never {
			v.InterruptAt = start.Add(time.Duration(in.interrupt))
		}
		in.shownBusy, in.shownIdleIn = int32(v.Busy), v.IdleIn
		views = append(views, v)
	}
	o.Fleet.Instances = views
	return silent
}

// observeRunning estimates what is left of the jobs on an instance and when it
// could be idle.
func (e *engine) observeRunning(in *instance) (idleIn time.Duration) {
	speed := e.cfg.Catalog.Types[in.typ].Speed
	for s := in.base; s < in.base+in.n; s++ {
		if !e.done.runs(s) && !e.slots[s].held {
			continue
		}
		sl := &e.slots[s]
		after := e.rec.Running(e.kinds[sl.job.Kind].counts, e.refWork(sl.job.Estimate), e.now-sl.start, speed, in.phase == policy.Ready)
		idleIn = max(idleIn, after)
	}
	return idleIn
}

func (e *engine) observeMoney() {
	m := &e.obs.Money
	m.At, m.Complete = e.obs.Now, true
	m.OnDemand = e.prices
	if e.spot != nil {
		m.Spot = e.spot.now
	}
	m.BudgetHour, m.BudgetDay, m.BudgetMonth = e.cfg.BudgetHour, e.cfg.BudgetDay, e.cfg.BudgetMonth
	m.SpentHour, m.SpentDay, m.SpentMonth = e.stats.ledger(e.obs.Now.Add(e.cfg.UTCOffset))
}

func (e *engine) observeEC2() {
	v := &e.obs.EC2
	if !e.faults.apiDown {
		v.At = e.obs.Now
		e.faults.listed = e.obs.Now
	}
	v.Complete = !e.faults.apiDown
	v.Quota = e.cfg.MaxInstances
}
