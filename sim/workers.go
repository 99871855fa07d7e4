package sim

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// parked is a job whose worker is not heard of any more: it returns to the
// line when its lease ends.
type parked struct {
	job  dispatch.Job
	free bool  // the record waits to be reused
	slot int32 // that still runs it, unheard; -1 when the worker is dead
	inst int64
	seen int64 // the worker's last report when it fell silent
}

// lastBeat returns when the worker of an instance was last heard of: beats come
// every Beat from when it was ready, until it falls silent.
func (e *engine) lastBeat(in *instance) int64 {
	beat := int64(e.cfg.Beat)
	switch {
	case in.silent:
		return in.seen
	case beat == 0:
		return e.now
	}
	return max(in.seen, in.readyAt+(e.now-in.readyAt)/beat*beat)
}

// leaseEnd returns when the lease of a slot's job ends whose worker was last
// able to report at now. Taking a job counts as a beat.
func (e *engine) leaseEnd(in *instance, sl *slot) int64 {
	last := sl.start
	if e.cfg.Beat > 0 {
		last = max(last, e.lastBeat(in))
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
	if p.slot < 0 {
		e.unheld++
	}
	e.rare.push(max(until, e.now), leaseEnds, int64(i))
}

// endLease returns a parked job to the line.
func (e *engine) endLease(i int32) {
	p := e.parked[i]
	e.parked[i].free = true
	e.spare = append(e.spare, i)
	if p.slot < 0 {
		e.unheld--
	} else {
		r := e.find(p.inst)
		if r < 0 || e.insts[r].dead || !e.insts[r].silent || e.insts[r].seen != p.seen {
			return // its worker was heard of since, or is no more
		}
		sl := &e.slots[p.slot]
		sl.orphan = true
		if sl.held { // finished, but nobody will take the result any more
			sl.held = false
			e.freeSilent(p.slot, e.insts[r])
		}
	}
	e.giveBack(&p.job, leaseLost)
}

// freeSilent frees a slot of a silent instance whose result will be refused.
func (e *engine) freeSilent(s int32, in *instance) {
	e.slots[s].orphan = false
	e.idle.node[s].since = e.now
	e.freed = e.now
	in.busy--
	e.sums.busy--
	e.sums.busyAcc += e.now
	e.released(in)
}

// comeback is why a job waits again.
type comeback uint8

const (
	released  comeback = iota // by its worker: spends no attempt
	leaseLost                 // its worker was not heard of
	failed                    // its attempt ended in an error
)

// giveBack returns a job to its place in the line, unless its attempts are
// used up.
func (e *engine) giveBack(job *dispatch.Job, why comeback) {
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
		e.settled = e.now
		e.stats.lost(k.class, job.Arrival)
		e.digest.add(digestLost, e.now, job.ID, int64(job.Attempt))
		if e.jobs != nil {
			e.jobs.lost(job)
		}
		return
	}
	if job.Estimate > 0 {
		k.counts.EstimateReturned(e.refWork(job.Estimate))
	}
	e.line.Return(k.priority, *job)
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
	in.dead, in.crashed = true, e.now
	switch in.phase {
	case policy.Booting:
		return // it will not become ready
	case policy.Ready:
		if in.takesJobs() {
			e.unlist(in)
		}
		e.addReady(-int64(in.n))
	case policy.Draining:
		e.addReady(-int64(in.busy))
	}
	in.seen = e.lastBeat(in)
	e.freed = e.now
	for s := in.base; s < in.base+in.n; s++ {
		sl := &e.slots[s]
		if !e.done.runs(s) && !sl.held {
			continue
		}
		if !sl.orphan {
			e.park(parked{job: sl.job, slot: -1, inst: in.id}, e.leaseEnd(in, sl))
		}
		e.vacate(s, sl, in)
	}
	in.busy = 0
	if in.phase == policy.Draining {
		e.terminate(in)
		return
	}
	in.phase = policy.Lost
}

// vacate empties a slot of an instance that is lost, after what becomes of its job
// was seen to.
func (e *engine) vacate(s int32, sl *slot, in *instance) {
	e.digest.ran(sl, in, s, e.now)
	e.done.clear(s)
	sl.held, sl.orphan = false, false
	e.sums.busy--
	e.sums.busyAcc += e.now
}

// scheduleCrash draws the crash of a launch from the faults with a rate.
func (e *engine) scheduleCrash(in *instance) {
	for i := range e.cfg.Faults {
		if at := e.crashAt(i, in.id, int(in.typ), int(in.zone), e.now); at != never {
			e.pushLater(at, crashes, in.id)
		}
	}
}

