package sim

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// invariants of a run, asserted after every instant when Options.Check is set:
//
//   - no job is lost, and none runs twice at once: arrived = done + lost +
//     waiting + running + parked until a lease ends
//   - an instance is never busier than it has slots, and runs jobs only while
//     it is ready, draining or cut off
//   - a draining instance takes nothing
//   - bills never shrink, and time never runs backwards
//   - the idle list holds exactly the idle slots of instances that take jobs
//   - work is conserved: what slots did adds up to what jobs asked for
type invariants struct {
	spent   policy.MicroUSD
	now     int64
	started map[int32]int64 // start of the job on each slot of a draining instance
	ids     []int64         // jobs that run, to find one that runs twice
}

// check returns an error that names the instant and what does not hold.
func (v *invariants) check(e *engine) error {
	var failures []error
	fail := func(format string, args ...any) {
		failures = append(failures, fmt.Errorf("at %v: "+format, append([]any{time.Duration(e.now)}, args...)...))
	}
	if e.now < v.now {
		fail("time ran backwards from %v", time.Duration(v.now))
	}
	v.now = e.now
	e.countArrivals()
	v.ids = v.ids[:0]
	running, idleSlots := int64(0), 0
	draining := map[int32]int64{}
	var ready, boot int64
	for _, r := range e.alive {
		in := e.insts[r]
		busy := int32(0)
		for s := in.base; s < in.base+in.n; s++ {
			sl := &e.slots[s]
			if !e.done.runs(s) && !sl.held {
				if in.takesJobs() {
					idleSlots++
				}
				continue
			}
			busy++
			if !sl.orphan {
				running++
				v.ids = append(v.ids, sl.job.ID)
			}
			if in.phase == policy.Draining {
				draining[s] = sl.start
				if was, ok := v.started[s]; ok && was != sl.start {
					fail("draining instance %d took a job on slot %d", in.id, s)
				}
			}
			if in.phase == policy.Booting || in.dead {
				fail("instance %d runs a job while %v", in.id, in.phase)
			}
		}
		if busy != in.busy {
			fail("instance %d counts %d busy slots, has %d", in.id, in.busy, busy)
		}
		switch in.phase {
		case policy.Ready:
			ready += int64(in.n)
		case policy.Draining:
			ready += int64(busy)
		case policy.Booting:
			boot += int64(in.n)
		}
	}
	v.started = draining
	slices.Sort(v.ids)
	for i := 1; i < len(v.ids); i++ {
		if v.ids[i] == v.ids[i-1] {
			fail("job %d runs twice", v.ids[i])
		}
	}
	if idleSlots != e.idle.n {
		fail("the idle list holds %d slots, %d are idle", e.idle.n, idleSlots)
	}
	if ready != e.sums.ready || boot != e.sums.boot {
		fail("counted %d ready and %d booting slots, have %d and %d", e.sums.ready, e.sums.boot, ready, boot)
	}
	if e.line.Len() > 0 && e.idle.n > 0 && !e.closed {
		fail("%d jobs wait beside %d idle slots", e.line.Len(), e.idle.n)
	}
	held := int64(0)
	for i := range e.parked {
		if p := &e.parked[i]; p.slot < 0 && !p.free {
			held++
		}
	}
	if sum := e.stats.jobs.Completed + e.stats.jobs.Lost + int64(e.line.Len()) + running + held; sum != e.arrived {
		fail("%d jobs arrived, %d are accounted for", e.arrived, sum)
	}
	if e.stats.spent < v.spent {
		fail("the bill shrank from %v to %v", v.spent, e.stats.spent)
	}
	v.spent = e.stats.spent
	return errors.Join(failures...)
}

// InvariantError is a defect of the simulator itself: something that must
// always hold did not.
type InvariantError struct{ Broken error }

func (e *InvariantError) Error() string { return "simulator invariant broken: " + e.Broken.Error() }
