package dispatch

import "time"

// Limit bounds one job type. The zero Limit bounds nothing.
type Limit struct {
	Running int           // jobs that may run at once; 0: any number
	Every   time.Duration // one job may start each so long on average (a token bucket's refill); 0: no rate
	Burst   int           // jobs that may start at once after a quiet time (the bucket's size); 0 means 1
}

// kind is a job type.
type kind struct {
	name    string
	paused  bool
	limit   Limit
	running int
	// bucketFullAt is when the bucket of tokens is full again. It is all that a token
	// bucket needs to remember, exact in integers (the generic cell rate algorithm of
	// ATM).
	bucketFullAt int64
	filled       [4]uint64 // bit p: jobs of priority p stand in line
	levels       [256]*level
}

// level returns the level of a priority, a new one on first use.
func (k *kind) level(priority uint8) *level {
	l := k.levels[priority]
	if l == nil {
		l = new(level)
		k.levels[priority] = l
	}
	return l
}

// rateOpensAt returns the earliest instant at which the rate lets a job start.
func (k *kind) rateOpensAt() int64 {
	if k.limit.Every <= 0 {
		return 0
	}
	return k.bucketFullAt - int64(k.limit.Every)*int64(max(k.limit.Burst, 1)-1)
}

// mayStart reports whether a job of the type may start now.
func (k *kind) mayStart(now int64) bool {
	return !k.paused && (k.limit.Running == 0 || k.running < k.limit.Running) && k.rateOpensAt() <= now
}

// countStart counts a job of the type that starts.
func (k *kind) countStart(now int64) {
	k.running++
	if k.limit.Every > 0 {
		k.bucketFullAt = later(max(k.bucketFullAt, now), k.limit.Every)
	}
}

// key is a concurrency key: at most limit jobs that bear it run at once. A job that came
// to the front while the key had no room is parked: it waits beside the line. When the
// key has room, one job of each flow comes back into the line.
type key struct {
	limit   int // 0: the queue's KeyLimit
	running int
	jobs    int // live or remembered
	parked  []parkedJobs
}

// parkedJobs are the parked jobs of one key and flow.
type parkedJobs struct {
	kind     uint16
	priority uint8
	tenant   int32 // 0 with fairness off
	jobs     heap[place]
}

// keyHasRoom reports whether one more job may run of the key with a number; 0 is no key.
func (q *Queue) keyHasRoom(number int32) bool {
	if number == 0 {
		return true
	}
	k := q.keys.at(number)
	limit := k.limit
	if limit == 0 {
		limit = q.opt.KeyLimit
	}
	return k.running < limit
}

// park takes a job whose key has no room out of the line.
func (q *Queue) park(slot int32, r *record) {
	q.quitLine(r)
	r.flags |= flagParked
	tenant := r.tenant
	if !q.opt.Fair {
		tenant = 0
	}
	k := q.keys.at(r.key)
	here := place{r.arrival, r.id, slot, r.stamp}
	for i := range k.parked {
		if p := &k.parked[i]; p.kind == r.kind && p.priority == r.priority && p.tenant == tenant {
			p.jobs.push(here)
			return
		}
	}
	k.parked = append(k.parked, parkedJobs{r.kind, r.priority, tenant, heap[place]{here}})
}

// unpark puts the first parked job of each flow back into the line, if the key has room. It
// must be called whenever the key gains room, and whenever a job of it leaves the line
// while there is room.
func (q *Queue) unpark(number int32) {
	if number == 0 || !q.keyHasRoom(number) {
		return
	}
	k := q.keys.at(number)
	for i := 0; i < len(k.parked); {
		jobs := &k.parked[i].jobs
		for len(*jobs) > 0 {
			if p := jobs.pop(); q.placeCurrent(p) {
				q.joinLine(p.slot, q.records.at(p.slot))
				break
			}
		}
		if len(*jobs) > 0 {
			i++
			continue
		}
		last := len(k.parked) - 1
		k.parked[i] = k.parked[last]
		k.parked[last] = parkedJobs{}
		k.parked = k.parked[:last]
	}
}

// forgetKeys drops the keys that have no job and no limit of their own.
func (q *Queue) forgetKeys() {
	q.keys.sweep(func(k *key) bool { return k.jobs == 0 && k.limit == 0 })
}

// never is the end of time.
const never = 1<<63 - 1

// later returns the instant d after t, never if that is nearer.
func later(t int64, d time.Duration) int64 {
	if d > 0 && t > never-int64(d) {
		return never
	}
	return t + int64(d)
}
