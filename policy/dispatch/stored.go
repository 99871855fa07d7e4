package dispatch

import (
	"fmt"
	"slices"
	"time"
)

// Stored is all there is to know of a job: what Jobs yields, what Load takes.
type Stored struct {
	Spec             // RunAt is the arrival, ns
	ID         int64 // from 1
	State      State
	Token      Token  // of the latest lease, 0 if there was none
	Attempts   int    // leases so far, released ones not counted
	Failures   int    // attempts that failed
	Losses     int    // leases that were lost
	Since      int64  // ns: Done and Cancelled jobs, since when
	Due        int64  // ns: Delayed jobs, when they may run
	Worker     string // Leased jobs: who has it
	Started    int64  // ns: Leased jobs, since when
	Seen       int64  // ns: Leased jobs, when the worker last named it
	Cancelling bool   // Leased jobs: a human asked to cancel it
	EndedBy    Cause  // how the latest lease ended; CauseNone: it did not
}

// Job returns what the queue knows of a job; ok is false if that is nothing.
func (q *Queue) Job(id int64) (s Stored, ok bool) {
	r, _ := q.records.find(id)
	if r == nil {
		return Stored{}, false
	}
	return q.storedOf(r), true
}

// Jobs calls yield for every job, by id, until yield returns false.
func (q *Queue) Jobs(yield func(Stored) bool) {
	for _, slot := range q.byID() {
		if !yield(q.storedOf(q.records.at(slot))) {
			return
		}
	}
}

// byID returns the slots of all records in the order of their ids.
func (q *Queue) byID() []int32 {
	slots := make([]int32, 0, q.records.index.Len())
	for _, slot := range q.records.index.From(1) {
		slots = append(slots, slot-1)
	}
	return slots
}

// endedBy translates how a lease ended. A deadline counts as a loss: the
// worker has no word in it.
var endedBy = [endings]Cause{CauseNone, CauseCompleted, CauseFailed, CauseReleased, CauseLost}

// storedOf returns what the queue knows of the job with a record.
func (q *Queue) storedOf(r *record) Stored {
	s := Stored{
		Spec: Spec{
			Type: q.kinds[r.kind].name, Priority: r.priority, Tenant: q.tenants.name[r.tenant], ConcurrencyKey: q.keys.name[r.key],
			RunAt: r.arrival, Estimate: time.Duration(r.estimate), MaxRun: time.Duration(r.maxRun), AttemptsMax: int(r.attempts),
		},
		ID: r.id, State: r.state, Token: r.token,
		Attempts: int(r.attempt), Failures: int(r.failures), Losses: int(r.losses),
		Cancelling: r.has(flagCancel), EndedBy: endedBy[r.endedBy()],
	}
	if r.has(flagKeyed) {
		s.IdempotencyKey = q.idemOf[r.id]
	}
	switch r.state {
	case Delayed:
		s.Due = r.when
	case Done, Cancelled:
		s.Since = r.when
	case Leased:
		l := q.leases.at(r.lease)
		s.Worker, s.Started, s.Seen = q.workers.at(l.worker).name, l.started, l.seen
	}
	return s
}

