package skynet

// pass is one way through the plan: the first n lines are served, and some of
// them checked in the steps from to last.
//
// An urgent line is checked against the arrivals planned for, of itself and of
// the lines it has to wait for, reserve included, in a pass of its own. Those whose
// budget leaves time for a launch wait long enough for the load to come to its mean,
// so they may use what the reserves leave idle on average: they are checked against
// the arrivals expected, all in one, those before an urgent line too.
type pass struct {
	lineCount     int
	reserveFactor *[maxSteps]float64 // how much more arrives than expected
	patient       bool               // all lines that can wait are checked, otherwise the last
	from, last    int
	// Where all that is asked about begins: what waits and runs then, and whether
	// a line lagged before.
	lines        [linesMax]lineProgress
	failedBefore bool
}

// served is what a pass knows of a line.
type lineProgress struct {
	waiting     float64 // head work, in slot-seconds
	runningTail float64 // tail work of the jobs started in the plan, in slot-seconds
	tailPerHead float64 // see planLine
	tailEndPart float64 // the part of holding that is done within the step
}

// asExpected is how much more arrives in a plan without a reserve.
var noReserve = func() (more [maxSteps]float64) {
	for i := range more {
		more[i] = 1
	}
	return more
}()

// holds reports whether the plan keeps every promise that k checks, with
// capacity c.
func (p *plan) holds(c capacity, k checks) bool {
	p.layOutPasses(c, k, 0)
	return p.passesHold(c, k.tolerance, 0)
}

// shortfall returns the least capacity, in slots, that makes the plan hold if
// it is there in lag seconds: doubled, then bisected to a quarter of a slot,
// or to a 128th. What made the plan fail to begin with was asked about before, so
// that binding knows it where the first capacity tried is enough.
func (p *plan) shortfall(c capacity, lag float64, k checks) float64 {
	c.extraFrom = stepOf(lag)
	c.extraPart = min(max((grid.end[c.extraFrom]-lag)/grid.width[c.extraFrom], 0), 1)
	failed := p.failedLast
	p.layOutPasses(c, k, c.extraFrom) // until then all goes the same way
	p.failedLast = max(min(failed, p.passCount-1), 0)
	low, high := 0.0, 1.0
	for {
		c.extra = high
		if p.passesHold(c, k.tolerance, c.extraFrom) || high >= 1<<24 {
			break
		}
		low, high = high, 2*high
	}
	for high-low > max(0.25, high/128) {
		c.extra = 0.5 * (low + high)
		if p.passesHold(c, k.tolerance, c.extraFrom) {
			high = c.extra
		} else {
			low = c.extra
		}
	}
	return high
}

// binding returns the urgent line whose pass failed last, of those a shortfall was
// sought for, or of the question whether there is one; -1 where it was that of the
// lines that can wait.
func (p *plan) shortLine() int {
	if r := &p.passes[p.failedLast]; !r.patient {
		return r.lineCount - 1
	}
	return -1
}

// ask lays out the passes that k checks and takes them up to a step.
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

// pass lays out one more pass.
func (p *plan) addPass(n int, more *[maxSteps]float64, from, last int) {
	r := &p.passes[p.passCount]
	p.passCount++
	r.lineCount, r.reserveFactor, r.from, r.last, r.patient = n, more, from, last, false
	for j := range n {
		r.lines[j] = lineProgress{waiting: p.lines[j].waiting, tailPerHead: p.lines[j].tailPerHead}
	}
}

// answer reports whether no pass fails that was taken up to a step. It begins
// with the one that failed last: it is the likeliest to fail again.
func (p *plan) passesHold(c capacity, slack float64, from int) bool {
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
		if r.failedBefore || !p.serve(&c, r, lines, slack, from, r.last) {
			p.failedLast = i
			return false
		}
	}
	return true
}

// serve takes a pass through the steps from begin to end, with capacity c, and
// reports whether none of the lines it checks lags by more than slack
// slot-seconds.
//
// In each step, running jobs keep their slots, then the tails of jobs started
// in the plan keep theirs, then each line is served in order of priority. A
// line fails where more waits than is not yet due.
//
// It is most of what a step of the policy costs. Hence ifs in place of min and
// max, which cost several times as much for the sake of -0 and NaN.
func (p *plan) serve(c *capacity, r *pass, lines []lineProgress, slack float64, begin, end int) bool {
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
				lines[j].tailEndPart = min(float64(plans[j].tailEndRate*width), 1)
			}
		}
		slots := c.constant - p.running[i]
		if c.useFleet {
			slots += p.fleetSlots[i]
		}
		if i > c.extraFrom {
			slots += c.extra
		} else if i == c.extraFrom {
			slots += float64(c.extraPart * c.extra)
		}
		room := 0.0
		if slots > 0 {
			room = slots * width
		}
		if tails {
			for j := range lines {
				ln := &lines[j]
				ended := float64(ln.runningTail * ln.tailEndPart)
				if ended > room {
					ended = room
				}
				ln.runningTail -= ended
				room -= ended
			}
		}
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
		if !r.patient {
			if wait > plans[len(plans)-1].notDue[i]+slack {
				return false
			}
			continue
		}
		for j := range lines {
			if plans[j].patient && lines[j].waiting > plans[j].notDue[i]+plans[j].spare+slack {
				return false
			}
		}
	}
	return true
}
