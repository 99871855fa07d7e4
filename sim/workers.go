package sim

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// parked is a job whose worker is not heard of any more: it returns to the
// line when its lease ends.
type parked struct {
	job   dispatch.Job
	prio  uint8
	slot  int32 // that still runs it, unheard; -1 when the worker is dead
	inst  int64
	start int64
}

// leaseEnd returns when the lease of a job ends whose worker was last able to
// report at now: beats come every Beat from when it was ready, and taking a
// job counts as one.
func (e *engine) leaseEnd(in *instance, start int64) int64 {
	beat := int64(e.cfg.Beat)
	last := start
	if beat > 0 && e.now > in.readyAt {
		last = max(last, in.readyAt+(e.now-in.readyAt)/beat*beat)
	}
	return last + int64(e.cfg.Lease)
}

// park remembers a job until its lease ends.
func (e *engine) park(p parked, until int64) {
	var i int32
	if n := len(e.spare); n > 0 {
		i = e.spare[n-1]
		e.spare = e.spare[:n-1]
		e.parked[i] = p
	} else {
		i = int32(len(e.parked))
		e.parked = append(e.parked, p)
	}
	e.waitingOn++
	e.rare.push(max(until, e.now), leaseEnds, int64(i))
}

// endLease returns a parked job to the line.
func (e *engine) endLease(i int32) {
	p := e.parked[i]
	e.spare = append(e.spare, i)
	e.waitingOn--
	if p.slot >= 0 {
		r := e.find(p.inst)
		sl := &e.slots[p.slot]
		if r < 0 || sl.inst != r || sl.job.ID != p.job.ID || sl.start != p.start || sl.orphan ||
			!e.insts[r].silent || (e.done.due[p.slot] == never && !sl.held) {
			return // it was delivered in time
		}
		sl.orphan = true
		if sl.held { // finished, but nobody will take the result any more
			sl.held = false
			e.freeSilent(p.slot, &e.insts[r])
		}
	}
	e.giveBack(&p.job, p.prio, leaseLost)
}

// freeSilent frees a slot of a silent instance whose result will be refused.
func (e *engine) freeSilent(s int32, in *instance) {
	e.slots[s].orphan = false
	e.idle.since[s] = e.now
	in.busy--
	e.sums.busy--
	e.sums.busyAcc += e.now
	e.released(in)
}

// why a job comes back
type comeback uint8

const (
	released  comeback = iota // by its worker: spends no attempt
	leaseLost                 // its worker was not heard of
	failed                    // its attempt ended in an error
)

// giveBack returns a job to its place in the line, unless its attempts are
// used up.
func (e *engine) giveBack(job *dispatch.Job, prio uint8, why comeback) {
	k := &e.kinds[job.Kind]
	k.counts.Retried++
	e.stats.jobs.Retried++
	switch why {
	case leaseLost:
		job.Attempt++
		k.counts.Expired++
	case failed:
		job.Attempt++
		k.counts.Failed++
	}
	if e.cfg.MaxAttempts > 0 && int(job.Attempt) >= e.cfg.MaxAttempts {
		k.counts.Dropped++
		e.stats.lost(k.class, job.Arrival)
		e.digest.add(digestLost, e.now, job.ID, int64(job.Attempt))
		if e.jobs != nil {
			e.jobs.lost(job)
		}
		return
	}
	if job.Estimate > 0 {
		k.counts.EstimateStarted -= int64(float64(job.Estimate) * e.reference())
	}
	e.line.Return(prio, *job)
	k.counts.Ages.Add(job.Arrival)
	e.digest.add(digestReturn, e.now, job.ID, int64(job.Attempt))
}

// crash ends the worker of an instance; the instance stays and is paid.
func (e *engine) crash(in *instance) {
	if in.dead || in.phase == policy.Lost {
		return
	}
	e.stats.inst.Crashed++
	e.digest.add(digestCrash, e.now, in.id, int64(in.busy))
	switch in.phase {
	case policy.Booting, policy.Requested:
		in.dead = true // it will not become ready
		return
	case policy.Ready:
		if in.takesJobs() {
			e.unlist(in)
		}
		e.addReady(-int64(in.n))
	case policy.Draining:
		e.addReady(-int64(in.busy))
	}
	in.dead = true
	for s := in.base; s < in.base+in.n; s++ {
		sl := &e.slots[s]
		if e.done.due[s] == never && !sl.held {
			continue
		}
		if !sl.orphan {
			e.park(parked{sl.job, sl.prio, -1, in.id, sl.start}, e.leaseEnd(in, sl.start))
		}
		e.digest.ran(sl, in, s, e.now)
		e.done.clear(s)
		sl.held, sl.orphan = false, false
		e.sums.busy--
		e.sums.busyAcc += e.now
	}
	in.busy = 0
	if in.phase == policy.Draining {
		e.terminate(in)
		return
	}
	in.phase = policy.Lost
}

// scheduleCrash draws the crash of a launch from the faults with a rate.
func (e *engine) scheduleCrash(in *instance) {
	for i := range e.cfg.Faults {
		f := &e.cfg.Faults[i]
		if f.Kind != Crash || f.Rate == 0 || !e.concerns(f, in) {
			continue
		}
		hours := -detmath.Log(e.launch.crash.uniform(in.id<<12|int64(i))) / f.Rate
		at := max(e.now, int64(f.From)) + int64(policy.Seconds(hours*3600))
		if f.To == 0 || at < int64(f.To) {
			e.rare.push(at, crashes, in.id)
		}
	}
}

