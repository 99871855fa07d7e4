package dispatch

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// worker is a process that runs jobs.
type worker struct {
	name       string
	until      int64 // when it loses its leases, unless it is heard from before
	checkAt    int64 // when the queue next looks at until, which may have moved on by then
	leases     int32 // the first of its leases, 0 none
	leaseCount int
}

// silenceCheck is when to look whether a worker was heard from. Each worker has one that
// is current, at its checkAt; a worker that left and came back may have old ones.
type silenceCheck struct {
	at     int64
	name   string
	worker int32
}

func (a silenceCheck) before(b silenceCheck) bool {
	return a.at < b.at || a.at == b.at && a.name < b.name
}

// lease is what a worker holds: a job, from started on.
type lease struct {
	job        int32 // slot of its record
	worker     int32
	prev, next int32 // leases of the same worker; next also links the free ones
	started    int64
	seen       int64 // when the worker last named it
}

// leaseSlab keeps leases by number; number 0 is none. Numbers are used again.
type leaseSlab struct {
	leases []lease
	free   int32 // the first free number
}

func (s *leaseSlab) at(i int32) *lease { return &s.leases[i] }

// add keeps a lease and returns its number.
func (s *leaseSlab) add(l lease) int32 {
	if i := s.free; i != 0 {
		s.free = s.leases[i].next
		s.leases[i] = l
		return i
	}
	if len(s.leases) == 0 {
		s.leases = append(s.leases, lease{})
	}
	s.leases = append(s.leases, l)
	return int32(len(s.leases) - 1)
}

// remove frees a number.
func (s *leaseSlab) remove(i int32) {
	s.leases[i] = lease{next: s.free}
	s.free = i
}

// Grant is a job handed to a worker.
type Grant struct {
	ID       int64
	Token    Token // to be shown with every word about the job
	Type     string
	Tenant   string
	Priority uint8
	Attempt  int   // 1 for the first
	Arrival  int64 // ns
	Until    int64 // ns: the lease ends if the worker is not heard of before
	Deadline int64 // ns: the lease ends in any case; 0: never
}

// Claim is a worker's word that it runs a job.
type Claim struct {
	ID    int64
	Token Token
}

// Lease hands up to slots waiting jobs of the given types, any type if none is
// given, to a worker, and appends them to dst in the order in which they come
// first. It renews the worker's other leases. A worker is known by its name,
// of 1 to 255 bytes.
func (q *Queue) Lease(worker string, types []string, slots int, now int64, dst []Grant) ([]Grant, error) {
	q.advance(now)
	w, err := q.heardFrom(worker)
	if err != nil {
		return dst, fmt.Errorf("lease: %w", err)
	}
	q.chooseKinds(types)
	for range slots {
		slot, ok := q.nextJob(q.chosen)
		if !ok {
			break
		}
		r := q.records.at(slot)
		q.chargeTenant(r.tenant, r.priority)
		q.leaveWaiting(r)
		if r.attempt < maxAttempts {
			r.attempt++
		}
		q.kinds[r.kind].countStart(q.now)
		q.enterLeased(slot, r, w, r.token.next(q.opt.Epoch), q.now)
		q.unpark(r.key)
		q.totals.Leased++
		dst = append(dst, q.grant(r))
	}
	return dst, nil
}

// chooseKinds fills q.chosen with the kinds of the given types, with all if none is given.
func (q *Queue) chooseKinds(types []string) {
	q.chosen = q.chosen[:0]
	if len(types) == 0 {
		for i := range q.kinds {
			q.chosen = append(q.chosen, &q.kinds[i])
		}
	}
	for _, name := range types {
		if i, ok := q.byKind[name]; ok && !slices.Contains(q.chosen, &q.kinds[i]) {
			q.chosen = append(q.chosen, &q.kinds[i])
		}
	}
}

