package skynet

import "math"

// The plan's grid: 36 steps of 10 s, 36 of a minute, 48 of five minutes. It is fine
// where boots end and budgets of seconds count, and coarse where only work that
// waits for hours is left. The last part is looked at only for such work.
const (
	fineSteps   = 36
	minuteSteps = 36
	coarseSteps = 48
	maxSteps    = fineSteps + minuteSteps + coarseSteps

	// Ends of the three parts, in seconds from now: 6 minutes, 42 minutes, 4.7 hours.
	fineEnd   = fineSteps * 10.0
	minuteEnd = fineEnd + minuteSteps*60
	gridEnd   = minuteEnd + coarseSteps*300
)

// grid holds the end of every step in seconds from now, its width in seconds, and the
// minute from now that its middle lies in.
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

// stepOf returns the step that holds the instant u seconds from now, start < u ≤ end:
// the first for the past, the last beyond the grid.
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

// plan is a fluid schedule of the time ahead. What waits now and what is expected to
// arrive is served in strict priority, by capacity that changes from step to step.
// Capacity is in slots, work in slot-seconds.
type plan struct {
	steps       int // of the grid, that are looked at
	urgentSteps int // of these, that urgent lines are checked in
	lines       [linesMax]planLine
	lineCount   int
	running     [maxSteps]float64 // slots that jobs running now still hold, by step
	fleetSlots  [maxSteps]float64 // slots of the fleet, booting ones from when they serve, by step

	passes     [linesMax + 1]pass // of the question asked; see pass
	passCount  int
	failedLast int                    // index of the pass that failed last
	scratch    [linesMax]lineProgress // of the pass that is being served
}

// planLine is a line in the plan.
type planLine struct {
	urgent  bool
	patient bool
	waiting float64 // head work that waits now
	// By step: head work that is expected to arrive, and how many times it is
	// planned for in the pass that checks this line.
	expected, reserveFactor [maxSteps]float64
	// notDue is head work whose deadline is after the end of each step. The promise is
	// kept as long as no more than that waits, and spare, which may be late.
	notDue [maxSteps]float64
	spare  float64
	// tailPerHead is the tail work that follows each slot-second of head work served;
	// tailRate is the part of running tail work that is done per second, 1 ÷ the mean
	// hold: tail work times it is the number of slots that tails hold.
	tailPerHead, tailRate float64
}

// checks say where the plan must hold: each urgent line in a span of its own, and
// the patient lines from a step on to the plan's end. No line may have more than
// tolerance slot-seconds overdue.
type checks struct {
	urgent      [linesMax]span
	patientFrom int
	tolerance   float64
}

// span is a range of steps of the grid, both ends included.
type span struct{ from, to int }

// sameSpan returns the same span for every line.
func sameSpan(from, to int) (s [linesMax]span) {
	for j := range s {
		s[j] = span{from, to}
	}
	return s
}

// capacity is what serves in the plan: a constant number of slots, the fleet if
// useFleet is set, and extra slots from step extraFrom on. Of that step itself the
// extra slots are there for the part extraPart.
type capacity struct {
	useFleet  bool
	constant  float64
	extra     float64
	extraFrom int
	extraPart float64
}

// tailMixSeconds is for how many seconds expected arrivals count, beside the jobs
// that wait, in the share of tail work that a line's jobs bring.
const tailMixSeconds = 300

// buildPlan lays out the lines of the plan from what waits and what is forecast. The
// capacity is there already, from readFleet.
func (p *Policy) buildPlan() {
	p.plan.lineCount = len(p.lines)
	for j := range p.lines {
		p.planLine(j)
	}
}

// setPlanLength sets how many steps of the grid the plan looks at, and in how many of
// them urgent lines are checked. Where nothing waits in a patient line, these are all:
// the plan is what a step of the policy costs.
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

// planLine lays out one line. Its arrivals are expected only if it is urgent. Work
// that is not yet due at the end u of a step is all that has come by then, less
//
//	due(u) = waiting work with its deadline by u + arrivals up to u − budget
func (p *Policy) planLine(j int) {
	pl, ln, l := &p.plan.lines[j], &p.lines[j], &p.st.Lines[j]
	pl.urgent, pl.patient = ln.urgent, ln.patient
	pl.waiting = ln.waitingHead
	notDue := ln.waitingHead
	pl.spare = float64(ln.spare * ln.waitingHead)
	rate := 0.0 // of arriving head work, in slots
	if ln.urgent && !p.quiet {
		rate = l.Head
	}
	for i := range p.plan.steps {
		notDue -= ln.dueWork[i]
		width := grid.width[i]
		factor, times := p.forecast.levelFactor[i], 1.0
		if ln.urgent && i < p.plan.urgentSteps {
			times = p.forecast.reserveFactor[j][i]
		}
		pl.expected[i], pl.reserveFactor[i] = float64(rate*factor*width), times
		pl.notDue[i] = max(notDue, 0)
		if rate > 0 {
			// Arrivals of the last budget seconds are not due, or all of them where the
			// budget is longer. They are taken at this step's rate.
			pl.notDue[i] += float64(rate * factor * times * min(ln.budget, grid.end[i]))
		}
	}
	pl.mixTails(ln, l, rate)
}

// mixTails works out how much tail work follows a line's heads, from the jobs that wait
// in it and, where head work arrives at some rate, in slots, from those that are
// expected in tailMixSeconds.
func (pl *planLine) mixTails(ln *line, l *level, rate float64) {
	pl.tailPerHead, pl.tailRate = 0, 0
	head, tail, hold := ln.waitingHead, ln.waitingTail, ln.waitingTailHold
	if rate > 0 {
		// the heads with their reserve, but without more tails for it
		head += float64(rate * max(pl.reserveFactor[0], 1) * tailMixSeconds)
		tail += float64(l.Tail * tailMixSeconds)
		hold += float64(l.TailHold * tailMixSeconds)
	}
	if head > 0 && tail > 0 && hold > 0 {
		pl.tailPerHead = tail / head
		pl.tailRate = tail / hold
	}
}
