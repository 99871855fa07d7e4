package skynet

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// linesMax bounds the lines that are told apart; priorities beyond it share the
// nearest.
const linesMax = 16

// line is one priority's queue, served first come first served. All work in it
// is planned with its tightest budget, because that is what standing in one
// line means: a photo behind a video waits for the video to start.
//
// A job keeps its slot to its end, so only its first budget seconds compete
// with the others for a start in time (head); what is left (tail) holds the
// slot afterwards. A video of an hour that may wait 30 s asks for one slot, not
// for 120.
type line struct {
	priority int
	// budget is how many seconds a job may wait for its start; promised says
	// that somebody was promised it, and not only hopes for it.
	budget   float64
	promised bool
	// urgent: a launch would come too late to keep the promise, or that of a line
	// behind it, so arrivals are forecast and a reserve stands ready. Others wait for
	// their deadline.
	urgent bool
	// patient: its own budget leaves time for a launch. What waits in it is planned for
	// to its deadline, be it urgent, because of a line behind it, or not.
	patient          bool
	unpromisedTarget float64 // the longest target without a promise, in seconds
	allowedLate      float64 // the smallest share of late jobs that is allowed
	z                float64 // multiplier of the reserve
	// recovery is for how many seconds what is late may stay late once a launch
	// could help; lost says that the promise of a class in it is out of reach.
	recovery     float64
	outOfReach   bool
	spare        float64 // the part of what waits that may be late, in a line that can wait
	spareSet     bool    // a class has spoken for spare
	logTolerance float64 // ln of a multiplier of the chance to find all slots held

	// arrived since the last observation, and waiting, in slot-seconds.
	arrivedHead, arrivedTail float64
	arrivedJobs              float64
	waitingHead, waitingTail float64
	waitingJobs              int64
	oldest                   float64 // wait in seconds
	// Tail work times how long it holds its slot, in slot-seconds².
	arrivedTailHold, waitingTailHold float64
	dueWork                          [maxSteps]float64 // waiting head work due by the end of each step
}

// floorBudget is the shortest wait that is planned with, in seconds.
const budgetLeast = 1.0

// unpromised is how long, in seconds, work may wait that nobody was promised,
// unless its class has a longer target: enough capacity for the mean load
// clears it.
const unpromisedBudget = 600.0

// readLines fills p.lines from the queue: budgets first, because they decide
// how the work of each kind divides.
func (p *Policy) readLines(o *policy.Observation) {
	p.lines = p.lines[:0]
	for i := range p.st.Lines {
		p.lines = append(p.lines, line{priority: p.st.Lines[i].Priority, budget: -1, allowedLate: 1})
	}
	for i := range o.Queue.Kinds {
		p.ensureLine(o.Queue.Kinds[i].Priority)
	}
	p.shortest = 0
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		p.addBudget(k)
		if mean := float64(k.Service.Mean); k.Service.Samples > 0 && (p.shortest == 0 || mean < p.shortest) {
			p.shortest = mean
		}
	}
	reach := p.lag + p.tick + p.set.recovery
	for i := range p.lines {
		ln := &p.lines[i]
		if ln.budget < 0 {
			ln.budget = max(ln.unpromisedTarget, unpromisedBudget)
		}
		ln.urgent = ln.promised && ln.budget < reach
		ln.patient = !ln.urgent
	}
	p.spreadUrgency()
	for i := range o.Queue.Kinds {
		p.addWork(&o.Queue.Kinds[i])
	}
}

// urgentBefore makes urgent each promised line that goes before an urgent one, whatever
// its own budget: what arrives there is served first, so that the other is late where
// it was not forecast. Work without a promise is not forecast there either. The lines
// after all of them wait for their deadlines, planned with theta.
func (p *Policy) spreadUrgency() {
	urgent := false
	for i := len(p.lines) - 1; i >= 0; i-- {
		ln := &p.lines[i]
		urgent = urgent || ln.urgent
		switch {
		case !ln.promised:
		case urgent:
			ln.urgent = true
		default:
			ln.budget *= p.set.theta
		}
	}
}

// addLine makes sure a priority has a line. Lines are kept in order of
// priority, with their memory in p.st.Lines.
func (p *Policy) ensureLine(priority int) {
	at := len(p.lines)
	for i := range p.lines {
		if p.lines[i].priority == priority {
			return
		}
		if p.lines[i].priority > priority {
			at = i
			break
		}
	}
	if len(p.lines) == linesMax {
		return // it shares the line of its nearest neighbour
	}
	p.lines = append(p.lines, line{})
	copy(p.lines[at+1:], p.lines[at:])
	p.lines[at] = line{priority: priority, budget: -1, allowedLate: 1}
	p.st.Lines = append(p.st.Lines, level{})
	copy(p.st.Lines[at+1:], p.st.Lines[at:])
	p.st.Lines[at] = level{Priority: priority}
}

// lineOf returns the line that serves a priority: its own, or where there are
// too many the last one before it.
func (p *Policy) lineOf(priority int) *line { return &p.lines[p.lineIndex(priority)] }

