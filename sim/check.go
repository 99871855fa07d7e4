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
//   - an instance runs jobs only while it is ready, draining or cut off, and the
//     counts of busy, ready and booting slots are those of its slots
//   - a draining instance takes nothing
//   - bills never shrink, and time never runs backwards
//   - the idle list holds exactly the idle slots of instances that take jobs, and
//     none of them is idle while a job waits
type invariants struct {
	spent   policy.MicroUSD
	now     int64
	started map[int32]int64 // start of the job on each slot of a draining instance
	ids     []int64         // jobs that run, to find one that runs twice

	broken []error // at this instant
}

// slotCounts are the slots that check found in each state, and the jobs on them.
type slotCounts struct {
	idle        int // of instances that take jobs
	running     int64
	ready, boot int64
}

// check returns an error that names the instant and what does not hold.
func (v *invariants) check(e *engine) error {
	v.broken = nil
	if e.now < v.now {
		v.fail(e, "time ran backwards from %v", time.Duration(v.now))
	}
	v.now = e.now
	e.countArrivals()
	found := v.checkInstances(e)
	v.checkRunning(e)
	if found.idle != e.idle.n {
		v.fail(e, "the idle list holds %d slots, %d are idle", e.idle.n, found.idle)
	}
	if found.ready != e.sums.ready || found.boot != e.sums.boot {
		v.fail(e, "counted %d ready and %d booting slots, have %d and %d", e.sums.ready, e.sums.boot, found.ready, found.boot)
	}
	if e.line.Len() > 0 && e.idle.n > 0 && !e.closed {
		v.fail(e, "%d jobs wait beside %d idle slots", e.line.Len(), e.idle.n)
	}
	held := int64(0)
	for i := range e.parked {
		if p := &e.parked[i]; p.slot < 0 && !p.free {
			held++
		}
	}
	if sum := e.stats.jobs.Completed + e.stats.jobs.Lost + int64(e.line.Len()) + found.running + held; sum != e.arrived {
		v.fail(e, "%d jobs arrived, %d are accounted for", e.arrived, sum)
	}
	if e.stats.spent < v.spent {
		v.fail(e, "the bill shrank from %v to %v", v.spent, e.stats.spent)
	}
	v.spent = e.stats.spent
	return errors.Join(v.broken...)
}

// fail notes what does not hold at this instant.
func (v *invariants) fail(e *engine, format string, args ...any) {
	v.broken = append(v.broken, fmt.Errorf("at %v: "+format, append([]any{time.Duration(e.now)}, args...)...))
}

// checkInstances checks every instance that is alive against its slots, lists the
// jobs that run in v.ids, and returns what it counted.
func (v *invariants) checkInstances(e *engine) slotCounts {
	var found slotCounts
	v.ids = v.ids[:0]
	draining := map[int32]int64{}
	for _, r := range e.alive {
		in := e.insts[r]
		busy := int32(0)
		for s := in.base; s < in.base+in.n; s++ {
			sl := &e.slots[s]
			if !e.done.runs(s) && !sl.held {
				if in.takesJobs() {
					found.idle++
				}
				continue
			}
			busy++
			if !sl.orphan {
				found.running++
				v.ids = append(v.ids, sl.job.ID)
			}
			if in.phase == policy.Draining {
				draining[s] = sl.start
				if was, ok := v.started[s]; ok && was != sl.start {
					v.fail(e, "draining instance %d took a job on slot %d", in.id, s)
				}
			}
			if in.phase == policy.Booting || in.dead {
				v.fail(e, "instance %d runs a job while %v", in.id, in.phase)
			}
		}
		if busy != in.busy {
			v.fail(e, "instance %d counts %d busy slots, has %d", in.id, in.busy, busy)
		}
		switch in.phase {
		case policy.Ready:
			found.ready += int64(in.n)
		case policy.Draining:
			found.ready += int64(busy)
		case policy.Booting:
			found.boot += int64(in.n)
		}
	}
	v.started = draining
	return found
}

// checkRunning finds jobs that run twice.
func (v *invariants) checkRunning(e *engine) {
	slices.Sort(v.ids)
	for i := 1; i < len(v.ids); i++ {
		if v.ids[i] == v.ids[i-1] {
			v.fail(e, "job %d runs twice", v.ids[i])
		}
	}
}

// InvariantError is a defect of the simulator itself: something that must
// always hold did not.
type InvariantError struct{ Broken error }

func (e *InvariantError) Error() string { return "simulator invariant broken: " + e.Broken.Error() }
