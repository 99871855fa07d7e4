package dispatch

import "fmt"

// Ready reports whether Lease would hand a job of the given types, any type if
// none is given, to a worker now. It renews nobody's leases.
func (q *Queue) Ready(types []string, now int64) bool {
	q.advance(now)
	if q.counts[Waiting] == 0 {
		return false
	}
	q.chooseKinds(types)
	_, ok := q.nextJob(q.chosen)
	return ok
}

// StartIDs makes the next job's id at least next: what a new leader does after
// it has loaded the jobs, so that the id of one that ended does not return.
func (q *Queue) StartIDs(next int64) { q.nextID = max(q.nextID, min(next, never)) }

// NextID returns the id of the job to be enqueued next.
func (q *Queue) NextID() int64 { return q.nextID }

// LoadKey puts an idempotency key into the queue whose job has ended, as a
// store has kept it. It is free again at until, ns. A key that another job has
// is an error, and nothing changes.
func (q *Queue) LoadKey(key string, job, until int64) error {
	if len(key) == 0 || len(key) > maxName {
		return fmt.Errorf("load idempotency key of %d bytes: must be 1 to %d", len(key), maxName)
	}
	if e, taken := q.idemKeys[key]; taken {
		return fmt.Errorf("load idempotency key %q: job %d has it", key, e.job)
	}
	q.idemKeys[key] = idemEntry{job, true}
	q.idemEnded.insert(idemExpiry{until, key})
	return nil
}

// Keyed returns the job that has an idempotency key; ok is false where the key
// is free.
func (q *Queue) Keyed(key string) (id int64, ok bool) {
	e, ok := q.idemKeys[key]
	return e.job, ok
}

// WatchDue makes the queue note which Delayed jobs come to wait because their
// time has come: the one transition that no Effect tells. TakeDue must then be
// called now and again.
func (q *Queue) WatchDue() { q.watchDue = true }

// TakeDue appends to dst the jobs whose time has come since it was last called
// and which may have gone on since.
func (q *Queue) TakeDue(dst []int64) []int64 {
	dst = append(dst, q.becameDue...)
	q.becameDue = q.becameDue[:0]
	return dst
}