// lineAt returns where in p.lines that line is.
func (p *Policy) lineIndex(priority int) int {
	at := 0
	for i := range p.lines {
		if p.lines[i].priority > priority {
			break
		}
		at = i
	}
	return at
}

// promise returns the class a kind was promised, or nil.
func (p *Policy) promise(k *policy.KindView) *policy.Class {
	if k.Class < 0 || k.Class >= len(p.env.Classes) {
		return nil
	}
	if c := &p.env.Classes[k.Class]; c.Attain > 0 && c.Target > 0 {
		return c
	}
	return nil
}

// budgetOf returns how many seconds a job of a kind may wait for its start.
//
// A target on the sojourn leaves for waiting what the service of nearly all
// jobs (p95) of the kind leaves of it, at least a tenth.
func (p *Policy) budgetOf(k *policy.KindView, c *policy.Class) float64 {
	budget := c.Target.Seconds()
	if c.On == policy.Sojourn {
		budget = max(budget-float64(k.Service.P95)/p.market.unitSpeed, float64(0.1*budget))
	}
	return max(budget, budgetLeast)
}

// addBudget tightens the budget of a kind's line. Kinds that have not been seen
// for an hour do not count.
func (p *Policy) addBudget(k *policy.KindView) {
	if k.Arrived[3].Jobs == 0 && k.Pending.Jobs == 0 && k.LastTick.Jobs == 0 {
		return
	}
	ln := p.lineOf(k.Priority)
	c := p.promise(k)
	if c == nil {
		if k.Class >= 0 && k.Class < len(p.env.Classes) {
			ln.unpromisedTarget = max(ln.unpromisedTarget, p.env.Classes[k.Class].Target.Seconds())
		}
		return
	}
	budget := p.budgetOf(k, c)
	ln.promised = true
	ln.allowedLate = min(ln.allowedLate, max(1-c.Attain, missFloor))
	if ln.budget < 0 || budget < ln.budget {
		ln.budget = budget
	}
}

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
		// In a tick somebody may know how long such a job takes. Until then it counts
		// for no more than one of the shortest kind known: that much is likely wanted
		// in any case, and the sooner it is there the less of it is needed.
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
	each := head / float64(k.Pending.Jobs)
	left := k.Pending.Jobs
	for _, a := range k.PendingByAge {
		ln.dueWork[stepOf(ln.startsDueIn(a.Age))] += float64(each * float64(a.Jobs))
		left -= a.Jobs
	}
	if left > 0 { // ages unknown: as old as the oldest
		ln.dueWork[stepOf(ln.startsDueIn(k.OldestWait))] += float64(each * float64(left))
	}
}

// arrived returns what arrived of a kind since the last observation, its work as the
// jobs of its types took it lately where that is believed of all work. A gallery of
// large photos is seen in its first completions, and per second an instance more for
// the rest of it is paid for as long as it helps. By the hour what is bought on the
// word of a few jobs stays.
func (p *Policy) arrivedFlow(k *policy.KindView) policy.Flow {
	f := k.LastTick
	if p.set.recent && k.LastTickLately > 0 {
		f.Work = k.LastTickLately
	}
	return f
}

// waiting returns what waits of a kind, its work as the jobs of its types took it
// lately: where that is believed of all work, or by the hour where it is so much more
// that all that waits would be late.
func (p *Policy) waitingFlow(k *policy.KindView) policy.Flow {
	f := k.Pending
	if p.set.recent && k.PendingLately > 0 || p.set.longer && float64(k.PendingLately) >= float64(recentRatioLeast*float64(f.Work)) {
		f.Work = k.PendingLately
	}
	return f
}

// muchLonger is how many times what such jobs take over a long time those that wait
// must need, as they took lately, to be believed by the hour: the means of a few dozen
// jobs scatter by less.
const recentRatioLeast = 1.5

// guessed reports whether nothing tells how large a kind's waiting jobs are: none
// of their type has completed, and they carry no estimate of their own.
func sizeUnknown(k *policy.KindView) bool {
	guess := float64(float64(k.Pending.Jobs) * float64(k.Service.Mean))
	return k.Service.Samples == 0 && math.Abs(float64(k.Pending.Work)-guess) <= 1e-6*guess
}

// dueIn returns in how many seconds a job that has waited for age must start:
// at once where it has waited for longer than ages are told apart.
func (ln *line) startsDueIn(age time.Duration) float64 {
	if age > policy.AgeMax {
		return 0
	}
	return max(ln.budget-age.Seconds(), 0)
}

// split divides a flow's work, in slot-seconds, at the budget: the head of each
// job competes for a start in time, the tail holds its slot afterwards.
func splitAtBudget(f policy.Flow, unit, budget float64) (head, tail float64) {
	if f.Jobs <= 0 || f.Work <= 0 {
		return 0, 0
	}
	all := float64(f.Work) / unit
	head = min(all, float64(budget*float64(f.Jobs)))
	return head, all - head
}

// holding returns tail work times the seconds each job of it holds its slot, so
// that sums divided by sums of tail work are means by work.
func tailHold(tail float64, jobs int64) float64 {
	if tail <= 0 {
		return 0
	}
	return tail / float64(jobs) * tail
}
