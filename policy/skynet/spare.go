package skynet

import (
	"math"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

var rulePlanSpare = policy.NewRule("plan.spare", "%.0f of %.0f jobs that can wait may be late: their promise has them to spare, and nothing is bought for those", false)

// A class whose jobs wait in a line that is not urgent is served by its deadlines,
// not by a reserve, so that no multiplier spends its miss budget. The budget is spent
// job by job instead. Each class has a balance, Spare, in jobs: it earns b·ε for each
// job it starts and pays one for each that is late, in whatever line, with ε the late
// share that the class allows and b the parameter "budget". Of n jobs that wait
//
//	⌊part · (balance + b·ε·n)⌋
//
// may be late, with part as in spentAtOnce below. The plan holds as long as no more
// work than theirs is overdue, and no instance is bought for it.
//
// The books balance themselves: each late job leaves one fewer to spare, and a class
// with none to spare has a deadline for every job, planned with theta.
//
// With billing per second, capacity that is there already is kept for such jobs all
// the same; see undrainForSpare. A class that promises something of every hour has
// nothing to spare.

const (
	// spareMemory is the time constant, in seconds, with which a balance above 0 is
	// forgotten: what a quiet time left over must not ruin a busy one.
	spareMemory = day / 2
	// overspentMemory is that of a balance below 0: an outage is made good by a week
	// of being in time after it.
	overspentMemory = 7 * day

	// spentAtOnce is the part of what is to spare that may be spent at once: not all,
	// because the next heap of jobs may be larger. With billing per second it is less,
	// because a late job there saves no paid hour, only what would idle later.
	spentAtOnce          = 0.8
	spentAtOncePerSecond = 0.5
)

// spareLines sets, for each line that is not urgent, which part of its waiting work
// may be late. The jobs of its classes stand in it mixed, so the class with the
// least to spare decides.
func (p *Policy) spareLines(o *policy.Observation) {
	if !p.set.promises {
		return
	}
	clear(p.deadlineJobs)
	for i := range o.Queue.Kinds {
		if k := &o.Queue.Kinds[i]; p.deadlineLine(k) != nil {
			p.deadlineJobs[k.Class] += float64(k.Pending.Jobs)
		}
	}
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		ln := p.deadlineLine(k)
		if ln == nil || k.Pending.Jobs <= 0 {
			continue
		}
		share := p.spareJobs(k.Class, p.deadlineJobs[k.Class]) / p.deadlineJobs[k.Class]
		if !ln.spareSet || share < ln.spare {
			ln.spareSet, ln.spare = true, min(share, 1)
		}
	}
}

// deadlineLine returns the line of a kind that has a promise and waits for its deadline,
// without a reserve; nil for any other kind.
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
	spare := p.st.Steer.Classes[class].Spare + float64(p.aimedLate(class)*waiting)
	atOnce := spentAtOnce
	if !p.set.windows {
		atOnce = spentAtOncePerSecond
	}
	return max(math.Floor(float64(spare*atOnce)), 0)
}

// countSpare enters what a kind has started since the last observation into the balance
// of its class.
func (p *Policy) countSpare(k *policy.KindView) {
	p.st.Steer.Classes[k.Class].Spare += float64(p.aimedLate(k.Class)*float64(k.Started)) - float64(k.StartedLate)
}

// decaySpare lets every balance be forgotten for step seconds.
func (p *Policy) decaySpare(step float64) {
	above, below := detmath.Exp(-step/spareMemory), detmath.Exp(-step/overspentMemory)
	for i := range p.st.Steer.Classes {
		if c := &p.st.Steer.Classes[i]; c.Spare < 0 {
			c.Spare *= below
		} else {
			c.Spare *= above
		}
	}
}

// sparing reports whether more than tolerance slot-seconds wait in a line of which some
// may be late.
func (p *plan) sparing(tolerance float64) bool {
	for j := range p.lineCount {
		if ln := &p.lines[j]; ln.spare > 0 && ln.waiting > tolerance {
			return true
		}
	}
	return false
}

// spareNothing makes the plan hold only with every job in time, and reports whether some
// might be late before.
func (p *plan) spareNothing() bool {
	had := false
	for j := range p.lineCount {
		had = had || p.lines[j].spare > 0
		p.lines[j].spare = 0
	}
	return had
}

// spareReason returns the sentence about jobs that may be late, and whether one is
// overdue: only then does the sentence explain anything.
func (p *Policy) spareReason() (why policy.Reason, overdue bool) {
	may, waiting := 0.0, 0.0
	for i := range p.lines {
		if ln := &p.lines[i]; ln.spare > 0 {
			// spare is a share of whole jobs: rounding must not lose one
			may += math.Floor(float64(ln.spare*float64(ln.waitingJobs)) + 1e-6)
			waiting += float64(ln.waitingJobs)
			overdue = overdue || ln.waitingJobs > 0 && ln.oldest > ln.budget
		}
	}
	return rulePlanSpare.Because(may, waiting), overdue
}
