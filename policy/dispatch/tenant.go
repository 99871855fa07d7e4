package dispatch

import "strings"

// Fairness among tenants is weighted fair queueing of jobs (Demers, Keshav and
// Shenker, 1989) within each priority. Every job handed out moves its tenant
// forward by share/weight; the tenant least far goes next. A tenant that comes
// back after a pause starts at the priority's clock, so nobody saves up claims
// by staying away, and the clock moves with every job handed out, so nobody is
// pushed back for ever by a stream of newcomers.

// share is how far a job moves a tenant of weight 1.
const share = 1 << 20

// WeightMax is the greatest weight of a tenant.
const WeightMax = 1000

// tenant is somebody whose jobs share the queue with those of others.
type tenant struct {
	weight   int64
	given    bool // the weight was set by SetWeight
	jobs     int  // live or remembered
	accounts []account
}

// account is what a tenant had of one priority.
type account struct {
	priority uint8
	waiting  int32 // jobs, those beside the line included
	served   int64
}

// clock is the virtual time of one priority.
type clock struct {
	now     int64
	weights int64 // of the tenants that have a job waiting
}

func (t *tenant) account(priority uint8) *account {
	for i := range t.accounts {
		if t.accounts[i].priority == priority {
			return &t.accounts[i]
		}
	}
	t.accounts = append(t.accounts, account{priority: priority})
	return &t.accounts[len(t.accounts)-1]
}

// servedAt returns how much a tenant had of a priority; 0 with fairness off.
func (q *Queue) servedAt(tenant int32, priority uint8) int64 {
	if !q.opt.Fair {
		return 0
	}
	return q.tenants.at(tenant).account(priority).served
}

// joins notes that a job of the tenant begins to wait.
func (q *Queue) joins(tenant int32, priority uint8) {
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

// leaves notes that a job of the tenant no longer waits.
func (q *Queue) leaves(tenant int32, priority uint8) {
	if !q.opt.Fair {
		return
	}
	t := q.tenants.at(tenant)
	a := t.account(priority)
	if a.waiting--; a.waiting == 0 {
		q.clocks[priority].weights -= t.weight
	}
}

// charge notes that a waiting job of the tenant is handed out.
func (q *Queue) charge(tenant int32, priority uint8) {
	if !q.opt.Fair {
		return
	}
	t := q.tenants.at(tenant)
	a := t.account(priority)
	c := &q.clocks[priority]
	c.now = max(c.now, a.served) + share/c.weights
	a.served += share / t.weight
}

// owes reports whether forgetting the tenant would give it an advantage.
func (q *Queue) owes(t *tenant) bool {
	for _, a := range t.accounts {
		if a.served > q.clocks[a.priority].now {
			return true
		}
	}
	return false
}

// forgetTenants drops the tenants that have no job, no weight of their own and
// no debt. It changes nothing that anybody could see.
func (q *Queue) forgetTenants() {
	q.tenants.sweep(func(t *tenant) bool { return t.jobs == 0 && !t.given && !q.owes(t) })
}

// names numbers things by name. Numbers start at 1, 0 being the thing without
// a name, and are used again when a thing is forgotten.
type names[T any] struct {
	by     map[string]int32
	things []T
	name   []string
	free   []int32
	idle   int // numbers swept in vain at the last sweep
}

func (n *names[T]) at(i int32) *T { return &n.things[i] }

// number returns the number of a name, making a thing if there is none.
func (n *names[T]) number(name string, thing func() T) int32 {
	if len(n.things) == 0 {
		n.by = map[string]int32{"": 0}
		n.things = append(n.things, thing())
		n.name = append(n.name, "")
	}
	if name == "" { // as most are
		return 0
	}
	if i, ok := n.by[name]; ok {
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
	n.by[name] = i
	return i
}

// forget drops the thing of a number.
func (n *names[T]) forget(i int32) {
	delete(n.by, n.name[i])
	var zero T
	n.things[i], n.name[i] = zero, ""
	n.free = append(n.free, i)
}

// sweep forgets every named thing that is idle.
func (n *names[T]) sweep(idle func(*T) bool) {
	n.idle = 0
	for i := 1; i < len(n.things); i++ {
		if n.name[i] == "" {
			continue
		}
		if idle(&n.things[i]) {
			n.forget(int32(i))
		}
	}
	n.idle = len(n.by)
}

// due reports whether enough was named since the last sweep to sweep again.
func (n *names[T]) due() bool { return len(n.by) > 2*n.idle+1024 }
