package queue

import (
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// newNumber returns a number that no other engine of this queue uses.
func (e *Engine) newNumber() int64 {
	e.counter++
	return int64(e.epoch)<<32 | e.counter
}

// handed books leases that were given to a worker.
func (e *Engine) handed(w *worker, grants []dispatch.Grant, now int64) {
	if len(grants) == 0 {
		return
	}
	b := e.open()
	for _, g := range grants {
		row := e.rowFor(b)
		j := e.jobs.At(g.ID)
		j.handOut, j.worker, j.progress, j.started = row.ID, w, 0, now
		e.move(g.ID, j, dispatch.Leased, now)
		if g.Attempt > 1 {
			e.note(j.tally, now, MinuteCounts{Retried: 1})
		}
		row.Leases = append(row.Leases, Lease{w.ID, g.ID, g.Token, now})
		e.handOuts[row.ID]++
	}
	w.busier(len(grants))
	if w.drains {
		e.count(w, now)
	}
	b.weight += len(grants)
}

// handOutLeases is how many leases one row holds at most. Together they cost
// less than alone, but the row stays as long as any of them is open.
const handOutLeases = 64

// rowFor returns the row of a batch that the next lease belongs to.
func (e *Engine) rowFor(b *batch) *HandOut {
	if n := len(b.Handed); n == 0 || len(b.Handed[n-1].Leases) == handOutLeases {
		b.Handed = append(b.Handed, HandOut{ID: e.newNumber()})
	}
	return &b.Handed[len(b.Handed)-1]
}

// unhand books the end of a lease.
func (e *Engine) unhand(j *job, now int64) {
	if j.state != dispatch.Leased {
		return
	}
	if j.worker.idler(now); j.worker.drains {
		e.count(j.worker, now)
	}
	b := e.open()
	// The rows of this batch may get more leases: cut looks at them.
	gathering := len(b.Handed) > 0 && j.handOut >= b.Handed[0].ID
	if e.handOuts[j.handOut]--; e.handOuts[j.handOut] == 0 && !gathering {
		delete(e.handOuts, j.handOut)
		b.Returned = append(b.Returned, j.handOut)
	}
	j.handOut = 0
}

// became books what the state machine says became of a job. done is the
// worker's word about it, if it was that.
func (e *Engine) became(f dispatch.Effect, done *api.DoneJob, now int64) {
	j := e.jobs.At(f.ID)
	leased := j.state == dispatch.Leased
	if leased && f.State != dispatch.Leased {
		e.unhand(j, now)
	}
	switch {
	case f.Cause == dispatch.CauseFailed:
		j.sized.seen.failed++
		e.note(j.tally, now, MinuteCounts{Failed: 1})
		j.err = ""
		if done != nil {
			j.err = clean(done.Error, api.ErrorMax)
		}
		j.worker.Failed++
	case f.Cause == dispatch.CausePastDeadline:
		j.sized.seen.failed++
		e.note(j.tally, now, MinuteCounts{Failed: 1})
		j.err = "it ran longer than it may"
	case f.Cause == dispatch.CauseLost:
		j.sized.seen.lost++
		e.note(j.tally, now, MinuteCounts{Lost: 1})
		j.err = "its worker fell silent"
	case f.Cause == dispatch.CauseRetried:
		e.move(f.ID, j, dispatch.Unknown, now) // with the arrival it had
		j.arrival = f.Arrival
	}
	if f.State == j.state { // a leased job that is to be cancelled
		e.noteChanged(f.ID)
		return
	}
	e.move(f.ID, j, f.State, now)
	switch f.State {
	case dispatch.Done, dispatch.Cancelled:
		e.ended(f, j, done, now)
		return
	case dispatch.Dead, dispatch.Quarantined:
		e.tellWatchers(f.ID)
	}
	e.noteChanged(f.ID)
}

// ended books the end of a job's life.
func (e *Engine) ended(f dispatch.Effect, j *job, done *api.DoneJob, now int64) {
	b := e.open()
	b.weight++
	s, _ := e.q.Job(f.ID)
	r := Record{
		ID: f.ID, Type: f.Type, Priority: f.Priority, Tenant: f.Tenant, Group: j.groupID(), State: f.State,
		Attempts: f.Attempt, Failures: s.Failures, Losses: s.Losses, Token: f.Token,
		Created: j.created, Arrival: f.Arrival, Started: f.Started, Finished: now,
		Estimate: j.estimate, Promise: j.promise, BytesIn: j.bytesIn, Error: j.err,
	}
	if w := j.worker; w != nil && f.Started != 0 {
		r.Worker, r.Instance, r.InstanceType, r.Boot = w.ID, w.InstanceID, w.InstanceType, w.BootID
	}
	if f.Cause == dispatch.CauseCompleted {
		r.Error = ""
		j.worker.Completed++
		if done != nil {
			r.Result = clean(done.ResultURI, api.URIMax)
			r.use(done.Metrics)
		}
		took := float64(now-f.Started) / 1e9
		e.note(j.tally, now, MinuteCounts{
			Completed: 1, Wait: max(0, f.Started-f.Arrival), Service: now - f.Started, ServiceSquare: took * took,
		})
		run := r.Run
		if run == 0 {
			run = now - f.Started
		}
		e.serviceOf(f.Type, r.InstanceType).add(now, run)
		slot := api.SlotTime(time.Duration(r.Run), time.Duration(now-f.Started))
		j.sized.seen.done(slot.Nanoseconds(), e.speedOf(r.InstanceType))
		e.ranOn(ranKey{f.Type, r.InstanceType, j.sized.size}, run)
	} else {
		e.note(j.tally, now, MinuteCounts{Cancelled: 1})
	}
	if j.key != "" {
		b.Keys = append(b.Keys, Key{j.key, f.ID, now + int64(e.q.Options().KeyFor)})
	}
	if f.ID < b.firstNew {
		b.Removed = append(b.Removed, f.ID)
	}
	b.Ended = append(b.Ended, r)
	e.recent.add(r)
	e.jobs.Remove(f.ID)
	e.tellWatchers(f.ID)
	e.wantPage()
}

// use takes over what a worker measured.
func (r *Record) use(m *api.Metrics) {
	if m == nil {
		return
	}
	r.Run, r.CPU = nanoseconds(m.RunS), nanoseconds(m.CPUS)
	if m.BytesIn > 0 {
		r.BytesIn = m.BytesIn
	}
	r.BytesOut, r.PeakMemory = max(0, m.BytesOut), max(0, m.PeakMemoryBytes)
}

// nanoseconds returns s seconds, within what a century can hold; 0 for what is
// no number.
func nanoseconds(s float64) int64 {
	const century = 100 * 365 * 24 * float64(time.Hour)
	if !(s > 0) {
		return 0
	}
	return int64(min(s*1e9, century))
}

// tellWatchers lets those who wait for a job look at it, once what became of
// it is written.
func (e *Engine) tellWatchers(id int64) {
	if w := e.watchers[id]; w != nil {
		delete(e.watchers, id)
		b := e.open()
		b.watching = append(b.watching, w...)
	}
}
