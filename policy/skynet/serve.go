package skynet

// pass is one run of the plan. The first lineCount lines are served, and the pass
// checks one or several of them in the steps from to last.
//
// Each urgent line is checked in a pass of its own. In it the arrivals of the line
// and of all before it come with the line's reserve, for the reserve was learned for
// the sum of them.
//
// All patient lines are checked in one pass, with the arrivals that are expected.
// What waits there waits long enough for the load to come to its mean, so it may use
// what the reserves of other lines leave idle on average.
type pass struct {
	lineCount     int
	reserveFactor *[maxSteps]float64 // how many times the expected work arrives, by step
	patient       bool               // all patient lines are checked; otherwise the last line is
	from, last    int
	// How the pass stands at the first step in which the capacities asked about
	// differ: each line, and whether a check failed before.
	lines        [linesMax]lineProgress
	failedBefore bool
}

// lineProgress is how far a line has come in a pass. Work is in slot-seconds.
type lineProgress struct {
	waiting     float64 // head work that waits
	runningTail float64 // tail work of jobs started in the plan
	tailPerHead float64 // as in planLine
	tailPart    float64 // part of runningTail that is done in a step of the present width
}

// noReserve is the reserve factor of a pass in which what is expected arrives.
var noReserve = func() (more [maxSteps]float64) {
	for i := range more {
		more[i] = 1
	}
	return more
}()

// holds reports whether the plan keeps, with capacity c, every promise that k checks.
func (p *plan) holds(c capacity, k checks) bool {
	p.layOutPasses(c, k, 0)
	return p.passesHold(c, k.tolerance, 0)
}

// How exactly a shortfall is found, in slots: to shortfallStep, or to the part
// 1/shortfallParts of it where that is more. Nothing above shortfallMost is tried.
const (
	shortfallStep  = 0.25
	shortfallParts = 128
	shortfallMost  = 1 << 24
)

// shortfall returns the least capacity, in slots, that makes the plan hold if it
// serves from lag seconds on, beside c. It is found by doubling, then bisection.
//
// It is asked only after holds, with the same checks, has said no. The pass that
// failed there is kept as the one that failed last, for shortLine.
func (p *plan) shortfall(c capacity, lag float64, k checks) float64 {
	c.extraFrom = stepOf(lag)
	c.extraPart = min(max((grid.end[c.extraFrom]-lag)/grid.width[c.extraFrom], 0), 1)
	failedLast := p.failedLast
	p.layOutPasses(c, k, c.extraFrom) // until then the extra capacity makes no difference
	p.failedLast = max(min(failedLast, p.passCount-1), 0)
	low, high := 0.0, 1.0
	for {
		c.extra = high
		if p.passesHold(c, k.tolerance, c.extraFrom) || high >= shortfallMost {
			break
		}
		low, high = high, 2*high
	}
	for high-low > max(shortfallStep, high/shortfallParts) {
		c.extra = 0.5 * (low + high)
		if p.passesHold(c, k.tolerance, c.extraFrom) {
			high = c.extra
		} else {
			low = c.extra
		}
	}
	return high
}

// shortLine returns the index of the urgent line for whose sake the plan failed last;
// -1 where it failed for the patient lines.
func (p *plan) shortLine() int {
	if r := &p.passes[p.failedLast]; !r.patient {
		return r.lineCount - 1
	}
	return -1
}

// layOutPasses lays out the passes that k checks and serves each up to a step, which it
// leaves out.
func (p *plan) layOutPasses(c capacity, k checks, upTo int) {
	p.passCount, p.failedLast = 0, 0
	patient := false
	for j := range p.lineCount {
		ln := &p.lines[j]
		if ln.urgent {
			p.addPass(j+1, &ln.reserveFactor, k.urgent[j].from, min(k.urgent[j].to, p.steps-1))
		}
		patient = patient || ln.patient && ln.waiting > 0
	}
	if patient {
		p.addPass(p.lineCount, &noReserve, k.patientFrom, p.steps-1)
		p.passes[p.passCount-1].patient = true
	}
	for i := range p.passCount {
		r := &p.passes[i]
		r.failedBefore = upTo > 0 && !p.serve(&c, r, r.lines[:r.lineCount], k.tolerance, 0, min(upTo-1, r.last))
	}
}