// nextJob returns the waiting job that goes next among the given types: of the first
// priority that has one, the first of the flow whose turn it is. With ageing it compares
// the jobs that each priority would send. It takes a priority off for each full AgeStep
// a job has waited, and the first by (what remains, arrival, id) goes.
func (q *Queue) nextJob(kinds []*kind) (slot int32, ok bool) {
	var filled [4]uint64
	for _, k := range kinds {
		if k.mayStart(q.now) {
			for w := range filled {
				filled[w] |= k.filled[w]
			}
		}
	}
	var best place
	var bestAt int64
	for w, set := range filled {
		for ; set != 0; set &= set - 1 {
			p := uint8(w<<6 | bits.TrailingZeros64(set))
			next, found := q.nextAtPriority(kinds, p)
			if !found {
				continue
			}
			if q.opt.AgeStep == 0 {
				return next.slot, true
			}
			at := max(0, int64(p)-(q.now-next.arrival)/int64(q.opt.AgeStep))
			if !ok || at < bestAt || at == bestAt && next.before(best) {
				best, bestAt, ok = next, at, true
			}
		}
	}
	return best.slot, ok
}

// nextAtPriority returns the place of the job that goes next within one priority. A job that
// comes to the front while its concurrency key has no room steps aside.
func (q *Queue) nextAtPriority(kinds []*kind, p uint8) (next place, ok bool) {
	for {
		var best *flow
		for _, k := range kinds {
			if k.filled[p>>6]>>(p&63)&1 == 0 || !k.mayStart(q.now) {
				continue
			}
			if f := q.nextFlow(k.levels[p], p); best == nil || f.turn.before(best.turn) {
				best = f
			}
		}
		if best == nil {
			return place{}, false
		}
		next = best.turn.first
		r := q.records.at(next.slot)
		if q.keyHasRoom(r.key) {
			return next, true
		}
		q.park(next.slot, r)
	}
}

// enterLeased makes a job Leased to a worker, from started on.
func (q *Queue) enterLeased(slot int32, r *record, number int32, token Token, started int64) {
	w := q.workers.at(number)
	r.state, r.token = Leased, token
	r.setEndedBy(open)
	r.stamp++
	q.counts[Leased]++
	r.lease = q.leases.add(lease{job: slot, worker: number, next: w.leases, started: started, seen: q.now})
	if w.leases != 0 {
		q.leases.at(w.leases).prev = r.lease
	}
	w.leases = r.lease
	w.leaseCount++
	if r.key != 0 {
		q.keys.at(r.key).running++
	}
	if r.maxRun > 0 {
		q.timedLeases++
		if len(q.deadlines) > staleFactor*q.timedLeases+staleSlack {
			q.deadlines.filter(q.timerCurrent)
		}
		q.deadlines.push(timer{q.deadline(r), r.id, slot, r.stamp})
	}
}

// leaveLeased ends the lease of a job in the given way.
func (q *Queue) leaveLeased(r *record, how ending) {
	l := q.leases.at(r.lease)
	w := q.workers.at(l.worker)
	if l.prev != 0 {
		q.leases.at(l.prev).next = l.next
	} else {
		w.leases = l.next
	}
	if l.next != 0 {
		q.leases.at(l.next).prev = l.prev
	}
	w.leaseCount--
	q.leases.remove(r.lease)
	r.lease = 0
	r.setEndedBy(how)
	r.stamp++
	r.state = Unknown
	q.counts[Leased]--
	q.kinds[r.kind].running--
	if r.maxRun > 0 {
		q.timedLeases--
	}
	if r.key != 0 {
		q.keys.at(r.key).running--
	}
}

// deadline returns when the lease of a job ends in any case; 0: never.
func (q *Queue) deadline(r *record) int64 {
	if r.maxRun == 0 {
		return 0
	}
	return later(q.leases.at(r.lease).started, time.Duration(r.maxRun))
}

// grant returns what a worker is told of the job it has leased.
func (q *Queue) grant(r *record) Grant {
	return Grant{
		ID: r.id, Token: r.token, Type: q.kinds[r.kind].name, Tenant: q.tenants.name[r.tenant],
		Priority: r.priority, Attempt: int(r.attempt), Arrival: r.arrival,
		Until: q.workers.at(q.leases.at(r.lease).worker).until, Deadline: q.deadline(r),
	}
}

