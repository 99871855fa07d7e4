package sim

import (
	"context"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/dispatch"
	"github.com/skynet-ec2/skynet/traces"
)

// This file is what every job passes through. What a job costs is counted in
// nanoseconds (docs/benchmarks.md), so its steps read what they need in place
// and take the short way where nothing unusual goes on.

// run plays the events in order.
func (e *engine) run(ctx context.Context) error {
	last := min(e.end, never-1)
	for {
		if err := e.playPlain(last); err != nil {
			return err
		}
		rare := min(e.nextAt, e.rare.first)
		t := min(e.done.min(), e.arrival, rare)
		if t > last {
			break
		}
		e.now = t
		if t == rare && e.end == never && e.over() {
			break
		}
		if err := e.instant(); err != nil {
			return err
		}
		if t == rare {
			if err := ctx.Err(); err != nil {
				return err
			}
			if e.jobs != nil && e.jobs.err != nil {
				return e.jobs.err // nobody takes the rows any more
			}
			if j := e.opt.Journal; j != nil && j.Err() != nil {
				return j.Err()
			}
		}
		if err := e.checked(); err != nil {
			return err
		}
	}
	return e.finish()
}

// checked asserts the run's invariants, if that was asked for.
func (e *engine) checked() error {
	if e.check == nil {
		return nil
	}
	if err := e.check.check(e); err != nil {
		return &InvariantError{err}
	}
	return nil
}

// playPlain plays the completions and arrivals up to last as long as one thing
// happens at a time and nothing rare does.
func (e *engine) playPlain(last int64) error {
	until := min(e.nextAt, e.rare.first, last+1)
	for {
		done := e.done.min()
		switch at := e.arrival; {
		case done < at && done < until:
			e.now = done
			s := e.done.first()
			if e.line.Len() == 0 || !e.relay(s) {
				e.complete(s)
				if e.done.min() == done {
					return nil
				}
				if e.line.Len() > 0 {
					e.dispatch()
				}
			}
		case at < done && at < until:
			e.now = at
			if err := e.arrive(); err != nil {
				return err
			}
		default:
			return nil
		}
		if e.check != nil {
			if err := e.checked(); err != nil {
				return err
			}
		}
	}
}

// instant plays everything that happens at now, in the contract's order.
func (e *engine) instant() error {
	for e.done.min() == e.now {
		e.complete(e.done.first())
	}
	e.events()
	if e.arrival == e.now {
		if err := e.arrive(); err != nil {
			return err
		}
	}
	e.dispatch()
	if e.nextAt == e.now {
		if e.end == never && e.over() {
			return nil // the run ends here, before the tick
		}
		if e.now < e.end {
			e.tick()
		} else {
			e.nextAt = never
		}
		e.events() // an instance whose boot lag is zero
		e.dispatch()
	}
	return nil
}

// arrive takes the arrivals at now.
func (e *engine) arrive() error {
	for {
		b, i := &e.batch, e.cursor
		k := &e.kinds[b.Kind[i]]
		alone := i+1 < len(b.Arrival) && b.Arrival[i+1] != e.now
		if alone && e.idle.n > 0 && e.line.Len() == 0 && !e.closed {
			s := e.idle.take()
			sl := &e.slots[s]
			e.fill(&sl.job, b, i)
			e.start(s, sl, k)
			return e.advance()
		}
		e.fill(e.line.Append(k.priority), b, i)
		k.counts.Ages.Add(e.now)
		if err := e.advance(); err != nil {
			return err
		}
		if e.arrival != e.now {
			e.dispatch()
			return nil
		}
	}
}

// fill makes job the i-th of the batch.
func (e *engine) fill(job *dispatch.Job, b *traces.Batch, i int) {
	job.ID, job.Arrival, job.Work = b.First+int64(i), e.now, b.Service[i]
	job.Kind, job.Attempt = b.Kind[i], 0
	job.Estimate = 0
	if b.Estimate != nil {
		job.Estimate = b.Estimate[i]
	}
	if e.jobs != nil {
		e.jobs.arrived(job, &b.Kinds[job.Kind])
	}
}

// advance moves the cursor past the present arrival.
func (e *engine) advance() error {
	e.cursor++
	if e.cursor < len(e.batch.Arrival) {
		e.arrival = e.batch.Arrival[e.cursor]
		return nil
	}
	return e.refill()
}

// countArrivals books the arrivals since it was last called. Nobody asks for
// their number between ticks, and together they cost less than one by one.
func (e *engine) countArrivals() {
	b := &e.batch
	from, to := e.counted, min(e.cursor, b.Len())
	e.counted = to
	if from >= to {
		return
	}
	e.arrived += int64(to - from)
	e.stats.lastArrival = b.Arrival[to-1]
	arrival, service := b.Arrival[from:to], b.Service[from:to]
	work := e.stats.judgedWork
	for i, kind := range b.Kind[from:to] {
		k := &e.kinds[kind]
		k.counts.Arrived++
		if arrival[i] >= e.judge {
			k.stats.arrived++
			work += float64(service[i])
		}
	}
	e.stats.judgedWork = work
	if b.Estimate == nil {
		return
	}
	for i, estimate := range b.Estimate[from:to] {
		if estimate > 0 {
			e.kinds[b.Kind[from+i]].counts.EstimateArrived(e.refWork(estimate))
		}
	}
}

