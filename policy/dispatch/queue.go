package dispatch

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Spec is a job to be enqueued. Only Type is required.
type Spec struct {
	Type           string        // job type, 1 to 255 bytes
	Priority       uint8         // 0 first
	Tenant         string        // whom the job is for
	IdempotencyKey string        // a second job with the key is the first one, while that lives and KeyFor longer
	ConcurrencyKey string        // jobs with the same key run a few at a time
	RunAt          int64         // ns; 0 or past: at once. A job's arrival is the instant from which it may run
	Estimate       time.Duration // work somebody expects, for statistics; 0 where nobody does
	MaxRun         time.Duration // one lease may take so long, beats or not; 0: as long as it likes
	AttemptsMax    int           // failures that make it dead; 0: the queue's
}

// validate returns every field that is out of its bounds.
func (s *Spec) validate() error {
	if s.Type != "" && len(s.Type) <= maxName && len(s.Tenant) <= maxName && len(s.IdempotencyKey) <= maxName && len(s.ConcurrencyKey) <= maxName &&
		s.Estimate >= 0 && s.MaxRun >= 0 && s.AttemptsMax >= 0 && s.AttemptsMax <= maxAttempts {
		return nil // every job passes here, so this is the fast path
	}
	var errs []error
	for _, n := range []struct {
		field, v string
		least    int
	}{
		{"type", s.Type, 1}, {"tenant", s.Tenant, 0}, {"idempotency key", s.IdempotencyKey, 0}, {"concurrency key", s.ConcurrencyKey, 0},
	} {
		if len(n.v) < n.least || len(n.v) > maxName {
			errs = append(errs, fmt.Errorf("%s of %d bytes: must be %d to %d", n.field, len(n.v), n.least, maxName))
		}
	}
	if s.Estimate < 0 {
		errs = append(errs, fmt.Errorf("estimate %v: must not be negative", s.Estimate))
	}
	if s.MaxRun < 0 {
		errs = append(errs, fmt.Errorf("longest run %v: must not be negative", s.MaxRun))
	}
	if s.AttemptsMax < 0 || s.AttemptsMax > maxAttempts {
		errs = append(errs, fmt.Errorf("attempts %d: must be 0 to %d", s.AttemptsMax, maxAttempts))
	}
	return errors.Join(errs...)
}

// Queue is the state machine of the live queue: what waits, who has what, who
// goes next. Make one with New or Restore. It must not be used by two
// goroutines at once.
//
// Every method that takes now acts at that instant, in ns since an instant of
// the caller's choosing; one before the latest that was named counts as the
// latest, so time never runs backwards.
//
// Properties:
//   - a job is in exactly one State; every job enqueued is counted in one of
//     them until it is forgotten
//   - no job is leased twice at once, and the tokens of a job only grow
//   - with one tenant, no limit, no key and no ageing, jobs go out in the order
//     of a Line
//   - the same calls give the same answers, and so does a queue restored from a
//     snapshot taken between any two of them
type Queue struct {
	opt    Options
	now    int64 // latest instant named
	nextID int64

	records records
	leases  leaseSlab
	kinds   []kind
	byKind  map[string]uint16 // index in kinds, by name
	tenants numbered[tenant]
	keys    numbered[key] // concurrency keys
	workers numbered[worker]
	clocks  [256]virtualClock // by priority

	silenceChecks heap[silenceCheck] // of workers, by when they may lose their leases
	delayed       heap[timer]        // Delayed jobs, by when they are due
	deadlines     heap[timer]        // Leased jobs, by when they must be done
	timedLeases   int                // leases that have a deadline: current timers in deadlines
	ended         file[timer]        // Done and Cancelled jobs, by when they are forgotten

	// Idempotency keys: who has them, which one a job has while it is not ended, and
	// when those of ended jobs are free again.
	idemKeys  map[string]idemEntry
	idemOf    map[int64]string
	idemEnded file[idemExpiry]

	counts [states]int // jobs by State
	totals Totals

	watchDue  bool    // becameDue is filled; see WatchDue
	becameDue []int64 // Delayed jobs whose time came since TakeDue

	chosen     []*kind // buffer of chooseKinds
	spareFlows []*flow // to be used again
}

// Totals count what ever happened to a queue.
type Totals struct {
	Enqueued     int64 // jobs accepted, repetitions by idempotency key not counted
	Repeated     int64 // repetitions by idempotency key
	Leased       int64 // leases given
	Completed    int64
	Failed       int64 // attempts that ended in an error, those past their deadline included
	PastDeadline int64 // of those
	Released     int64 // leases given back without spending an attempt
	Lost         int64 // leases that expired
	Dead         int64 // jobs that failed as often as they may
	Quarantined  int64 // jobs that lost their lease too often
	Cancelled    int64
	Adopted      int64 // leases taken over from an earlier leader
}

