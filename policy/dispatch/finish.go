package dispatch

// Status answers a worker's word about a job. The zero Status is the one on
// which a worker does nothing.
type Status uint8

const (
	Stale     Status = iota // the lease is not, or no longer, the one the token names: nothing changed
	Duplicate               // the queue has heard this before: nothing changed
	Accepted
)

// String returns the status in lower case.
func (s Status) String() string {
	switch s {
	case Stale:
		return "stale"
	case Duplicate:
		return "duplicate"
	case Accepted:
		return "accepted"
	}
	return "invalid"
}

// Cause says why something became of a job.
type Cause uint8

const (
	CauseNone         Cause = iota
	CauseCompleted          // the worker did it
	CauseFailed             // the worker reported an error
	CauseReleased           // given back, the attempt not spent
	CauseLost               // the worker fell silent
	CausePastDeadline       // it ran longer than it may
	CauseCancelled          // a human did not want it any more
	CauseRetried            // a human wanted it once more
)

var causeNames = [...]string{"none", "completed", "failed", "released", "lost", "past deadline", "cancelled", "retried"}

// String returns the cause in lower case.
func (c Cause) String() string {
	if int(c) < len(causeNames) {
		return causeNames[c]
	}
	return "invalid"
}

// Effect is what became of a job: what a store has to write and a history to
// keep. The zero Effect is of no job.
type Effect struct {
	ID       int64
	State    State // the one it is in now
	Cause    Cause
	Type     string
	Tenant   string
	Priority uint8
	Attempt  int    // the one that ended, or the latest
	Worker   string // that had it, empty where none had
	Token    Token  // of the latest lease
	Arrival  int64  // ns
	Started  int64  // ns: when that lease began, 0 where there was none
	Due      int64  // ns: when a Delayed job may run
}

// effect describes a job before it changes its state.
func (q *Queue) effect(r *record, c Cause) Effect {
	e := Effect{
		ID: r.id, Cause: c, Type: q.kinds[r.kind].name, Tenant: q.tenants.name[r.tenant], Priority: r.priority,
		Attempt: int(r.attempt), Token: r.token, Arrival: r.arrival,
	}
	if r.state == Leased {
		l := q.leases.at(r.lease)
		e.Worker, e.Started = q.workers.at(l.worker).name, l.started
	}
	return e
}

// withOutcome adds to an effect what has become of the job.
func (e Effect) withOutcome(r *record) Effect {
	e.State = r.state
	if r.state == Delayed {
		e.Due = r.when
	}
	return e
}

// findLease returns the job that is leased under a token, and its slot. Where none is, the
// job is nil and the status is the answer to whoever wants to end the lease in the given
// way: a Duplicate if it ended just so.
func (q *Queue) findLease(id int64, token Token, how ending) (*record, int32, Status) {
	r, slot := q.records.find(id)
	switch {
	case r == nil || r.token != token:
		return nil, 0, Stale
	case r.state == Leased:
		return r, slot, Accepted
	case r.endedBy() == how:
		return nil, 0, Duplicate
	}
	return nil, 0, Stale
}

// Complete ends a lease because the job is done, even if a human had asked to
// cancel it meanwhile. The effect is that of an accepted completion only.
func (q *Queue) Complete(id int64, token Token, now int64) (Status, Effect) {
	q.advance(now)
	r, slot, status := q.findLease(id, token, completed)
	if r == nil {
		return status, Effect{}
	}
	e := q.effect(r, CauseCompleted)
	key := r.key
	q.leaveLeased(r, completed)
	q.enterEnded(slot, r, Done)
	q.unpark(key)
	return Accepted, e.withOutcome(r)
}

// Fail ends a lease because the attempt failed. The job backs off and returns,
// unless it has failed as often as it may, or the failure is final: then it is
// Dead.
func (q *Queue) Fail(id int64, token Token, final bool, now int64) (Status, Effect) {
	q.advance(now)
	r, slot, status := q.findLease(id, token, failed)
	if r == nil {
		return status, Effect{}
	}
	return Accepted, q.fail(slot, r, failed, final)
}

// Release ends a lease without spending an attempt: the worker gives the job
// back as it got it. The job returns to its place in the line.
func (q *Queue) Release(id int64, token Token, now int64) (Status, Effect) {
	q.advance(now)
	r, _, status := q.findLease(id, token, released)
	if r == nil {
		return status, Effect{}
	}
	return Accepted, q.giveBack(r, released)
}

// fail ends a lease by a failure: one the worker reported, or a deadline.
func (q *Queue) fail(slot int32, r *record, how ending, final bool) Effect {
	cause := CauseFailed
	if how == lost {
		cause = CausePastDeadline
	}
	e := q.effect(r, cause)
	cancelled := r.has(flagCancel)
	q.leaveLeased(r, how)
	q.totals.Failed++
	if r.failures < maxAttempts {
		r.failures++
	}
	switch {
	case cancelled:
		e.Cause = CauseCancelled
		q.enterEnded(slot, r, Cancelled)
	case final || r.failures >= r.attempts:
		q.totals.Dead++
		q.enterStopped(r, Dead)
	default:
		d := Backoff(q.opt.Seed, r.id, int(r.failures), q.opt.BackoffBase, q.opt.BackoffMax)
		if d == 0 {
			q.enterWaiting(slot, r)
		} else {
			q.enterDelayed(slot, r, later(q.now, d))
		}
	}
	q.unpark(r.key)
	return e.withOutcome(r)
}

// giveBack ends a lease, released or lost, of a job that nobody says failed.
func (q *Queue) giveBack(r *record, how ending) Effect {
	slot := q.leases.at(r.lease).job
	cause := CauseReleased
	if how == lost {
		cause = CauseLost
	}
	e := q.effect(r, cause)
	cancelled := r.has(flagCancel)
	q.leaveLeased(r, how)
	if how == lost {
		q.totals.Lost++
		r.losses++
	} else {
		q.totals.Released++
		r.attempt--
	}
	switch {
	case cancelled:
		e.Cause = CauseCancelled
		q.enterEnded(slot, r, Cancelled)
	case how == lost && int(r.losses) >= q.opt.LossesMax:
		q.totals.Quarantined++
		q.enterStopped(r, Quarantined)
	default:
		q.enterWaiting(slot, r)
	}
	q.unpark(r.key)
	return e.withOutcome(r)
}
