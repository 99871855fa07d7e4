package skynet

import "math"

// forecast is the load of the urgent lines by step of the grid, as a multiple
// of their level.
type forecast struct {
	levelFactor [maxSteps]float64 // expected
	// more is what is planned for over what is expected, by line: the reserve is
	// for the load of the line and of those before it.
	reserveFactor [linesMax][maxSteps]float64
	// mean and high load of all when a launch now could help, in slots, and how
	// much higher the profile has the mean than the level.
	mean, high, ratio float64
	reserves          [linesMax]reserve
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
type reserve struct {
	// of the quantile form: z times the excess, and the mean it was learned for
	excess, learnedAt float64
	rootGain          float64 // of the root forms: z √spread √(m + least)
	floorMean         float64
}

// What the reserve has at the least: parts of φ, in slots, and their bounds.
const (
	excessPerPhi     = 1.0 / 16
	excessPerPhiMost = 0.5
	floorPerPhi      = 1.0 / 20
	floorPerPhiMost  = 0.2
)

func (f reserve) plannedLoad(mean float64) float64 {
	high := mean
	if f.rootGain != 0 {
		high += float64(f.rootGain * math.Sqrt(mean+min(f.floorMean, mean)))
	}
	if f.excess != 0 {
		times := mean / f.learnedAt
		high += float64(f.excess * min(times, math.Sqrt(times)))
	}
	return max(high, float64(0.3*mean))
}

const reserveSamplesLeast = 60 // samples

// reserve returns how to inflate a mean load of an urgent line and those before
// it, given the mean in the window a launch now would serve.
func (p *Policy) reserveOf(line int, meanAhead float64) reserve {
	s := &p.st.Lines[line].Spread
	z := p.lines[line].z
	switch {
	case !p.set.promises:
		return reserve{}
	case s.Samples < reserveSamplesLeast:
		return reserve{rootGain: float64(z * math.Sqrt2)}
	case p.set.phi:
		return reserve{
			rootGain:  float64(z * math.Sqrt(s.Phi.Value)),
			floorMean: min(float64(floorPerPhi*s.Phi.Value), floorPerPhiMost),
		}
	case meanAhead <= 0:
		return reserve{}
	}
	excess := max(s.Quantile.predict(s.Samples-1)-meanAhead, float64(0.05*meanAhead))
	excess += min(float64(excessPerPhi*s.Phi.Value), excessPerPhiMost)
	return reserve{excess: float64(z * excess), learnedAt: meanAhead}
}

// lookAhead fills p.ahead: the load to plan for, in each step that is looked at.
func (p *Policy) makeForecast() {
	a := &p.forecast
	all := p.urgentLevel()
	// while a burst is chased, what it is above the level; the profile knows
	// nothing of it
	burst := 0.0
	if at := p.lastUrgentLine(); p.hourInDanger && all > 0 && at >= 0 {
		burst = max(0, p.st.Lines[at].Spread.Quantile.Mean2/all-1)
	}
	a.ratio = p.profileRatio(p.lag+p.tick) + burst
	a.mean = float64(all * a.ratio)
	a.high = a.mean
	minute, usual := -1.0, 0.0
	for i := range p.plan.steps {
		// the profile moves slowly: once a minute is often enough
		if at := grid.minute[i]; at != minute {
			minute = at
			usual = p.profileRatio(float64(60*at)+30) + burst
		}
		a.levelFactor[i] = usual
	}
	level := 0.0
	for j := range p.lines {
		if !p.lines[j].urgent {
			continue
		}
		level += p.st.Lines[j].Head
		mean := float64(level * a.ratio)
		a.reserves[j] = p.reserveOf(j, mean)
		a.high = max(a.high, a.reserves[j].plannedLoad(mean))
		p.fillReserveFactor(j, level)
	}
}

// inflateLine fills in how much more is planned for than expected of an urgent
// line and those before it, given their level.
func (p *Policy) fillReserveFactor(line int, level float64) {
	a := &p.forecast
	before, more := -1.0, 1.0
	for i, usual := range a.levelFactor[:p.plan.urgentSteps] {
		if usual != before {
			before, more = usual, 1
			if mean := float64(level * usual); mean > 0 {
				// finite, so that no work is none however much more is planned for
				more = min(a.reserves[line].plannedLoad(mean)/mean, math.MaxFloat64)
			}
		}
		a.reserveFactor[line][i] = more
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
