package skynet

import (
	"math"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

var rulePlanSpare = policy.NewRule("plan.spare", "%.0f of %.0f jobs that can wait may be late: their promise has them to spare, and nothing is bought for those", false)

// spareMemory is for how long, in seconds, what a class had to spare is counted:
// what a quiet time left over is gone before a busy one could be ruined by it.
const spareMemory = day / 2

// overspentMemory is for how long, in seconds, late jobs beyond what a class had to spare
// are counted against it: an outage is made good by being in time after it.
const overspentMemory = 7 * day

// The part of what is to spare that is spent at once: not all, because the next heap
// may be larger. Per second less, because what is late there saves no paid window,
// only what would idle later.
const (
	spentAtOnce          = 0.8
	spentAtOncePerSecond = 0.5
)

// A class in a line that can wait is served by its deadlines, not by a reserve, so
// no multiplier spends its miss budget. It is spent by jobs. With ε the late share a
// class allows and b the part of that aimed at, its balance earns b ε for each job it
// starts and pays one for each late one, whatever the line; above 0 it decays with a
// time constant of half a day, below with one of a week. Of n jobs that wait
//
//	⌊share · (balance + b ε n)⌋
//
// may be late, with share as below: the plan holds as long as no more than that are
// overdue. What a gallery would need beyond is not bought. Per second what is there
// already stays and goes on: jobs that wait fill slots that long ones beside them have
// paid for anyway, and what left would be launched again. The books close by
// themselves: each late job is one fewer to spare, and where none is, every job has
// its deadline, as planned with theta. A class that promises something of every
// hour has none.

// spareLines sets which part of what waits in each line that can wait may be late.
// The classes of a line stand in it mixed, so that the one with the least to spare
// speaks for all.
func (p *Policy) spareLines(o *policy.Observation) {
	if !p.set.promises {
		return
	}
	clear(p.patientJobs)
	for i := range o.Queue.Kinds {
		if k := &o.Queue.Kinds[i]; p.deadlineLine(k) != nil {
			p.patientJobs[k.Class] += float64(k.Pending.Jobs)
		}
	}
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		ln := p.deadlineLine(k)
		if ln == nil || k.Pending.Jobs <= 0 {
			continue
		}
		share := p.spareJobs(k.Class, p.patientJobs[k.Class]) / p.patientJobs[k.Class]
		if !ln.spareSet || share < ln.spare {
			ln.spareSet, ln.spare = true, min(share, 1)
		}
	}
}

// deadlineLine returns the line of a kind that was promised something and whose late
// jobs no reserve steers; nil of any other.
func (p *Policy) deadlineLine(k *policy.KindView) *line {
	if p.promise(k) == nil {
		return nil
	}
	if ln := p.lineOf(k.Priority); !ln.urgent {
		return ln
	}
	return nil
}

// spareJobs returns how many of so many waiting jobs of a class may be late.
func (p *Policy) spareJobs(class int, waiting float64) float64 {
	if p.hourAllowedLate(class) > 0 {
		return 0
	}
	may := p.st.Steer.Classes[class].Spare + float64(p.aimedLate(class)*waiting)
	atOnce := spentAtOnce
	if !p.set.windows {
		atOnce = spentAtOncePerSecond
	}
	return max(math.Floor(float64(may*atOnce)), 0)
}

// countSpare adds what a kind started since the last observation to what its class
// has to spare.
func (p *Policy) countSpare(k *policy.KindView) {
	p.st.Steer.Classes[k.Class].Spare += float64(p.aimedLate(k.Class)*float64(k.Started)) - float64(k.StartedLate)
}

// decaySpare lets step seconds pass over what every class has to spare, or owes.
func (p *Policy) decaySpare(step float64) {
	keep, owe := detmath.Exp(-step/spareMemory), detmath.Exp(-step/overspentMemory)
	for i := range p.st.Steer.Classes {
		if c := &p.st.Steer.Classes[i]; c.Spare < 0 {
			c.Spare *= owe
		} else {
			c.Spare *= keep
		}
	}
}

// sparing reports whether more than slack slot-seconds wait in a line of which some may
// be late.
func (p *plan) sparing(slack float64) bool {
	for j := range p.lineCount {
		if ln := &p.lines[j]; ln.spare > 0 && ln.waiting > slack {
			return true
		}
	}
	return false
}

// spareNothing makes the plan hold only with every job in time, and reports whether
// some could be late before.
func (p *plan) spareNothing() bool {
	had := false
	for j := range p.lineCount {
		had = had || p.lines[j].spare > 0
		p.lines[j].spare = 0
	}
	return had
}

// spareReason returns the sentence about jobs that are past their planned deadline
// and for which nothing is bought.
func (p *Policy) spareReason() (policy.Reason, bool) {
	may, waiting, overdue := 0.0, 0.0, false
	for i := range p.lines {
		if ln := &p.lines[i]; ln.spare > 0 {
			may += math.Floor(float64(ln.spare*float64(ln.waitingJobs)) + 1e-6)
			waiting += float64(ln.waitingJobs)
			overdue = overdue || ln.waitingJobs > 0 && ln.oldest > ln.budget
		}
	}
	return rulePlanSpare.Because(may, waiting), overdue
}
