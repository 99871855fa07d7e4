package skynet

import "math"

// forecast is the load of the urgent lines by step of the grid, as a multiple
// of their level.
type forecast struct {
	usual [maxSteps]float64 // expected
	// more is what is planned for over what is expected, by line: the reserve is
	// for the load of the line and of those before it.
	more [linesMax][maxSteps]float64
	// mean and high load of all when a launch now could help, in slots, and how
	// much higher the profile has the mean than the level.
	mean, high, ratio float64
	inflate           [linesMax]inflate
}

// inflate returns the load to plan for where mean slots are expected:
//
//	quantile: max(0.3 m, m + z · (max(Q − m_L, 0.05 m_L) + min(φ/16, ½)) · min(m/m_L, √(m/m_L)))
//	phi:      max(0.3 m, m + z √(φ (m + min(φ/20, 0.2, m))))
//
// and in the first hour, before either has learned, m + z √(2 m). φ is about the
// slots that jobs ask for which come together. Where few are expected, the first of
// them meet a fleet as small as that, and a reserve in proportion to the load, or
// to its root, is none: what is added there is a part of φ, and bounded because it
// does not help who asks for a thousand slots at once; that under the root also by
// the mean, or a job every ten minutes would keep a second instance.
type inflate struct {
	// of the quantile form: z times the excess, and the mean it was learned for
	excess, base float64
	spread       float64 // of the root forms: z √spread √(m + least)
	least        float64
}

// What the reserve has at the least: parts of φ, in slots, and their bounds.
const (
	leastExcess     = 1.0 / 16
	leastExcessMost = 0.5
	leastMean       = 1.0 / 20
	leastMeanMost   = 0.2
)

func (f inflate) of(mean float64) float64 {
	high := mean
	if f.spread != 0 {
		high += float64(f.spread * math.Sqrt(mean+min(f.least, mean)))
	}
	if f.excess != 0 {
		times := mean / f.base
		high += float64(f.excess * min(times, math.Sqrt(times)))
	}
	return max(high, float64(0.3*mean))
}

const learnedAfter = 60 // samples

// reserve returns how to inflate a mean load of an urgent line and those before
// it, given the mean in the window a launch now would serve.
func (p *Policy) reserve(line int, meanAhead float64) inflate {
	s := &p.st.Lines[line].Spread
	z := p.lines[line].z
	switch {
	case !p.set.promises:
		return inflate{}
	case s.Samples < learnedAfter:
		return inflate{spread: float64(z * math.Sqrt2)}
	case p.set.phi:
		return inflate{
			spread: float64(z * math.Sqrt(s.Phi.Value)),
			least:  min(float64(leastMean*s.Phi.Value), leastMeanMost),
		}
	case meanAhead <= 0:
		return inflate{}
	}
	excess := max(s.Quantile.predict(s.Samples-1)-meanAhead, float64(0.05*meanAhead))
	excess += min(float64(leastExcess*s.Phi.Value), leastExcessMost)
	return inflate{excess: float64(z * excess), base: meanAhead}
}

// lookAhead fills p.ahead: the load to plan for, in each step that is looked at.
func (p *Policy) lookAhead() {
	a := &p.ahead
	all := p.urgentLevel()
	// while a burst is chased, what it is above the level; the profile knows
	// nothing of it
	burst := 0.0
	if at := p.lastUrgent(); p.chase && all > 0 && at >= 0 {
		burst = max(0, p.st.Lines[at].Spread.Quantile.Mean2/all-1)
	}
	a.ratio = p.ratio(p.lag+p.tick) + burst
	a.mean = float64(all * a.ratio)
	a.high = a.mean
	minute, usual := -1.0, 0.0
	for i := range p.plan.steps {
		// the profile moves slowly: once a minute is often enough
		if at := grid.minute[i]; at != minute {
			minute = at
			usual = p.ratio(float64(60*at)+30) + burst
		}
		a.usual[i] = usual
	}
	level := 0.0
	for j := range p.lines {
		if !p.lines[j].urgent {
			continue
		}
		level += p.st.Lines[j].Head
		mean := float64(level * a.ratio)
		a.inflate[j] = p.reserve(j, mean)
		a.high = max(a.high, a.inflate[j].of(mean))
		p.inflateLine(j, level)
	}
}

// inflateLine fills in how much more is planned for than expected of an urgent
// line and those before it, given their level.
func (p *Policy) inflateLine(line int, level float64) {
	a := &p.ahead
	before, more := -1.0, 1.0
	for i, usual := range a.usual[:p.plan.urgent] {
		if usual != before {
			before, more = usual, 1
			if mean := float64(level * usual); mean > 0 {
				// finite, so that no work is none however much more is planned for
				more = min(a.inflate[line].of(mean)/mean, math.MaxFloat64)
			}
		}
		a.more[line][i] = more
	}
}

// urgentLevel returns the level of the urgent lines' head work, in slots.
func (p *Policy) urgentLevel() float64 {
	sum := 0.0
	for i := range p.lines {
		if p.lines[i].urgent {
			sum += p.st.Lines[i].Head
		}
	}
	return sum
}

// otherLevel returns the level of all work the reserve does not concern: tails,
// and lines that wait for their deadlines.
func (p *Policy) otherLevel() float64 {
	sum := 0.0
	for i := range p.lines {
		sum += p.st.Lines[i].Tail
		if !p.lines[i].urgent {
			sum += p.st.Lines[i].Head
		}
	}
	return sum
}