// addPass lays out one more pass, over the first n lines.
func (p *plan) addPass(n int, reserveFactor *[maxSteps]float64, from, last int) {
	r := &p.passes[p.passCount]
	p.passCount++
	r.lineCount, r.reserveFactor, r.from, r.last, r.patient = n, reserveFactor, from, last, false
	for j := range n {
		r.lines[j] = lineProgress{waiting: p.lines[j].waiting, tailPerHead: p.lines[j].tailPerHead}
	}
}

// passesHold reports whether every pass holds, each served on from the step that it was
// laid out to. It begins with the pass that failed last, which is the likeliest to
// fail again: one that fails is enough.
func (p *plan) passesHold(c capacity, tolerance float64, from int) bool {
	for i := range p.passCount {
		switch i {
		case 0:
			i = p.failedLast
		case p.failedLast:
			i = 0
		}
		r := &p.passes[i]
		lines := p.scratch[:r.lineCount]
		copy(lines, r.lines[:])
		if r.failedBefore || !p.serve(&c, r, lines, tolerance, from, r.last) {
			p.failedLast = i
			return false
		}
	}
	return true
}

// serve takes a pass through the steps from begin to end, with capacity c, and
// reports whether no line that it checks has more than tolerance slot-seconds
// overdue. It moves lines on.
//
// In each step, jobs that run now keep their slots first, then the tails of jobs
// started in the plan keep theirs, and then each line is served in order of
// priority. Work is overdue that waits although it is due.
//
// This is most of what a step of the policy costs. Hence ifs in place of min and
// max, which cost several times as much for the sake of -0 and NaN.
func (p *plan) serve(c *capacity, r *pass, lines []lineProgress, tolerance float64, begin, end int) bool {
	plans := p.lines[:len(lines)]
	tails := false
	for j := range lines {
		tails = tails || lines[j].tailPerHead > 0
	}
	width := 0.0
	for i := begin; i <= end; i++ {
		if grid.width[i] != width {
			width = grid.width[i]
			for j := range lines {
				lines[j].tailPart = min(float64(plans[j].tailRate*width), 1)
			}
		}

		// what jobs that run now leave of the capacity
		slots := c.constant - p.running[i]
		if c.useFleet {
			slots += p.fleetSlots[i]
		}
		if i > c.extraFrom {
			slots += c.extra
		} else if i == c.extraFrom {
			slots += float64(c.extraPart * c.extra)
		}
		room := 0.0 // slot-seconds left in the step
		if slots > 0 {
			room = slots * width
		}

		// tails of jobs that the plan has started hold their slots
		if tails {
			for j := range lines {
				ln := &lines[j]
				done := float64(ln.runningTail * ln.tailPart)
				if done > room {
					done = room
				}
				ln.runningTail -= done
				room -= done
			}
		}

		// heads, in order of priority
		times := r.reserveFactor[i]
		wait := 0.0
		for j := range lines {
			ln := &lines[j]
			wait = ln.waiting + float64(plans[j].expected[i]*times)
			served := wait
			if served > room {
				served = room
			}
			room -= served
			wait -= served
			ln.waiting = wait
			ln.runningTail += float64(ln.tailPerHead * served)
		}

		if i < r.from {
			continue
		}
		if !r.patient { // only the last line is checked
			if wait > plans[len(plans)-1].notDue[i]+tolerance {
				return false
			}
			continue
		}
		for j := range lines {
			if plans[j].patient && lines[j].waiting > plans[j].notDue[i]+plans[j].spare+tolerance {
				return false
			}
		}
	}
	return true
}
