package dispatch

import (
	"fmt"
	"time"
)

// Cancel ends a job that is not wanted any more. One that runs is only marked:
// its worker learns it with its next beat, and whatever that worker then says,
// or if it falls silent, the job does not run again.
func (q *Queue) Cancel(id, now int64) (Effect, error) {
	q.advance(now)
	r, slot := q.records.find(id)
	if r == nil {
		return Effect{}, fmt.Errorf("cancel job %d: not in the queue", id)
	}
	e := q.effect(r, CauseCancelled)
	switch r.state {
	case Waiting:
		q.leaveWaiting(r)
	case Delayed:
		q.leaveDelayed(r)
	case Dead, Quarantined:
		q.leaveStopped(r)
	case Leased:
		r.flags |= flagCancel
		return e.withOutcome(r), nil
	default:
		return Effect{}, fmt.Errorf("cancel job %d: it is %v", id, r.state)
	}
	key := r.key
	q.enterEnded(slot, r, Cancelled)
	q.unpark(key)
	return e.withOutcome(r), nil
}

// Retry lets a Dead or Quarantined job stand in line again, its failures and
// losses forgiven, and a Delayed one at once.
func (q *Queue) Retry(id, now int64) (Effect, error) {
	q.advance(now)
	r, slot := q.records.find(id)
	if r == nil {
		return Effect{}, fmt.Errorf("retry job %d: not in the queue", id)
	}
	e := q.effect(r, CauseRetried)
	switch r.state {
	case Dead, Quarantined:
		r.failures, r.losses = 0, 0
		q.leaveStopped(r)
	case Delayed:
		q.leaveDelayed(r)
		r.arrival = min(r.arrival, q.now)
	default:
		return Effect{}, fmt.Errorf("retry job %d: it is %v", id, r.state)
	}
	q.enterWaiting(slot, r)
	e.Arrival = r.arrival
	return e.withOutcome(r), nil
}

// SetPriority moves a job to another priority, where it stands by its arrival.
// One that runs keeps its slot; the priority counts should it come back.
func (q *Queue) SetPriority(id int64, priority uint8, now int64) error {
	q.advance(now)
	r, slot := q.records.find(id)
	if r == nil {
		return fmt.Errorf("set priority of job %d: not in the queue", id)
	}
	switch r.state {
	case Done, Cancelled:
		return fmt.Errorf("set priority of job %d: it is %v", id, r.state)
	case Waiting:
		if r.priority == priority {
			return nil
		}
		key := r.key
		q.leaveWaiting(r)
		r.priority = priority
		q.enterWaiting(slot, r)
		q.unpark(key)
	default:
		r.priority = priority
	}
	return nil
}

// Pause stops handing out jobs of a type; those that run go on.
func (q *Queue) Pause(kind string) error {
	i, err := q.kindNumber(kind)
	if err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	q.kinds[i].paused = true
	return nil
}

// Resume ends a Pause.
func (q *Queue) Resume(kind string) error {
	i, err := q.kindNumber(kind)
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	q.kinds[i].paused = false
	return nil
}

// SetLimit bounds a job type from now on; jobs that run go on.
func (q *Queue) SetLimit(kind string, l Limit) error {
	switch {
	case l.Running < 0 || l.Running > maxRunning:
		return fmt.Errorf("limit %q: running = %d: must be from 0 to %d", kind, l.Running, maxRunning)
	case l.Every < 0 || l.Every > everyMax:
		return fmt.Errorf("limit %q: every = %v: must be from 0 to %v", kind, l.Every, everyMax)
	case l.Burst < 0 || l.Burst > burstMax:
		return fmt.Errorf("limit %q: burst = %d: must be from 0 to %d", kind, l.Burst, burstMax)
	}
	i, err := q.kindNumber(kind)
	if err != nil {
		return fmt.Errorf("limit: %w", err)
	}
	q.kinds[i].limit = l
	return nil
}

// Bounds of a rate, which keep their product far below the end of time.
const (
	everyMax = 24 * time.Hour
	burstMax = 10_000
)

// SetKeyLimit lets n jobs of a concurrency key run at once; 0 gives it the
// queue's KeyLimit again.
func (q *Queue) SetKeyLimit(name string, n int) error {
	if len(name) == 0 || len(name) > maxName || n < 0 || n > maxRunning {
		return fmt.Errorf("limit %d of concurrency key of %d bytes: must be from 0 to %d, of a key of 1 to %d bytes", n, len(name), maxRunning, maxName)
	}
	i := q.keys.number(name, q.newKey)
	k := q.keys.at(i)
	k.limit = n
	q.unpark(i)
	return nil
}

// SetWeight gives a tenant n times the share of a tenant of weight 1, where
// both have jobs waiting. It matters with fairness on.
func (q *Queue) SetWeight(name string, n int) error {
	if len(name) > maxName || n < 1 || n > WeightMax {
		return fmt.Errorf("weight %d of tenant of %d bytes: must be from 1 to %d, of a tenant of at most %d bytes", n, len(name), WeightMax, maxName)
	}
	t := q.tenants.at(q.tenants.number(name, q.newTenant))
	for _, a := range t.accounts {
		if a.waiting > 0 {
			q.clocks[a.priority].weights += int64(n) - t.weight
		}
	}
	t.weight, t.given = int64(n), n != 1
	return nil
}

// Backlog is what waits of one type and priority.
type Backlog struct {
	Type     string
	Priority uint8
	Jobs     int
	Estimate time.Duration // sum of the jobs' estimates
	Oldest   int64         // ns: the arrival of the one that waits longest
	Running  int           // jobs of the type, of any priority
	Paused   bool
}

// Backlogs calls yield for every type and priority that has jobs waiting, in
// the order in which the types were first heard of, until yield returns false.
// It looks at each tenant and at each job that waits for its concurrency key.
func (q *Queue) Backlogs(yield func(Backlog) bool) {
	type level struct {
		kind     uint16
		priority uint8
	}
	aside := make(map[level]int64)
	for i := range q.keys.things {
		for _, p := range q.keys.things[i].parked {
			for _, job := range p.jobs {
				if at := (level{p.kind, p.priority}); q.placeCurrent(job) {
					if oldest, ok := aside[at]; !ok || job.arrival < oldest {
						aside[at] = job.arrival
					}
				}
			}
		}
	}
	for i := range q.kinds {
		k := &q.kinds[i]
		for p, l := range k.levels {
			if l == nil || l.jobs == 0 {
				continue
			}
			b := Backlog{k.name, uint8(p), l.jobs, time.Duration(l.estimate), never, k.running, k.paused}
			if oldest, ok := aside[level{uint16(i), b.Priority}]; ok {
				b.Oldest = oldest
			}
			for _, f := range l.flows {
				b.Oldest = min(b.Oldest, q.firstPlace(f).arrival)
			}
			if !yield(b) {
				return
			}
		}
	}
}
