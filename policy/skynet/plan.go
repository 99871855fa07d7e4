package skynet

import "math"

// The plan's grid: 36 steps of 10 s, 36 of a minute, 48 of five minutes. The
// last part is used only where a line may wait that long.
const (
	fineSteps   = 36
	minuteSteps = 36
	coarseSteps = 48
	maxSteps    = fineSteps + minuteSteps + coarseSteps

	fineEnd   = fineSteps * 10.0
	minuteEnd = fineEnd + minuteSteps*60
	gridEnd   = minuteEnd + coarseSteps*300
)

// grid holds the end of every step and its width, in seconds from now, and the
// minute its middle lies in.
var grid = func() (g struct{ end, width, minute [maxSteps]float64 }) {
	t := 0.0
	for i := range g.end {
		switch {
		case i < fineSteps:
			g.width[i] = 10
		case i < fineSteps+minuteSteps:
			g.width[i] = 60
		default:
			g.width[i] = 300
		}
		t += g.width[i]
		g.end[i] = t
		g.minute[i] = math.Floor((t - float64(g.width[i]/2)) / 60)
	}
	return g
}()

// stepOf returns the step that holds the instant u seconds from now: the one
// with start < u <= end; the first for u <= 0, the last beyond the grid.
func stepOf(u float64) int {
	var i int
	switch {
	case u <= 0:
		return 0
	case u <= fineEnd:
		i = int(math.Ceil(u/10)) - 1
	case u <= minuteEnd:
		i = fineSteps + int(math.Ceil((u-fineEnd)/60)) - 1
	case u <= gridEnd:
		i = fineSteps + minuteSteps + int(math.Ceil((u-minuteEnd)/300)) - 1
	default:
		return maxSteps - 1
	}
	return i
}

// plan is a fluid schedule of the next minutes: what waits and what is expected
// to arrive, served in strict priority by capacity that changes from step to
// step. All in slots and slot-seconds.
type plan struct {
	steps       int // of the grid that are looked at
	urgentSteps int // of them, that urgent lines are checked in
	lines       [linesMax]planLine
	lineCount   int
	// held is what running jobs still hold of the ready capacity; ready, coming
	// and leaving capacity make up there.
	running    [maxSteps]float64
	fleetSlots [maxSteps]float64

	passes     [linesMax + 1]pass     // laid out anew for each question
	passCount  int                    // how many of them
	failedLast int                    // the one that failed last
	scratch    [linesMax]lineProgress // the lines of the pass that is taken
}

// planLine is a line in the plan.
type planLine struct {
	urgent  bool
	patient bool
	waiting float64
	// Head work that is expected to arrive in each step, and how much more of it
	// and of the lines before is planned for.
	expected, reserveFactor [maxSteps]float64
	// notDue is the head work that is not yet due at the end of each step, and spare
	// what may be late: as long as no more than both waits, the promise is kept.
	notDue [maxSteps]float64
	spare  float64
	// tail work that follows each slot-second of head work served, and the part
	// of it that a second frees.
	tailPerHead, tailEndRate float64
}

// checks say where the plan must hold: each urgent line in steps of its own, the
// others from step patientFrom to the plan's end. A line may lag by slack
// slot-seconds.
type checks struct {
	urgent      [linesMax]span
	patientFrom int
	tolerance   float64
}

// span is steps of the grid, from one to another, both included.
type span struct{ from, to int }

// alike returns the same steps for every line.
func sameSpan(from, to int) (s [linesMax]span) {
	for j := range s {
		s[j] = span{from, to}
	}
	return s
}

// capacity is what serves in the plan: at all times (always), that of there,
// and more from a time on (extra from step from, of which it is there for the
// part first).
type capacity struct {
	useFleet  bool
	constant  float64
	extra     float64
	extraFrom int
	extraPart float64
}

// buildPlan lays out the plan from the lines, the forecast and the fleet.
func (p *Policy) buildPlan() {
	p.plan.lineCount = len(p.lines)
	for j := range p.lines {
		p.planLine(j)
	}
}

// reach sets how many steps of the grid the plan looks at, and how many of them
// urgent lines are checked in: all, where nothing waits in a line that can wait.
func (p *Policy) setPlanLength() {
	pl := &p.plan
	last := p.releaseHorizon()
	steps := fineSteps + minuteSteps
	patient := false
	for j := range p.lines {
		ln := &p.lines[j]
		if ln.urgent {
			last = max(last, p.lag+ln.recovery+p.tick)
		}
		if !ln.patient || ln.waitingHead <= 0 {
			continue
		}
		patient = true
		if ln.budget > minuteEnd {
			steps = max(steps, min(stepOf(ln.budget)+1, maxSteps))
		}
	}
	pl.urgentSteps = min(stepOf(last)+1, steps)
	pl.steps = pl.urgentSteps
	if patient {
		pl.steps = steps
	}
}

// planLine lays out one line: its arrivals if it is urgent, and the work not
// yet due at the end of each step: arrived or waiting, less
//
//	due(u) = waiting work with its deadline by u + arrivals up to u − budget.
func (p *Policy) planLine(j int) {
	pl, ln, l := &p.plan.lines[j], &p.lines[j], &p.st.Lines[j]
	pl.urgent, pl.patient = ln.urgent, ln.patient
	pl.waiting = ln.waitingHead
	notDue := ln.waitingHead
	pl.spare = float64(ln.spare * ln.waitingHead)
	rate := 0.0
	if ln.urgent && !p.quiet {
		rate = l.Head
	}
	for i := range p.plan.steps {
		notDue -= ln.dueWork[i]
		width := grid.width[i]
		usual, more := p.forecast.levelFactor[i], 1.0
		if ln.urgent && i < p.plan.urgentSteps {
			more = p.forecast.reserveFactor[j][i]
		}
		pl.expected[i], pl.reserveFactor[i] = float64(rate*usual*width), more
		pl.notDue[i] = max(notDue, 0)
		if rate > 0 {
			// arrivals of the last budget seconds are not due: at this step's
			// rate, or all so far where the budget is longer
			pl.notDue[i] += float64(rate * usual * more * min(ln.budget, grid.end[i]))
		}
	}
	pl.tailPerHead, pl.tailEndRate = 0, 0
	head, tail, hold := ln.waitingHead, ln.waitingTail, ln.waitingTailHold
	if rate > 0 {
		// what the reserve adds to the heads brings no more tails
		head += float64(rate * max(pl.reserveFactor[0], 1) * tailMixSeconds)
		tail += float64(l.Tail * tailMixSeconds)
		hold += float64(l.TailHold * tailMixSeconds)
	}
	if head > 0 && tail > 0 && hold > 0 {
		pl.tailPerHead = tail / head
		pl.tailEndRate = tail / hold
	}
}

// tailSpan is for how many seconds expected arrivals count, beside the waiting
// jobs, in the share of tail work a line's jobs bring.
const tailMixSeconds = 300
