package skynet

// spread is what is learned about the scatter of the load of one urgent line and
// of the urgent lines before it, for which it has to wait. Both forms of the
// reserve learn at all times, so that the parameter "form" may be changed.
type spread struct {
	Samples  int64         `json:"samples"`
	Quantile quantileModel `json:"quantile"`
	Phi      phi           `json:"phi"`
}

// lineForecast is what was expected of a load when its sample was taken, in slots.
type lineForecast struct {
	mean  float64 // for when a launch now could help
	usual float64 // what the profile says of the same time
}

// learn takes the load of a sample of step seconds, in slots, and the forecast
// made with it. The samples that a launch now would serve are first to last; see
// servedSamples. The quantile is the one to learn.
func (s *spread) learn(load, step float64, then lineForecast, first, last int64, quantile float64) {
	if s.Samples == 0 {
		s.Quantile = newQuantile()
	}
	n := s.Samples
	s.Samples++
	s.Quantile.learn(n, load, step, then.usual)
	s.Quantile.train(n, first, last, quantile)
	s.Phi.learn(n, load, step, then.mean, last)
}

// learnSpreads teaches every urgent line what the sample just closed, of step
// seconds, says about the scatter of its load.
func (p *Policy) learnSpreads(step float64) {
	first, last := servedSamples(p.lag, p.tick)
	ratio := p.profileRatio(p.lag + p.tick)
	usual, known := p.st.Shape.at(p.clock + p.lag + p.tick)
	all, level := p.urgentLevel(), 0.0
	for i := range p.lines {
		if !p.lines[i].urgent {
			continue
		}
		l := &p.st.Lines[i]
		level += l.Head
		mean := float64(level * ratio)
		then := lineForecast{mean: mean, usual: mean}
		if known && p.set.profile && all > 0 {
			then.usual = usual * level / all // the profile is of all urgent lines
		}
		l.Spread.learn(p.sampleLoads[i], step, then, first, last, p.set.quantile)
	}
}

// lastUrgentLine returns the index of the last urgent line, whose spread is that
// of the load of all of them; −1 without one.
func (p *Policy) lastUrgentLine() int {
	for i := len(p.lines) - 1; i >= 0; i-- {
		if p.lines[i].urgent {
			return i
		}
	}
	return -1
}