// Load puts a job into the queue as a store has kept it: what a new leader
// does with every job before anything else. A worker that is not known yet
// gets a LeaseTTL from now to say that it is there. Load does not count in
// Totals. It fails, and changes nothing, if the job is impossible or there
// already. Done and Cancelled jobs may be loaded so that a repeated completion
// is recognised; they must be loaded in the order of Since.
func (q *Queue) Load(s Stored) error {
	if err := q.checkStored(&s); err != nil {
		return fmt.Errorf("load job %d: %w", s.ID, err)
	}
	number, err := q.kindNumber(s.Type)
	if err != nil {
		return fmt.Errorf("load job %d: %w", s.ID, err)
	}
	r, slot := q.admit(s.ID, s.Tenant, s.ConcurrencyKey)
	q.nextID = max(q.nextID, s.ID+1)
	r.kind, r.priority, r.arrival = number, s.Priority, s.RunAt
	r.estimate, r.maxRun = int64(s.Estimate), int64(s.MaxRun)
	r.token = s.Token
	r.attempt, r.failures, r.losses = uint16(s.Attempts), uint16(s.Failures), uint8(s.Losses)
	if r.attempts = uint16(s.AttemptsMax); r.attempts == 0 {
		r.attempts = uint16(q.opt.AttemptsMax)
	}
	r.setEndedBy(ending(slices.Index(endedBy[:], s.EndedBy)))
	if s.IdempotencyKey != "" {
		r.flags |= flagKeyed
		q.idemKeys[s.IdempotencyKey] = idemEntry{job: s.ID}
		q.idemOf[s.ID] = s.IdempotencyKey
	}
	switch s.State {
	case Waiting:
		q.enterWaiting(slot, r)
	case Delayed:
		q.enterDelayed(slot, r, s.Due)
	case Leased:
		worker, ok := q.workers.numberOf[s.Worker]
		if !ok {
			worker, _ = q.heardFrom(s.Worker)
		}
		q.kinds[number].running++
		q.enterLeased(slot, r, worker, s.Token, s.Started)
		q.leases.at(r.lease).seen = s.Seen
		if s.Cancelling {
			r.flags |= flagCancel
		}
	case Dead, Quarantined:
		q.enterStopped(r, s.State)
	case Done, Cancelled:
		q.enterStopped(r, s.State)
		r.when = s.Since
		q.ended.insert(timer{later(s.Since, q.opt.RememberFor), r.id, slot, r.stamp})
	}
	return nil
}

// checkStored returns why a job cannot be loaded, if so.
func (q *Queue) checkStored(s *Stored) error {
	if err := s.validate(); err != nil {
		return err
	}
	if s.ID < q.nextID { // no other can be there
		if r, _ := q.records.find(s.ID); r != nil {
			return fmt.Errorf("there already, %v", r.state)
		}
	}
	taken := false
	if s.IdempotencyKey != "" {
		_, taken = q.idemKeys[s.IdempotencyKey]
	}
	ended := s.State == Done || s.State == Cancelled
	switch {
	case s.ID < 1 || s.ID == never:
		return fmt.Errorf("its id must be from 1 to 2^63-2")
	case s.State == Unknown || s.State >= states:
		return fmt.Errorf("state %d: there is no such state", s.State)
	case s.Attempts < 0 || s.Attempts > maxAttempts || s.Failures < 0 || s.Failures > maxAttempts || s.Losses < 0 || s.Losses > maxLosses:
		return fmt.Errorf("%d attempts, %d failures, %d losses: must be 0 to %d, %d and %d", s.Attempts, s.Failures, s.Losses, maxAttempts, maxAttempts, maxLosses)
	case s.RunAt < 0 || s.Since < 0 || s.Due < 0 || s.Started < 0 || s.Seen < 0:
		return fmt.Errorf("an instant before 0")
	case taken:
		return fmt.Errorf("idempotency key %q: another job has it", s.IdempotencyKey)
	case ended && s.IdempotencyKey != "":
		return fmt.Errorf("idempotency key %q: a job that is %v has none", s.IdempotencyKey, s.State)
	case s.State == Leased && (len(s.Worker) == 0 || len(s.Worker) > maxName || s.Token == 0 || s.Attempts == 0):
		return fmt.Errorf("leased without worker (1 to %d bytes), token or attempt", maxName)
	case s.Token.Epoch() > q.opt.Epoch:
		return fmt.Errorf("token of epoch %d: the queue's is %d", s.Token.Epoch(), q.opt.Epoch)
	case slices.Index(endedBy[:], s.EndedBy) < 0:
		return fmt.Errorf("ended by %v: a lease does not end so", s.EndedBy)
	}
	return nil
}
