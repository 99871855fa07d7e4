package dispatch

import "strings"

// Fairness among tenants is weighted fair queueing of jobs (Demers, Keshav and
// Shenker, 1989) within each priority. Every job handed out moves its tenant forward in
// virtual time by jobShare/weight, and the tenant that is least far goes next. The
// priority has a virtual clock, which each job handed out moves as well. A tenant that
// comes back after a pause starts at the clock, so that nobody saves up claims by staying
// away; and since the clock moves, nobody is pushed back for ever by newcomers.

// jobShare is how far a job moves a tenant of weight 1, in virtual time.
const jobShare = 1 << 20

// WeightMax is the greatest weight of a tenant.
const WeightMax = 1000

// tenant is somebody whose jobs share the queue with those of others.
type tenant struct {
	weight   int64
	given    bool // the weight was set by SetWeight
	jobs     int  // live or remembered
	accounts []account
}

// account is what a tenant has had of one priority.
type account struct {
	priority uint8
	waiting  int32 // jobs, parked ones included
	served   int64 // virtual time
}

// virtualClock is the virtual time of one priority.
type virtualClock struct {
	now     int64
	weights int64 // sum over the tenants that have a job waiting
}

// account returns a tenant's account of a priority, a new one on first use.
func (t *tenant) account(priority uint8) *account {
	for i := range t.accounts {
		if t.accounts[i].priority == priority {
			return &t.accounts[i]
		}
	}
	t.accounts = append(t.accounts, account{priority: priority})
	return &t.accounts[len(t.accounts)-1]
}

// servedAt returns how far a tenant is in the virtual time of a priority; 0 with fairness
// off.
func (q *Queue) servedAt(tenant int32, priority uint8) int64 {
	if !q.opt.Fair {
		return 0
	}
	return q.tenants.at(tenant).account(priority).served
}

// tenantWaits counts one more waiting job of a tenant.
func (q *Queue) tenantWaits(tenant int32, priority uint8) {
	if !q.opt.Fair {
		return
	}
	t := q.tenants.at(tenant)
	a := t.account(priority)
	if a.waiting++; a.waiting == 1 {
		c := &q.clocks[priority]
		a.served = max(a.served, c.now)
		c.weights += t.weight
	}
}

// tenantWaitsLess counts one waiting job of a tenant less.
func (q *Queue) tenantWaitsLess(tenant int32, priority uint8) {
	if !q.opt.Fair {
		return
	}
	t := q.tenants.at(tenant)
	a := t.account(priority)
	if a.waiting--; a.waiting == 0 {
		q.clocks[priority].weights -= t.weight
	}
}

// chargeTenant moves a tenant forward for a waiting job that is handed out.
func (q *Queue) chargeTenant(tenant int32, priority uint8) {
	if !q.opt.Fair {
		return
	}
	t := q.tenants.at(tenant)
	a := t.account(priority)
	c := &q.clocks[priority]
	c.now = max(c.now, a.served) + jobShare/c.weights
	a.served += jobShare / t.weight
}

// tenantAhead reports whether a tenant is ahead of a clock: to forget it would give it an
// advantage.
func (q *Queue) tenantAhead(t *tenant) bool {
	for _, a := range t.accounts {
		if a.served > q.clocks[a.priority].now {
			return true
		}
	}
	return false
}

// forgetTenants drops the tenants that have no job and no weight of their own, and are
// ahead of no clock. It changes nothing that anybody could see.
func (q *Queue) forgetTenants() {
	q.tenants.sweep(func(t *tenant) bool { return t.jobs == 0 && !t.given && !q.tenantAhead(t) })
}

// numbered holds things by name and by number. Numbers start at 1, 0 being the thing
// without a name, and are used again when a thing is forgotten.
type numbered[T any] struct {
	numberOf    map[string]int32
	things      []T      // by number
	name        []string // by number; empty where it is free
	free        []int32
	leftAtSweep int // names left at the last sweep
}

// at returns the thing with a number.
func (n *numbered[T]) at(i int32) *T { return &n.things[i] }

// number returns the number of a name, making a thing if there is none.
func (n *numbered[T]) number(name string, thing func() T) int32 {
	if len(n.things) == 0 {
		n.numberOf = map[string]int32{"": 0}
		n.things = append(n.things, thing())
		n.name = append(n.name, "")
	}
	if name == "" { // as most are
		return 0
	}
	if i, ok := n.numberOf[name]; ok {
		return i
	}
	name = strings.Clone(name) // it may be a slice of something large
	var i int32
	if k := len(n.free); k > 0 {
		i = n.free[k-1]
		n.free = n.free[:k-1]
		n.things[i], n.name[i] = thing(), name
	} else {
		i = int32(len(n.things))
		n.things = append(n.things, thing())
		n.name = append(n.name, name)
	}
	n.numberOf[name] = i
	return i
}

// forget drops the thing of a number.
func (n *numbered[T]) forget(i int32) {
	delete(n.numberOf, n.name[i])
	var zero T
	n.things[i], n.name[i] = zero, ""
	n.free = append(n.free, i)
}

// sweep forgets every named thing that is idle.
func (n *numbered[T]) sweep(idle func(*T) bool) {
	for i := 1; i < len(n.things); i++ {
		if n.name[i] == "" {
			continue
		}
		if idle(&n.things[i]) {
			n.forget(int32(i))
		}
	}
	n.leftAtSweep = len(n.numberOf)
}

// sweepSlack is how many names more than twice those left make a sweep due.
const sweepSlack = 1024

// sweepDue reports whether there are so many more names than the last sweep left that
// another is worth its time.
func (n *numbered[T]) sweepDue() bool { return len(n.numberOf) > 2*n.leftAtSweep+sweepSlack }