// heardFrom notes that a worker is alive and returns its number, a new one for a worker
// that is not known.
func (q *Queue) heardFrom(name string) (int32, error) {
	if len(name) == 0 || len(name) > maxName {
		return 0, fmt.Errorf("worker name of %d bytes: must be 1 to %d", len(name), maxName)
	}
	i, known := q.workers.numberOf[name]
	if !known {
		name = strings.Clone(name)
		i = q.workers.number(name, func() worker { return worker{name: name} })
		q.workers.at(i).until = later(q.now, q.opt.LeaseTTL)
		q.scheduleSilenceCheck(i)
	}
	q.workers.at(i).until = later(q.now, q.opt.LeaseTTL)
	return i, nil
}

// scheduleSilenceCheck makes the queue look after a worker when its leases would end. A
// worker that beats does not move its check, which would cost O(log n) for each beat: the
// check finds out and is made anew.
func (q *Queue) scheduleSilenceCheck(number int32) {
	w := q.workers.at(number)
	w.checkAt = w.until
	q.silenceChecks.push(silenceCheck{w.until, w.name, number})
}

// checkCurrent reports whether a check is the current one of its worker.
func (q *Queue) checkCurrent(s silenceCheck) bool {
	return q.workers.numberOf[s.name] == s.worker && q.workers.at(s.worker).checkAt == s.at
}

// leasedBy returns the jobs a worker has leased, in the order of their ids.
func (q *Queue) leasedBy(w *worker) []*record {
	jobs := make([]*record, 0, w.leaseCount)
	for i := w.leases; i != 0; i = q.leases.at(i).next {
		jobs = append(jobs, q.records.at(q.leases.at(i).job))
	}
	slices.SortFunc(jobs, func(a, b *record) int { return cmp.Compare(a.id, b.id) })
	return jobs
}

// Renew notes that a worker is alive: all its leases last LeaseTTL from now.
// It costs the same however many there are.
func (q *Queue) Renew(worker string, now int64) error {
	q.advance(now)
	if _, err := q.heardFrom(worker); err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	return nil
}

// Report is the answer to a worker's beat.
type Report struct {
	Lost    []Claim  // claimed, but not the worker's: stop these
	Cancel  []int64  // the worker's, but no longer wanted: stop these and say so
	Effects []Effect // leases the worker did not name for ConfirmWithin, given back
}

// Beat renews a worker's leases and compares what it says it runs, which must
// be all of it, with what the queue believes. A lease that was not named for
// ConfirmWithin is released: the answer that handed it out was lost on the way.
func (q *Queue) Beat(worker string, running []Claim, now int64) (Report, error) {
	q.advance(now)
	number, err := q.heardFrom(worker)
	if err != nil {
		return Report{}, fmt.Errorf("beat: %w", err)
	}
	var report Report
	for _, c := range running {
		r, _ := q.records.find(c.ID)
		if r == nil || r.state != Leased || r.token != c.Token || q.leases.at(r.lease).worker != number {
			report.Lost = append(report.Lost, c)
			continue
		}
		q.leases.at(r.lease).seen = q.now
		if r.has(flagCancel) {
			report.Cancel = append(report.Cancel, r.id)
		}
	}
	for _, r := range q.leasedBy(q.workers.at(number)) {
		if later(q.leases.at(r.lease).seen, q.opt.ConfirmWithin) <= q.now {
			report.Effects = append(report.Effects, q.giveBack(r, released))
		}
	}
	return report, nil
}

// Goodbye releases all leases of a worker and forgets it.
func (q *Queue) Goodbye(worker string, now int64) []Effect {
	q.advance(now)
	number, ok := q.workers.numberOf[worker]
	if !ok {
		return nil
	}
	return q.dismiss(number, released, nil)
}

// dismiss ends all leases of a worker in the given way and forgets it.
func (q *Queue) dismiss(number int32, how ending, dst []Effect) []Effect {
	for _, r := range q.leasedBy(q.workers.at(number)) {
		dst = append(dst, q.giveBack(r, how))
	}
	q.workers.forget(number)
	return dst
}

