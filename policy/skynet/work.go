package skynet

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// recentRatioLeast is for how many times as much work, by the recent mean as by the
// long one, the recent mean is believed under hourly billing: the means of a few
// dozen jobs scatter by less than that.
const recentRatioLeast = 1.5

// addWork adds a kind's arrivals and waiting jobs to its line.
func (p *Policy) addWork(k *policy.KindView) {
	ln := p.lineOf(k.Priority)
	unit := p.market.unitSpeed
	head, tail := splitAtBudget(p.arrivedFlow(k), unit, ln.budget)
	ln.arrivedHead += head
	ln.arrivedTail += tail
	ln.arrivedTailHold += tailHold(tail, k.LastTick.Jobs)
	ln.arrivedJobs += float64(k.LastTick.Jobs)
	if k.Pending.Jobs <= 0 {
		return
	}
	pending := p.waitingFlow(k)
	if ln.promised && ln.patient && sizeUnknown(k) && ln.startsDueIn(k.OldestWait) > p.lag+float64(2*p.tick) {
		// The jobs can wait for another tick, and by then it may be known how long
		// one takes. Until then each counts for no more than one of the shortest kind
		// known: that much is likely needed in any case.
		if p.shortest == 0 {
			return
		}
		pending.Work = min(pending.Work, policy.CoreSeconds(float64(pending.Jobs)*p.shortest))
	}
	head, tail = splitAtBudget(pending, unit, ln.budget)
	ln.waitingHead += head
	ln.waitingTail += tail
	ln.waitingTailHold += tailHold(tail, k.Pending.Jobs)
	ln.waitingJobs += k.Pending.Jobs
	ln.oldest = max(ln.oldest, k.OldestWait.Seconds())
	ln.addDueWork(k, head/float64(k.Pending.Jobs))
}

// addDueWork enters a kind's waiting jobs, each with the given head work, at their
// deadlines. Jobs whose age is not told count as as old as the oldest.
func (ln *line) addDueWork(k *policy.KindView, each float64) {
	left := k.Pending.Jobs
	for _, a := range k.PendingByAge {
		ln.dueWork[stepOf(ln.startsDueIn(a.Age))] += float64(each * float64(a.Jobs))
		left -= a.Jobs
	}
	if left > 0 {
		ln.dueWork[stepOf(ln.startsDueIn(k.OldestWait))] += float64(each * float64(left))
	}
}

// arrivedFlow returns what arrived of a kind since the last observation. With the
// service "recent" its work is what such jobs took in the last minutes. A gallery of
// large photos shows in its first completions, and with billing per second an
// instance for the rest of it is paid only as long as it helps. With paid hours
// what a few jobs made the policy buy stays, so arrivals go by the long mean.
func (p *Policy) arrivedFlow(k *policy.KindView) policy.Flow {
	f := k.LastTick
	if p.set.recent && k.LastTickLately > 0 {
		f.Work = k.LastTickLately
	}
	return f
}

// waitingFlow returns what waits of a kind. Its work is what such jobs took in the
// last minutes with the service "recent"; and with "longer" where that is at least
// recentRatioLeast times as much, because then all that waits would be late.
func (p *Policy) waitingFlow(k *policy.KindView) policy.Flow {
	f := k.Pending
	if p.set.recent && k.PendingLately > 0 || p.set.longer && float64(k.PendingLately) >= float64(recentRatioLeast*float64(f.Work)) {
		f.Work = k.PendingLately
	}
	return f
}

// sizeUnknown reports whether nothing tells how large a kind's waiting jobs are:
// no job of their type has completed, and they carry no estimate of their own, so
// that their work is the assumed mean to within rounding.
func sizeUnknown(k *policy.KindView) bool {
	assumed := float64(float64(k.Pending.Jobs) * float64(k.Service.Mean))
	return k.Service.Samples == 0 && math.Abs(float64(k.Pending.Work)-assumed) <= 1e-6*assumed
}

// startsDueIn returns in how many seconds a job that has waited for age must start.
// It is 0, at once, where the age is beyond those that are told apart.
func (ln *line) startsDueIn(age time.Duration) float64 {
	if age > policy.AgeMax {
		return 0
	}
	return max(ln.budget-age.Seconds(), 0)
}

// splitAtBudget divides a flow's work into heads and tails, in slot-seconds, for
// slots of speed unit and a budget in seconds; see line.
func splitAtBudget(f policy.Flow, unit, budget float64) (head, tail float64) {
	if f.Jobs <= 0 || f.Work <= 0 {
		return 0, 0
	}
	all := float64(f.Work) / unit
	head = min(all, float64(budget*float64(f.Jobs)))
	return head, all - head
}

// tailHold returns tail work times the seconds that each job of it holds its slot,
// in slot-seconds². Sums of it divided by sums of tail work are means by work.
func tailHold(tail float64, jobs int64) float64 {
	if tail <= 0 {
		return 0
	}
	return tail / float64(jobs) * tail
}