// timer is an instant at which something is due for a job. It is current while the job's
// record bears the same stamp.
type timer struct {
	at, id int64
	slot   int32
	stamp  uint32
}

func (a timer) before(b timer) bool { return a.at < b.at || a.at == b.at && a.id < b.id }

// idemEntry is the job that has an idempotency key, and whether it has ended.
type idemEntry struct {
	job   int64
	ended bool
}

// idemExpiry is when an idempotency key whose job has ended is free again.
type idemExpiry struct {
	at  int64
	key string
}

func (a idemExpiry) before(b idemExpiry) bool {
	return a.at < b.at || a.at == b.at && a.key < b.key
}

// New returns an empty queue, or an error that names every option out of its
// bounds.
func New(opt Options) (*Queue, error) {
	if err := opt.Validate(); err != nil {
		return nil, fmt.Errorf("queue options: %w", err)
	}
	q := &Queue{
		opt:      opt.withDefaults(),
		nextID:   1,
		byKind:   make(map[string]uint16),
		idemKeys: make(map[string]idemEntry),
		idemOf:   make(map[int64]string),
	}
	q.tenants.number("", q.newTenant)
	q.keys.number("", q.newKey)
	q.workers.number("", func() worker { return worker{} })
	return q, nil
}

func (q *Queue) newTenant() tenant { return tenant{weight: 1} }
func (q *Queue) newKey() key       { return key{} }

// Enqueue adds a job and returns its id; ids count from 1. With an idempotency
// key that is in use it returns the id of the job that has it, and added is
// false.
func (q *Queue) Enqueue(s Spec, now int64) (id int64, added bool, err error) {
	q.advance(now)
	if err := s.validate(); err != nil {
		return 0, false, fmt.Errorf("enqueue: %w", err)
	}
	if s.IdempotencyKey != "" {
		if e, ok := q.idemKeys[s.IdempotencyKey]; ok {
			q.totals.Repeated++
			return e.job, false, nil
		}
	}
	kind, err := q.kindNumber(s.Type)
	if err != nil {
		return 0, false, fmt.Errorf("enqueue: %w", err)
	}
	r, slot := q.admit(q.nextID, s.Tenant, s.ConcurrencyKey)
	q.nextID++
	r.kind, r.priority = kind, s.Priority
	r.arrival = max(q.now, s.RunAt)
	r.estimate, r.maxRun = int64(s.Estimate), int64(s.MaxRun)
	r.attempts = uint16(s.AttemptsMax)
	if r.attempts == 0 {
		r.attempts = uint16(q.opt.AttemptsMax)
	}
	if s.IdempotencyKey != "" {
		r.flags |= flagKeyed
		key := strings.Clone(s.IdempotencyKey)
		q.idemKeys[key] = idemEntry{job: r.id}
		q.idemOf[r.id] = key
	}
	q.totals.Enqueued++
	if r.arrival > q.now {
		q.enterDelayed(slot, r, r.arrival)
	} else {
		q.enterWaiting(slot, r)
	}
	return r.id, true, nil
}

// admit makes the record of a job that is not in any State yet. Before that it forgets
// tenants and keys that nobody needs, when there are many.
func (q *Queue) admit(id int64, tenant, concurrency string) (*record, int32) {
	if q.tenants.sweepDue() {
		q.forgetTenants()
	}
	if q.keys.sweepDue() {
		q.forgetKeys()
	}
	r, slot := q.records.add(id)
	r.tenant = q.tenants.number(tenant, q.newTenant)
	r.key = q.keys.number(concurrency, q.newKey)
	q.tenants.at(r.tenant).jobs++
	q.keys.at(r.key).jobs++
	return r, slot
}

// kindNumber returns the number of a job type, which is never forgotten.
func (q *Queue) kindNumber(name string) (uint16, error) {
	if i, ok := q.byKind[name]; ok {
		return i, nil
	}
	if len(name) == 0 || len(name) > maxName {
		return 0, fmt.Errorf("type of %d bytes: must be 1 to %d", len(name), maxName)
	}
	if len(q.kinds) == maxKinds {
		return 0, fmt.Errorf("type %q: the queue knows %d types, the most there may be", name, maxKinds)
	}
	name = strings.Clone(name)
	i := uint16(len(q.kinds))
	q.byKind[name] = i
	q.kinds = append(q.kinds, kind{name: name})
	return i, nil
}

