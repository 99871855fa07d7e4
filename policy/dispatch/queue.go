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

func (s *Spec) validate() error {
	if s.Type != "" && len(s.Type) <= maxName && len(s.Tenant) <= maxName && len(s.IdempotencyKey) <= maxName && len(s.ConcurrencyKey) <= maxName &&
		s.Estimate >= 0 && s.MaxRun >= 0 && s.AttemptsMax >= 0 && s.AttemptsMax <= maxAttempts {
		return nil // said at once: every job passes here
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
	opt     Options
	now     int64
	nextID  int64
	records records
	leases  slab
	kinds   []kind
	byKind  map[string]uint16
	tenants names[tenant]
	keys    names[key]
	workers names[worker]
	clocks  [256]clock
	spare   []*flow

	silent    heap[silence] // workers, by when they lose their leases
	delayed   heap[timer]   // Delayed jobs by when they are due
	deadlines heap[timer]   // Leased jobs by when they must be done
	timed     int           // of those, how many are still good
	ended     file[timer]   // Done and Cancelled jobs by when they are forgotten

	idem      map[string]idemEntry
	idemOf    map[int64]string // by job, while the job is not ended
	idemEnded file[idemExpiry]

	counts [states]int
	totals Totals
	picked []*kind // scratch of Lease

	watch bool    // note who came due
	came  []int64 // jobs whose time came since TakeDue
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

// timer is an instant at which something is due for a job. It is good while
// the job's record bears the same stamp.
type timer struct {
	at, id int64
	slot   int32
	stamp  uint32
}

func (a timer) before(b timer) bool { return a.at < b.at || a.at == b.at && a.id < b.id }

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
		opt:    opt.withDefaults(),
		nextID: 1,
		byKind: make(map[string]uint16),
		idem:   make(map[string]idemEntry),
		idemOf: make(map[int64]string),
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
		if e, ok := q.idem[s.IdempotencyKey]; ok {
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
		q.idem[key] = idemEntry{job: r.id}
		q.idemOf[r.id] = key
	}
	q.totals.Enqueued++
	if r.arrival > q.now {
		q.delay(slot, r, r.arrival)
	} else {
		q.wait(slot, r)
	}
	return r.id, true, nil
}

// admit makes the record of a job.
func (q *Queue) admit(id int64, tenant, concurrency string) (*record, int32) {
	if q.tenants.due() {
		q.forgetTenants()
	}
	if q.keys.due() {
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
		if q.due(t) {
			r := q.records.at(t.slot)
			q.undelay(r)
			q.wait(t.slot, r)
			if q.watch {
				q.came = append(q.came, r.id)
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
		delete(q.idem, q.idemEnded.first().key)
		*q.idemEnded.first() = idemExpiry{at: q.idemEnded.first().at}
		q.idemEnded.drop()
	}
}

// due reports whether a timer is still good.
func (q *Queue) due(t timer) bool {
	r := q.records.at(t.slot)
	return r.id == t.id && r.stamp == t.stamp
}

// The transitions. Each state has one way in and one way out; a job that
// changes state goes out of one and into another.

func (q *Queue) wait(slot int32, r *record) {
	r.state = Waiting
	q.counts[Waiting]++
	l := q.kinds[r.kind].level(r.priority)
	l.jobs++
	l.estimate += r.estimate
	q.joins(r.tenant, r.priority)
	q.put(slot, r)
}

func (q *Queue) unwait(r *record) {
	q.counts[Waiting]--
	l := q.kinds[r.kind].level(r.priority)
	l.jobs--
	l.estimate -= r.estimate
	q.leaves(r.tenant, r.priority)
	if r.has(flagParked) {
		r.flags &^= flagParked
		r.stamp++
	} else {
		q.pull(r)
	}
	r.state = Unknown
}

func (q *Queue) delay(slot int32, r *record, due int64) {
	r.state = Delayed
	r.when = due
	r.stamp++
	q.counts[Delayed]++
	if len(q.delayed) > 2*q.counts[Delayed]+64 {
		q.delayed.keep(q.due)
	}
	q.delayed.push(timer{due, r.id, slot, r.stamp})
}

func (q *Queue) undelay(r *record) {
	q.counts[Delayed]--
	r.stamp++
	r.when = 0
	r.state = Unknown
}

// end makes a job Done or Cancelled, to be forgotten later.
func (q *Queue) end(slot int32, r *record, s State) {
	q.rest(r, s)
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
		q.idem[key] = idemEntry{r.id, true}
		q.idemEnded.insert(idemExpiry{later(q.now, q.opt.KeyFor), key})
		r.flags &^= flagKeyed
	}
}

// rest puts a job into a state in which nothing happens by itself.
func (q *Queue) rest(r *record, s State) {
	r.state = s
	r.stamp++
	r.flags &^= flagCancel
	q.counts[s]++
}

// unrest takes a Dead or Quarantined job out of its state.
func (q *Queue) unrest(r *record) {
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
