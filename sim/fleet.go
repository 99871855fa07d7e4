package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// find returns the record of an instance that is alive, or -1.
func (e *engine) find(id int64) int32 {
	i, ok := e.index(id)
	if !ok {
		return -1
	}
	return e.alive[i]
}

// index returns the place in e.alive of an instance, if it is alive.
func (e *engine) index(id int64) (int, bool) {
	return slices.BinarySearchFunc(e.alive, id, func(r int32, id int64) int { return cmp.Compare(e.insts[r].id, id) })
}

// ready makes an instance a worker.
func (e *engine) ready(in *instance) {
	in.phase = policy.Ready
	in.readyAt = e.now
	e.addBoot(-int64(in.n))
	e.addReady(int64(in.n))
	e.digest.add(digestReady, e.now, in.id, 0)
	e.silenceIfPartitioned(in)
	if !in.silent {
		e.report(in)
	}
	if in.silent || in.interrupt != never {
		for s := in.base; s < in.base+in.n; s++ {
			e.idle.node[s].since = e.now
		}
		return
	}
	for s := in.base; s < in.base+in.n; s++ {
		e.idle.add(s, in.id, e.now)
	}
}

// takesJobs reports whether the idle slots of an instance are listed.
func (in *instance) takesJobs() bool {
	return in.phase == policy.Ready && !in.silent && in.interrupt == never
}

// unlist takes the idle slots of an instance out of dispatch. It must be
// called while takesJobs still holds.
func (e *engine) unlist(in *instance) {
	for s := in.base; s < in.base+in.n; s++ {
		if !e.done.runs(s) && !e.slots[s].held {
			e.idle.remove(s)
		}
	}
}

// relist notes that the idle slots of an instance take jobs again, each idle
// since it became so; relistAll puts them back.
func (e *engine) relist(in *instance) {
	for s := in.base; s < in.base+in.n; s++ {
		if !e.done.runs(s) && !e.slots[s].held {
			e.idle.node[s].owner = in.id
			e.relisted = append(e.relisted, s)
		}
	}
}

// relistAll puts back every slot noted by relist, before anything is dispatched
// or drained: together, because one by one each would walk the list.
func (e *engine) relistAll() {
	if len(e.relisted) > 0 {
		e.idle.addAll(e.relisted)
		e.relisted = e.relisted[:0]
	}
}

// drain takes an instance out of service; it ends when it is idle. It reports
// whether anything changed.
func (e *engine) drain(id int64) bool {
	r := e.find(id)
	if r < 0 || e.faults.apiDown {
		return false
	}
	in := e.insts[r]
	switch in.phase {
	case policy.Draining:
		return false
	case policy.Booting:
		e.addBoot(-int64(in.n))
	case policy.Ready:
		if in.takesJobs() {
			e.unlist(in)
		}
		e.addReady(int64(in.busy) - int64(in.n))
	}
	if in.seen < 0 && time.Duration(e.now-in.launch) > e.rec.Boot(e.now).P99 {
		e.rec.BootFailed(e.now) // given up, not merely not needed any more
	}
	in.phase = policy.Draining
	e.stats.inst.Drained++
	e.digest.add(digestDrain, e.now, id, int64(in.busy))
	if in.busy == 0 { // as a crashed one is
		e.terminate(in)
	}
	return true
}

// undrain puts a draining instance back into service.
func (e *engine) undrain(id int64) bool {
	r := e.find(id)
	if r < 0 {
		return false
	}
	in := e.insts[r]
	if in.phase != policy.Draining || in.dead {
		return false
	}
	in.phase = policy.Ready
	e.addReady(int64(in.n) - int64(in.busy))
	if in.takesJobs() {
		e.relist(in)
	}
	e.stats.inst.Undrained++
	e.digest.add(digestUndrain, e.now, id, int64(in.busy))
	return true
}

// terminate ends an instance, with its bill. No job runs on it.
func (e *engine) terminate(in *instance) {
	end := in.bill.settle(in, e.cfg.Catalog.Billing, e.now, e.judge)
	e.showSpent(in, end)
	e.stats.ended(e, in, end)
	e.rec.Terminated(e.now)
	e.addAlive(-1)
	e.digest.add(digestEnd, e.now, in.id, 0)
	i, _ := e.index(in.id)
	r := e.alive[i]
	e.alive = slices.Delete(e.alive, i, i+1)
	e.bases[in.n] = append(e.bases[in.n], in.base)
	in.id = -1
	e.free = append(e.free, r)
}

// showSpent tells the policy's ledger of windows begun up to end. The minute that
// per-second billing charges at least counts whole at once, at the price of then. A
// price that moves within it bills the rest of it anew while the ledger keeps what it
// showed: what the policy is told was spent and the bill then differ by up to 60 s of
// the change in price.
func (e *engine) showSpent(in *instance, end int64) {
	if end > in.bill.shown {
		e.stats.spent += policy.MicroUSD(policy.MulDiv(end-in.bill.shown, int64(in.bill.price), int64(time.Hour)))
		in.bill.shown = end
	}
}
