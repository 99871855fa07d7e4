package skynet

// spread is what is learned about the scatter of the load of one urgent line and
// of those before it, which it has to wait for: both forms of the reserve.
type spread struct {
	Samples  int64         `json:"samples"`
	Quantile quantileModel `json:"quantile"`
	Phi      phi           `json:"phi"`
}

// learn takes a load over step seconds, in slots, its mean forecast for when a
// launch now could help, and the profile's part in it.
func (s *spread) learn(load, step, mean, usual float64, first, last int64, quantile float64) {
	if s.Samples == 0 {
		s.Quantile = newQuantile()
	}
	n := s.Samples
	s.Samples++
	s.Quantile.learn(n, load, step, usual)
	s.Quantile.train(n, first, last, quantile)
	s.Phi.learn(n, load, step, mean, last)
}

// learnSpreads teaches every urgent line what the sample just closed, of step
// seconds, says about its scatter.
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
		then := mean
		if known && p.set.profile && all > 0 {
			then = usual * level / all
		}
		l.Spread.learn(p.sampleLoads[i], step, mean, then, first, last, p.set.quantile)
	}
}

// lastUrgent returns the last urgent line, whose spread is that of the load of
// all of them; −1 without one.
func (p *Policy) lastUrgentLine() int {
	for i := len(p.lines) - 1; i >= 0; i-- {
		if p.lines[i].urgent {
			return i
		}
	}
	return -1
}
