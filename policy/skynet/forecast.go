package skynet

import "math"

// forecast is the load of the urgent lines by step of the plan's grid.
type forecast struct {
	// levelFactor is how many times the level is expected in each step: the
	// profile's ratio, and while a burst is chased what the burst adds.
	levelFactor [maxSteps]float64
	// reserveFactor is, by line, how many times the expected load is planned for in
	// each step. A line's reserve is for the load of itself and of the urgent lines
	// before it.
	reserveFactor [linesMax][maxSteps]float64
	reserves      [linesMax]reserve

	// The load of all urgent lines when a launch now could help, in slots: what is
	// expected, and what is planned for. ratio is the expected load over the level.
	mean, high, ratio float64
}

// reserve tells what load to plan for where a load of m slots is expected. There
// are two forms, and before either has learned a third:
//
//	quantile: m + z·(max(Q − m_L, 0.05·m_L) + min(φ/16, ½)) · min(m/m_L, √(m/m_L))
//	phi:      m + z·√(φ·(m + min(φ/20, 0.2, m)))
//	at first: m + z·√(2·m)
//
// all at least 0.3·m. Here z is the multiplier of the line, Q the learned quantile
// of the highest load when a launch now could help and m_L the mean then, and φ the
// index of dispersion. The second is square-root staffing for a load whose variance
// is φ times its mean; see docs/policy.md for what else was tried.
//
// The terms with φ/16 and φ/20 matter where little is expected. φ is about as many
// slots as the jobs that come together ask for, and the first of these meet a fleet
// that is as small as the load: there a reserve in proportion to the load, or to its
// root, is none. Both terms are bounded, because a slot more does not help jobs that
// ask for a thousand at once. The second is bounded by m too, or a job every ten
// minutes would keep a second instance.
//
// The zero reserve plans for what is expected.
type reserve struct {
	// Of the quantile form: z times the excess, in slots, and the mean m_L it was
	// learned at.
	excess, learnedAt float64
	// Of the root forms: z·√φ, and what is added to m below the root, in slots.
	rootGain, floorMean float64
}

const (
	// Terms of the reserve in parts of φ, and their bounds in slots; see reserve.
	excessPerPhi     = 1.0 / 16
	excessPerPhiMost = 0.5
	floorPerPhi      = 1.0 / 20
	floorPerPhiMost  = 0.2
	// excessLeast is the least excess of the quantile over the mean, in parts of the
	// mean: a learned quantile may be below it for a while.
	excessLeast = 0.05
	// plannedLeast is the least load that is planned for, in parts of the mean,
	// however negative z is.
	plannedLeast = 0.3
	// reserveSamplesLeast is after how many samples a learned form is believed: an
	// hour of them, at a tick of a minute.
	reserveSamplesLeast = 60
)

// plannedLoad returns the load to plan for where mean slots are expected.
func (r reserve) plannedLoad(mean float64) float64 {
	high := mean
	if r.rootGain != 0 {
		high += float64(r.rootGain * math.Sqrt(mean+min(r.floorMean, mean)))
	}
	if r.excess != 0 {
		times := mean / r.learnedAt
		high += float64(r.excess * min(times, math.Sqrt(times)))
	}
	return max(high, float64(plannedLeast*mean))
}

// reserveOf returns the reserve of an urgent line, given the mean load of it and
// those before it when a launch now could help, in slots.
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
	excess := max(s.Quantile.predict(s.Samples-1)-meanAhead, float64(excessLeast*meanAhead))
	excess += min(float64(excessPerPhi*s.Phi.Value), excessPerPhiMost)
	return reserve{excess: float64(z * excess), learnedAt: meanAhead}
}

// makeForecast fills p.forecast.
func (p *Policy) makeForecast() {
	f := &p.forecast
	all := p.urgentLevel()
	burst := p.burst(all)
	f.ratio = p.profileRatio(p.lag+p.tick) + burst
	f.mean = float64(all * f.ratio)
	f.high = f.mean
	minute, factor := -1.0, 0.0
	for i := range p.plan.steps {
		// the profile moves slowly: once a minute is often enough
		if at := grid.minute[i]; at != minute {
			minute = at
			factor = p.profileRatio(float64(60*at)+30) + burst
		}
		f.levelFactor[i] = factor
	}
	level := 0.0
	for j := range p.lines {
		if !p.lines[j].urgent {
			continue
		}
		level += p.st.Lines[j].Head
		mean := float64(level * f.ratio)
		f.reserves[j] = p.reserveOf(j, mean)
		f.high = max(f.high, f.reserves[j].plannedLoad(mean))
		p.fillReserveFactor(j, level)
	}
}

// burst returns by how many times the level, which is given in slots, the load of
// the last two minutes exceeds it. It is 0 unless a burst is chased. The profile
// knows nothing of a burst, so this is added to its ratio.
func (p *Policy) burst(level float64) float64 {
	at := p.lastUrgentLine()
	if !p.hourInDanger || level <= 0 || at < 0 {
		return 0
	}
	return max(0, p.st.Lines[at].Spread.Quantile.Mean2/level-1)
}

// fillReserveFactor fills in how many times the expected load is planned for, of an
// urgent line and those before it, given their level in slots.
func (p *Policy) fillReserveFactor(line int, level float64) {
	f := &p.forecast
	last, times := -1.0, 1.0
	for i, factor := range f.levelFactor[:p.plan.urgentSteps] {
		if factor != last {
			last, times = factor, 1
			if mean := float64(level * factor); mean > 0 {
				// finite, so that no expected work times it is no work
				times = min(f.reserves[line].plannedLoad(mean)/mean, math.MaxFloat64)
			}
		}
		f.reserveFactor[line][i] = times
	}
}

// urgentLevel returns the level of the heads of all urgent lines, in slots.
func (p *Policy) urgentLevel() float64 {
	sum := 0.0
	for i := range p.lines {
		if p.lines[i].urgent {
			sum += p.st.Lines[i].Head
		}
	}
	return sum
}

// otherLevel returns the level of all work that no reserve is for, in slots: tails,
// and lines that are not urgent.
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