// advance moves the clock, lets delayed jobs whose time has come stand in
// line, and forgets what need not be remembered any longer.
func (q *Queue) advance(now int64) {
	q.now = max(q.now, now)
	for len(q.delayed) > 0 && q.delayed[0].at <= q.now {
		t := q.delayed.pop()
		if q.timerCurrent(t) {
			r := q.records.at(t.slot)
			q.leaveDelayed(r)
			q.enterWaiting(t.slot, r)
			if q.watchDue {
				q.becameDue = append(q.becameDue, r.id)
			}
		}
	}
	for q.ended.len() > 0 && q.ended.first().at <= q.now {
		t := *q.ended.first()
		q.ended.drop()
		r := q.records.at(t.slot)
		q.counts[r.state]--
		q.tenants.at(r.tenant).jobs--
		q.keys.at(r.key).jobs--
		q.records.remove(t.slot)
	}
	for q.idemEnded.len() > 0 && q.idemEnded.first().at <= q.now {
		delete(q.idemKeys, q.idemEnded.first().key)
		*q.idemEnded.first() = idemExpiry{at: q.idemEnded.first().at}
		q.idemEnded.drop()
	}
}

// timerCurrent reports whether a timer still counts.
func (q *Queue) timerCurrent(t timer) bool {
	r := q.records.at(t.slot)
	return r.id == t.id && r.stamp == t.stamp
}

// The transitions. Each state has one way in, enter…, and one way out, leave…; a job that
// changes its state leaves one and enters another.

// staleFactor and staleSlack say when a ring or heap is filtered: when it holds more than
// staleFactor times the current items and staleSlack more.
const (
	staleFactor = 2
	staleSlack  = 64
)

// enterWaiting makes a job Waiting, in its place in the line.
func (q *Queue) enterWaiting(slot int32, r *record) {
	r.state = Waiting
	q.counts[Waiting]++
	l := q.kinds[r.kind].level(r.priority)
	l.jobs++
	l.estimate += r.estimate
	q.tenantWaits(r.tenant, r.priority)
	q.joinLine(slot, r)
}

// leaveWaiting takes a Waiting job from where it waits.
func (q *Queue) leaveWaiting(r *record) {
	q.counts[Waiting]--
	l := q.kinds[r.kind].level(r.priority)
	l.jobs--
	l.estimate -= r.estimate
	q.tenantWaitsLess(r.tenant, r.priority)
	if r.has(flagParked) {
		r.flags &^= flagParked
		r.stamp++
	} else {
		q.quitLine(r)
	}
	r.state = Unknown
}

// enterDelayed makes a job Delayed until due.
func (q *Queue) enterDelayed(slot int32, r *record, due int64) {
	r.state = Delayed
	r.when = due
	r.stamp++
	q.counts[Delayed]++
	if len(q.delayed) > staleFactor*q.counts[Delayed]+staleSlack {
		q.delayed.filter(q.timerCurrent)
	}
	q.delayed.push(timer{due, r.id, slot, r.stamp})
}

// leaveDelayed takes a job out of Delayed.
func (q *Queue) leaveDelayed(r *record) {
	q.counts[Delayed]--
	r.stamp++
	r.when = 0
	r.state = Unknown
}

// enterEnded makes a job Done or Cancelled, to be forgotten later.
func (q *Queue) enterEnded(slot int32, r *record, s State) {
	q.enterStopped(r, s)
	r.when = q.now
	if s == Done {
		q.totals.Completed++
	} else {
		q.totals.Cancelled++
	}
	q.ended.insert(timer{later(q.now, q.opt.RememberFor), r.id, slot, r.stamp})
	if r.has(flagKeyed) {
		key := q.idemOf[r.id]
		delete(q.idemOf, r.id)
		q.idemKeys[key] = idemEntry{r.id, true}
		q.idemEnded.insert(idemExpiry{later(q.now, q.opt.KeyFor), key})
		r.flags &^= flagKeyed
	}
}

// enterStopped makes a job Dead, Quarantined, Done or Cancelled: in these states nothing
// happens to it by itself, but that ended jobs are forgotten.
func (q *Queue) enterStopped(r *record, s State) {
	r.state = s
	r.stamp++
	r.flags &^= flagCancel
	q.counts[s]++
}

// leaveStopped takes a job out of Dead or Quarantined.
func (q *Queue) leaveStopped(r *record) {
	q.counts[r.state]--
	r.stamp++
	r.state = Unknown
}

// Len returns how many jobs are in a state.
func (q *Queue) Len(s State) int {
	if s >= states {
		return 0
	}
	return q.counts[s]
}

// Totals returns what ever happened to the queue, since its first leader.
func (q *Queue) Totals() Totals { return q.totals }

// Options returns the options in force, defaults filled in.
func (q *Queue) Options() Options { return q.opt }

// Now returns the latest instant the queue was told.
func (q *Queue) Now() int64 { return q.now }