// later returns the time so many hours after at, never when that lies beyond
// what a time can hold.
func later(at int64, hours float64) int64 {
	ns := int64(policy.Seconds(hours * 3600))
	if ns > never-at {
		return never
	}
	return at + ns
}

// pushLater posts an event that may lie far ahead of what becomes of its
// instance. Those of instances that have ended are thrown out when they make
// up most of the heap.
func (e *engine) pushLater(at int64, kind eventKind, id int64) {
	if at == never || at > e.end {
		return
	}
	if e.rare.crowded() {
		e.rare.keep(func(ev *event) bool {
			return ev.kind < firstOfInstance || e.find(ev.inst) >= 0
		})
	}
	e.rare.push(at, kind, id)
}

// silence cuts a worker off: it runs on but cannot report.
func (e *engine) silence(in *instance) {
	if in.silent || in.dead {
		return
	}
	if in.takesJobs() {
		e.unlist(in)
	}
	if in.phase == policy.Booting {
		in.silent = true
		return
	}
	in.seen = e.lastBeat(in)
	in.silent = true
	for s := in.base; s < in.base+in.n; s++ {
		if sl := &e.slots[s]; (e.done.runs(s) || sl.held) && !sl.orphan {
			e.park(parked{job: sl.job, slot: s, inst: in.id, seen: in.seen}, e.leaseEnd(in, sl))
		}
	}
}

// silenceIfPartitioned cuts an instance off that becomes ready inside a
// partition.
func (e *engine) silenceIfPartitioned(in *instance) {
	for i, on := range e.active {
		if f := &e.cfg.Faults[i]; on && f.Kind == Partition && e.concerns(f, int(in.typ), int(in.zone)) && e.picked(i, f, in.id) {
			in.silent = true
		}
	}
}

// heal ends an instance's partition: results it holds are delivered if their
// lease has not ended.
func (e *engine) heal(in *instance) {
	for i, on := range e.active {
		if f := &e.cfg.Faults[i]; on && f.Kind == Partition && e.concerns(f, int(in.typ), int(in.zone)) && e.picked(i, f, in.id) {
			return // another partition holds it
		}
	}
	in.silent = false
	if in.dead || in.phase == policy.Booting {
		return
	}
	e.report(in)
	if in.takesJobs() {
		e.relist(in)
	}
	if !e.holding {
		e.deliverFrom(in)
	}
}

// report notes that a worker is heard of, perhaps for the first time.
func (e *engine) report(in *instance) {
	if in.seen < 0 {
		e.rec.Booted(time.Duration(e.now - in.launch))
	}
	in.seen = e.now
}

// deliver hands over every result held back while results could not be
// delivered.
func (e *engine) deliver() {
	for i := 0; i < len(e.alive); {
		in := e.insts[e.alive[i]]
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
		e.freed = e.now
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
	return f.poison > 0 && e.launch.poison.UnitAt(job.ID) < f.poison ||
		f.rate > 0 && e.launch.failure.UnitAt(job.ID<<8|int64(job.Attempt&255)) < f.rate
}

// fail ends a job's attempt without success.
func (e *engine) fail(s int32, sl *slot, in *instance) {
	e.digest.ran(sl, in, s, e.now)
	e.giveBack(&sl.job, failed)
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
// wait again at once and have spent no attempt, unless nobody can hear it.
func (e *engine) takeBack(in *instance) {
	e.stats.inst.Interrupted++
	e.rec.Interrupted(e.now)
	switch in.phase {
	case policy.Booting:
		e.addBoot(-int64(in.n))
	case policy.Ready:
		e.addReady(-int64(in.n))
	case policy.Draining:
		e.addReady(-int64(in.busy))
	}
	e.freed = e.now
	for s := in.base; s < in.base+in.n; s++ {
		sl := &e.slots[s]
		if !e.done.runs(s) && !sl.held {
			continue
		}
		switch {
		case sl.orphan: // its job waits already
		case in.silent:
			e.park(parked{job: sl.job, slot: -1, inst: in.id}, e.leaseEnd(in, sl))
		default:
			e.giveBack(&sl.job, released)
		}
		e.vacate(s, sl, in)
	}
	in.busy = 0
	in.refund(e.cfg.Catalog.Billing, e.now, e.judge)
	e.terminate(in)
}