// dispatch hands waiting jobs to idle slots.
func (e *engine) dispatch() {
	if e.closed {
		return
	}
	for e.idle.n > 0 {
		job, priority := e.line.First()
		if job == nil {
			return
		}
		k := &e.kinds[job.Kind]
		k.counts.Ages.Remove(job.Arrival)
		s := e.idle.take()
		sl := &e.slots[s]
		sl.take(job)
		e.line.Drop(priority)
		e.start(s, sl, k)
	}
}

// take makes job the slot's, field by field as a file does.
func (sl *slot) take(job *dispatch.Job) {
	sl.job.ID, sl.job.Arrival, sl.job.Work, sl.job.Estimate = job.ID, job.Arrival, job.Work, job.Estimate
	sl.job.Kind, sl.job.Attempt = job.Kind, job.Attempt
}

// start runs the job of an idle slot that was just taken from the list.
func (e *engine) start(s int32, sl *slot, k *kind) {
	in := sl.in
	in.busy++
	e.sums.busy++
	e.sums.busyAcc -= e.now
	e.begin(sl, k)
	ns := e.service(in, sl.job.Work)
	if e.took != nil {
		e.took[s] = ns
	}
	e.done.set(s, e.now+ns)
}

// begin counts the start of a slot's job.
func (e *engine) begin(sl *slot, k *kind) {
	sl.start = e.now
	k.counts.Started++
	if e.now-sl.job.Arrival > k.counts.LateAfter {
		k.counts.StartedLate++
	}
	if sl.job.Estimate > 0 {
		k.counts.EstimateLeft(e.refWork(sl.job.Estimate))
	}
}

// service returns how long recorded work takes on an instance now.
func (e *engine) service(in *instance, work int64) int64 {
	if in.ratio.num == in.ratio.den && !e.faults.slowWork {
		return work
	}
	return e.serviceElsewhere(in, work)
}

// serviceElsewhere is service where an instance is not what work was measured
// on.
func (e *engine) serviceElsewhere(in *instance, work int64) int64 {
	ns := in.ratio.of(work)
	if e.faults.slowWork {
		ns = e.slowed(ns, in)
	}
	return ns
}

// relay completes the job of a slot that is due now and gives the slot the next
// job in line at once: what complete and dispatch come to where it is the only
// slot that is idle, in half the steps. It reports whether that was so; if not,
// nothing has changed.
func (e *engine) relay(s int32) bool {
	sl := &e.slots[s]
	in := sl.in
	if e.idle.n > 0 || e.holding || e.failures != nil || e.took != nil || !in.takesJobs() || sl.orphan {
		return false
	}
	job, priority := e.line.First()
	e.done.again(s, e.now+e.service(in, job.Work))
	if e.done.min() == e.now { // another is due now, and completes first
		e.done.again(s, e.now)
		return false
	}
	e.account(s, sl, in)
	k := &e.kinds[job.Kind]
	k.counts.Ages.Remove(job.Arrival)
	sl.take(job)
	e.line.Drop(priority)
	e.begin(sl, k)
	return true
}

// complete ends the job of a slot that is due now.
func (e *engine) complete(s int32) {
	sl := &e.slots[s]
	in := sl.in
	e.done.clear(s)
	if e.holding || in.silent || sl.orphan {
		if !e.completeOddly(s, sl, in) {
			return
		}
	} else if e.failures != nil && e.fails(&sl.job) {
		e.fail(s, sl, in)
	} else {
		e.account(s, sl, in)
	}
	in.busy--
	e.sums.busy--
	e.sums.busyAcc += e.now
	if in.takesJobs() {
		e.idle.add(s, in.id, e.now)
		return
	}
	e.idle.node[s].since = e.now
	e.released(in)
}

// released follows up on a slot that came free on an instance that takes no
// new job.
func (e *engine) released(in *instance) {
	if in.phase == policy.Draining {
		e.addReady(-1)
		if in.busy == 0 && !in.dead {
			e.terminate(in)
		}
	}
}

// account books a job that is done.
func (e *engine) account(s int32, sl *slot, in *instance) {
	e.settled = e.now
	e.digest.ran(sl, in, s, e.now)
	if e.jobs != nil {
		e.jobs.finished(sl, in.id, e.now)
	}
	k := &e.kinds[sl.job.Kind]
	work := sl.job.Work
	if e.took != nil {
		work = e.measured(s, sl, in)
	}
	k.counts.Done(e.refWork(work))
	e.stats.completed(k, sl.job.Arrival, sl.start, e.now)
}

// measured returns the work of a job that is done as its worker reports it, by how long
// it ran on an instance of this speed: where work is slow, it looks like more.
func (e *engine) measured(s int32, sl *slot, in *instance) int64 {
	work, usual := sl.job.Work, in.ratio.of(sl.job.Work)
	if usual <= 0 || e.took[s] == usual {
		return work
	}
	return min(int64(float64(work)*(float64(e.took[s])/float64(usual))), longest)
}

// refWork returns the work of a recorded service time in nanoseconds on the
// reference core.
func (e *engine) refWork(service int64) int64 {
	if e.reference == 1 {
		return service
	}
	return int64(float64(service) * e.reference)
}
