package skynet

import (
	"math"
	"time"
)

// forecast is the load of the urgent lines by step of the grid, as a multiple
// of their level: what is planned for (load), and what is expected (usual).
type forecast struct {
	load, usual [maxSteps]float64
	// mean and high load when a launch now could help, in slots, and how much
	// higher the profile has the mean than the level.
	mean, high, ratio float64
	inflate           inflate
}

// inflate returns the load to plan for where mean slots are expected:
//
//	quantile: max(0.3 m, m · (1 + z · max(Q − m_L, 0.05 m_L)/m_L))
//	phi:      max(0.3 m, m + z √(φ m))
//
// and in the first hour, before either has learned, m + z √(2 m).
type inflate struct {
	factor float64 // of the quantile form
	spread float64 // of the root forms: z √spread √m
}

func (f inflate) of(mean float64) float64 {
	high := float64(f.factor * mean)
	if f.spread != 0 {
		high += float64(f.spread * math.Sqrt(mean))
	}
	if low := float64(0.3 * mean); low > high {
		return low
	}
	return high
}

const learnedAfter = 60 // samples

// reserve returns how to inflate a mean load, given the mean in the window a
// launch now would serve.
func (p *Policy) reserve(meanAhead float64) inflate {
	st := &p.st
	z := p.multiplier()
	switch {
	case !p.set.promises:
		return inflate{factor: 1}
	case st.Samples < learnedAfter:
		return inflate{factor: 1, spread: float64(z * math.Sqrt2)}
	case p.set.phi:
		return inflate{factor: 1, spread: float64(z * math.Sqrt(st.Phi.Value))}
	case meanAhead <= 0:
		return inflate{factor: 1}
	}
	excess := max(st.Quantile.predict(st.Samples-1)-meanAhead, float64(0.05*meanAhead))
	return inflate{factor: 1 + float64(z*excess/meanAhead)}
}

// lookAhead fills p.ahead: the load to plan for, step by step, as a multiple of
// the urgent lines' level.
func (p *Policy) lookAhead() {
	level := p.urgentLevel()
	a := &p.ahead
	rise := 1.0 // over the level, while a burst is chased
	if p.chase && level > 0 {
		rise = max(1, p.st.Quantile.Mean2/level)
	}
	a.ratio = rise * p.ratio(p.lag+p.tick)
	a.mean = level * a.ratio
	r := p.reserve(a.mean)
	a.high = r.of(a.mean)
	minute, load, usual := -1.0, 0.0, 0.0
	for i := range a.load {
		// the profile moves slowly: once a minute is often enough
		if at := grid.minute[i]; at != minute {
			minute = at
			usual = rise * p.ratio(float64(60*at)+30)
			load = usual
			if level > 0 {
				load = r.of(float64(level*usual)) / level
			}
		}
		a.load[i], a.usual[i] = load, min(load, usual)
	}
	a.inflate = r
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

// Forecast returns what the last step expected for when an instance launched
// then could help: the mean load and the load planned for, in reference cores,
// and how far ahead that was.
func (p *Policy) Forecast() (mean, high float64, ahead time.Duration) {
	unit := p.market.unitSpeed
	other := float64(p.otherLevel() * p.ahead.ratio)
	return unit * (p.ahead.mean + other), unit * (p.ahead.high + other), time.Duration((p.lag + p.tick) * 1e9)
}