// Expire ends the leases of workers that were silent for LeaseTTL and of jobs
// past their deadline, and appends what became of the jobs to dst: by worker and
// job, then by deadline. A lease lasts until Expire ends it. Call it at the
// instant that Wake names, or every second.
func (q *Queue) Expire(now int64, dst []Effect) []Effect {
	q.advance(now)
	var silent []string
	for len(q.silenceChecks) > 0 && q.silenceChecks[0].at <= q.now {
		switch s := q.silenceChecks.pop(); {
		case !q.checkCurrent(s):
		case q.workers.at(s.worker).until > q.now:
			q.scheduleSilenceCheck(s.worker)
		default:
			silent = append(silent, s.name)
		}
	}
	slices.Sort(silent) // the order must not depend on when the queue happened to look
	for _, name := range silent {
		dst = q.dismiss(q.workers.numberOf[name], lost, dst)
	}
	for len(q.deadlines) > 0 && q.deadlines[0].at <= q.now {
		if t := q.deadlines.pop(); q.timerCurrent(t) {
			q.totals.PastDeadline++
			dst = append(dst, q.fail(t.slot, q.records.at(t.slot), lost, false))
		}
	}
	return dst
}

// Wake returns the next instant at which something happens by itself: a lease
// or deadline passes, a delayed job is due, a rate lets a waiting job start.
// It may be early, never late; ok is false when nothing will.
func (q *Queue) Wake() (at int64, ok bool) {
	for len(q.silenceChecks) > 0 && !q.checkCurrent(q.silenceChecks[0]) {
		q.silenceChecks.pop()
	}
	for len(q.deadlines) > 0 && !q.timerCurrent(q.deadlines[0]) {
		q.deadlines.pop()
	}
	for len(q.delayed) > 0 && !q.timerCurrent(q.delayed[0]) {
		q.delayed.pop()
	}
	at = never
	if len(q.silenceChecks) > 0 {
		at = min(at, q.silenceChecks[0].at)
	}
	if len(q.deadlines) > 0 {
		at = min(at, q.deadlines[0].at)
	}
	if len(q.delayed) > 0 {
		at = min(at, q.delayed[0].at)
	}
	for i := range q.kinds {
		if k := &q.kinds[i]; k.filled != [4]uint64{} && !k.paused && k.rateOpensAt() > q.now {
			at = min(at, k.rateOpensAt())
		}
	}
	return at, at != never
}

// Adopt takes over jobs that a worker says it runs from before this leader:
// those that this leader would otherwise hand out again. It returns the claims
// that are not, or no longer, the worker's.
//
// A claim is good if its token is from an earlier epoch and newer than any the
// queue knows of the job, or is the one the queue knows it holds. A new leader
// should let workers claim for a LeaseTTL before it hands out jobs of which it
// cannot tell whether they run.
func (q *Queue) Adopt(worker string, running []Claim, now int64) (notYours []Claim, err error) {
	q.advance(now)
	number, err := q.heardFrom(worker)
	if err != nil {
		return nil, fmt.Errorf("adopt: %w", err)
	}
	for _, c := range running {
		r, slot := q.records.find(c.ID)
		switch {
		case r == nil:
			notYours = append(notYours, c)
		case r.state == Leased && r.token == c.Token && q.leases.at(r.lease).worker == number:
			q.leases.at(r.lease).seen = q.now
		case c.Token > r.token && c.Token.Epoch() < q.opt.Epoch && (r.state == Waiting || r.state == Delayed || r.state == Leased):
			q.adopt(slot, r, number, c.Token)
		default:
			notYours = append(notYours, c)
		}
	}
	return notYours, nil
}

// adopt makes a job Leased to a worker, whatever it was before, with the token that an
// earlier leader gave.
func (q *Queue) adopt(slot int32, r *record, worker int32, token Token) {
	switch r.state {
	case Waiting:
		q.leaveWaiting(r)
	case Delayed:
		q.leaveDelayed(r)
	case Leased:
		q.leaveLeased(r, lost)
	}
	if r.attempt < maxAttempts {
		r.attempt++
	}
	q.kinds[r.kind].running++
	q.enterLeased(slot, r, worker, token, q.now)
	q.unpark(r.key)
	q.totals.Adopted++
}
