package skynet

import (
	"github.com/skynet-ec2/skynet/policy"
)

// linesMax bounds how many lines are told apart. Priorities beyond it share the
// line of the nearest smaller priority.
const linesMax = 16

const (
	// budgetLeast is the shortest wait that is planned with, in seconds.
	budgetLeast = 1.0
	// unpromisedBudget is how long work without a promise may wait, in seconds,
	// unless its class has a longer target. Capacity for the mean load clears it in
	// that time.
	unpromisedBudget = 600.0
)

// line is the queue of one priority, served first come first served. All work in
// it is planned with its tightest budget, because a photo behind a video waits
// until the video starts, whatever either was promised.
//
// A job keeps its slot until it is done. So only its first budget seconds of work
// compete with other jobs for a start in time: the head. The rest, the tail, holds
// the slot afterwards. A video of an hour that may wait 30 s thus asks for one
// slot, not for 120 slots that would finish it within its budget.
type line struct {
	priority int

	// How long jobs may wait.

	budget           float64 // seconds a job may wait for its start
	promised         bool    // a class was promised the budget; otherwise it is only hoped for
	unpromisedTarget float64 // longest target of a class without a promise, in seconds
	allowedLate      float64 // smallest share of late jobs that a class in the line allows
	// urgent: a launch would come too late for the budget of this line or of one
	// behind it. Arrivals are forecast, and a reserve stands ready for them.
	urgent bool
	// patient: the line's own budget leaves time for a launch. What waits in it is
	// planned to its deadline, even where the line is urgent because of one behind it.
	patient bool

	// How the line is steered; see steer.go, hours.go, spare.go and chance.go.

	z            float64 // multiplier of the reserve
	outOfReach   bool    // a class in the line is so late that its promise is given up
	recovery     float64 // seconds that late work may stay late once a launch could help
	spare        float64 // part of the waiting work that may be late, from 0 to 1; only in lines that are not urgent
	spareSet     bool    // a class has set spare
	logTolerance float64 // ln of the factor by which the odds of finding no free slot may exceed the late share aimed at

	// What arrived since the last observation, and what waits. Work is in
	// slot-seconds. A tail hold is tail work times the seconds it holds its slot, in
	// slot-seconds², so that hold ÷ tail is the mean hold, weighted by work.

	arrivedHead, arrivedTail float64
	arrivedTailHold          float64
	arrivedJobs              float64
	waitingHead, waitingTail float64
	waitingTailHold          float64
	waitingJobs              int64
	oldest                   float64           // longest wait, in seconds
	dueWork                  [maxSteps]float64 // waiting head work whose deadline falls into each step of the grid
}

// readLines fills p.lines from the queue. Budgets come first, because they decide
// how the work of each kind divides into head and tail.
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
	launchHelps := p.lag + p.tick + p.set.recovery // what is decided next tick helps by then
	for i := range p.lines {
		ln := &p.lines[i]
		if ln.budget < 0 {
			ln.budget = max(ln.unpromisedTarget, unpromisedBudget)
		}
		ln.urgent = ln.promised && ln.budget < launchHelps
		ln.patient = !ln.urgent
	}
	p.spreadUrgency()
	for i := range o.Queue.Kinds {
		p.addWork(&o.Queue.Kinds[i])
	}
}

// spreadUrgency makes every promised line urgent that is served before an urgent
// one, whatever its own budget. What arrives there is served first; if it were not
// forecast, the urgent line behind it would be late. Lines without a promise are
// not forecast even there. Promised lines behind all urgent ones wait for their
// deadlines; they are planned with the share theta of their budgets.
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

// ensureLine makes sure that a priority has a line. p.lines and their memory,
// p.st.Lines, are kept in step, in order of priority.
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
		return // it shares the line that lineIndex finds
	}
	p.lines = append(p.lines, line{})
	copy(p.lines[at+1:], p.lines[at:])
	p.lines[at] = line{priority: priority, budget: -1, allowedLate: 1}
	p.st.Lines = append(p.st.Lines, level{})
	copy(p.st.Lines[at+1:], p.st.Lines[at:])
	p.st.Lines[at] = level{Priority: priority}
}

// lineOf returns the line that serves a priority.
func (p *Policy) lineOf(priority int) *line { return &p.lines[p.lineIndex(priority)] }

// lineIndex returns the index in p.lines of the line that serves a priority: its
// own, or where there are too many priorities the last one before it.
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

// promise returns the class that a kind belongs to if that class was promised
// something, or nil.
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
// A target on the sojourn, from arrival to end, leaves for waiting what remains
// after the service of nearly all jobs of the kind (p95), but at least a tenth of
// the target: a job longer than its target is no reason for infinite capacity.
func (p *Policy) budgetOf(k *policy.KindView, c *policy.Class) float64 {
	budget := c.Target.Seconds()
	if c.On == policy.Sojourn {
		budget = max(budget-float64(k.Service.P95)/p.market.unitSpeed, float64(0.1*budget))
	}
	return max(budget, budgetLeast)
}

// addBudget tightens the budget of a kind's line. A kind that has not been seen
// for an hour does not count.
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
