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
	full    int64 // when the bucket of tokens is full again (the cell-rate algorithm of ATM: exact in integers)
	filled  [4]uint64
	levels  [256]*level
}

func (k *kind) level(priority uint8) *level {
	l := k.levels[priority]
	if l == nil {
		l = new(level)
		k.levels[priority] = l
	}
	return l
}

// opensAt returns the earliest instant from which the rate lets a job start.
func (k *kind) opensAt() int64 {
	if k.limit.Every <= 0 {
		return 0
	}
	return k.full - int64(k.limit.Every)*int64(max(k.limit.Burst, 1)-1)
}

// ready reports whether a job of the type may start now.
func (k *kind) ready(now int64) bool {
	return !k.paused && (k.limit.Running == 0 || k.running < k.limit.Running) && k.opensAt() <= now
}

// start notes that a job of the type starts.
func (k *kind) start(now int64) {
	k.running++
	if k.limit.Every > 0 {
		k.full = later(max(k.full, now), k.limit.Every)
	}
}

// key is a concurrency key: at most limit jobs that bear it run at once.
// Its waiting jobs that came to the front while it was full stand beside the
// line, one file for each flow they came from, and come back one per flow when
// it has room.
type key struct {
	limit   int // 0: the queue's KeyLimit
	running int
	jobs    int // live or remembered
	parked  []parking
}

// parking is the jobs of one key and flow that stand beside the line.
type parking struct {
	kind     uint16
	priority uint8
	tenant   int32 // 0 with fairness off
	jobs     heap[place]
}

// room reports whether one more job of the key may run.
func (q *Queue) room(number int32) bool {
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

// park takes a job whose key is full from the line and stands it beside.
func (q *Queue) park(slot int32, r *record) {
	q.pull(r)
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
	k.parked = append(k.parked, parking{r.kind, r.priority, tenant, heap[place]{here}})
}

// unpark puts the first parked job of each flow back in the line, if the key
// has room. It is due whenever the key gains room, and whenever one of its
// jobs leaves the line while there is some.
func (q *Queue) unpark(number int32) {
	if number == 0 || !q.room(number) {
		return
	}
	k := q.keys.at(number)
	for i := 0; i < len(k.parked); {
		jobs := &k.parked[i].jobs
		for len(*jobs) > 0 {
			if p := jobs.pop(); q.good(p) {
				q.put(p.slot, q.records.at(p.slot))
				break
			}
		}
		if len(*jobs) > 0 {
			i++
			continue
		}
		last := len(k.parked) - 1
		k.parked[i] = k.parked[last]
		k.parked[last] = parking{}
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