// silence cuts a worker off: it runs on but cannot report.
func (e *engine) silence(in *instance) {
	if in.silent || in.dead {
		return
	}
	if in.takesJobs() {
		e.unlist(in)
	}
	in.silent = true
	if in.phase != policy.Ready && in.phase != policy.Draining {
		return
	}
	in.seen = e.now
	for s := in.base; s < in.base+in.n; s++ {
		if sl := &e.slots[s]; (e.done.due[s] != never || sl.held) && !sl.orphan {
			e.park(parked{sl.job, sl.prio, s, in.id, sl.start}, e.leaseEnd(in, sl.start))
		}
	}
}

// silenceIfPartitioned cuts an instance off that becomes ready inside a
// partition.
func (e *engine) silenceIfPartitioned(in *instance) {
	for i, on := range e.faults.active {
		if f := &e.cfg.Faults[i]; on && f.Kind == Partition && e.concerns(f, in) && e.picked(i, f, in) {
			in.silent = true
		}
	}
}

// heal ends an instance's partition: results it holds are delivered if their
// lease has not ended.
func (e *engine) heal(in *instance) {
	for i, on := range e.faults.active {
		if f := &e.cfg.Faults[i]; on && f.Kind == Partition && e.concerns(f, in) && e.picked(i, f, in) {
			return // another partition holds it
		}
	}
	in.silent = false
	in.seen = e.now
	if in.takesJobs() {
		e.relist(in)
	}
	if !e.holding {
		e.deliverFrom(in)
	}
}

// deliver hands over every result held back while results could not be
// delivered.
func (e *engine) deliver() {
	for i := 0; i < len(e.alive); {
		in := &e.insts[e.alive[i]]
		id := in.id
		if !in.silent {
			e.deliverFrom(in)
		}
		if i < len(e.alive) && e.insts[e.alive[i]].id == id {
			i++ // it is still there
		}
	}
}

// deliverFrom completes the held jobs of an instance now.
func (e *engine) deliverFrom(in *instance) {
	for s := in.base; s < in.base+in.n; s++ {
		sl := &e.slots[s]
		if !sl.held {
			continue
		}
		sl.held = false
		e.complete(s)
		if in.id < 0 { // its last job: it has ended
			return
		}
	}
}

// completeOddly handles a job that is done where its result cannot be
// delivered, or will be refused. It reports whether the slot comes free.
func (e *engine) completeOddly(s int32, sl *slot, in *instance) bool {
	if sl.orphan {
		sl.orphan = false
		return true
	}
	sl.held = true
	return false
}

// failure is how often jobs of a kind fail.
type failure struct{ rate, poison float64 }

func (cfg *Config) failureOf(jobType string) failure {
	for i := range cfg.Failures {
		if f := &cfg.Failures[i]; len(f.Types) == 0 || slices.Contains(f.Types, jobType) {
			return failure{f.Rate, f.Poison}
		}
	}
	return failure{}
}

// fails draws whether this attempt of a job ends in an error. A poisoned job
// fails every time.
func (e *engine) fails(job *dispatch.Job) bool {
	f := e.failures[job.Kind]
	return f.poison > 0 && e.launch.poison.uniform(job.ID) < f.poison ||
		f.rate > 0 && e.launch.failure.uniform(job.ID<<8|int64(job.Attempt&255)) < f.rate
}

// fail ends a job's attempt without success.
func (e *engine) fail(s int32, sl *slot, in *instance) {
	e.digest.ran(sl, in, s, e.now)
	e.progress = e.now
	e.giveBack(&sl.job, sl.prio, failed)
}

// notice tells a spot instance that it will be taken back: it takes no new job.
func (e *engine) notice(in *instance) {
	if in.interrupt != never {
		return
	}
	if in.takesJobs() {
		e.unlist(in)
	}
	wait := 2 * time.Minute
	if e.spot != nil {
		wait = e.cfg.Spot.Notice
	}
	in.interrupt = e.now + int64(wait)
	e.rare.push(in.interrupt, takenBack, in.id)
}

// takeBack ends a spot instance: its worker releases what it runs, so the jobs
// wait again at once and have spent no attempt.
func (e *engine) takeBack(in *instance) {
	e.stats.inst.Interrupted++
	e.rec.Interrupted(e.now)
	switch in.phase {
	case policy.Booting, policy.Requested:
		e.addBoot(-int64(in.n))
	case policy.Ready:
		e.addReady(-int64(in.n))
	case policy.Draining:
		e.addReady(-int64(in.busy))
	}
	for s := in.base; s < in.base+in.n; s++ {
		sl := &e.slots[s]
		if e.done.due[s] == never && !sl.held {
			continue
		}
		if !sl.orphan {
			e.giveBack(&sl.job, sl.prio, released)
		}
		e.digest.ran(sl, in, s, e.now)
		e.done.clear(s)
		sl.held, sl.orphan = false, false
		e.sums.busy--
		e.sums.busyAcc += e.now
	}
	in.busy = 0
	e.refund(in)
	e.terminate(in)
}

// refund returns what EC2 does not charge when it takes an instance back: the
// broken hour under hourly billing, everything within the first hour under
// per-second billing.
func (e *engine) refund(in *instance) {
	rule := e.cfg.Catalog.Billing
	life := e.now - in.launch
	switch {
	case rule.Windows():
		free := in.launch + life/int64(rule.Quantum)*int64(rule.Quantum)
		if in.bill.priceSince > free {
			return // a price change settled it already
		}
		if free > in.bill.priceSince {
			in.bill.settle(in, rule, free, e.judge)
		}
		in.bill.price = 0
	case life < int64(time.Hour):
		in.bill.price = 0
	}
}
