package skynet

// level is what a line remembers of the work that arrives in it, in slots: the
// mean number of unit slots its jobs keep busy.
type level struct {
	Priority int `json:"priority"`
	// Head and Tail of the arriving work; see line.
	Head float64 `json:"head"`
	Tail float64 `json:"tail"`
	// Hold is the tail times how long it holds its slot, in slot-seconds.
	TailHold float64 `json:"hold"`
	// What arrived since the last sample.
	SinceHead     float64 `json:"since_head"`
	SinceTail     float64 `json:"since_tail"`
	SinceTailHold float64 `json:"since_hold"`
	SinceJobs     float64 `json:"since_jobs"`
	// Spread of the load of this urgent line and those before it.
	Spread spread `json:"spread"`
}

// tailTau is the time constant of tails, in seconds: they hold slots for long
// and few of them arrive.
const tailTau = 1800

// follow returns an estimate moved towards a sample: exponential smoothing
// with time constant tau (seconds) for a sample of step seconds, a plain mean
// of the first samples; n samples were taken before.
//
//	value + max(step/tau, 1/(n+1)) · (sample − value)
func smooth(value, sample, step, tau float64, n int64) float64 {
	weight := min(max(step/tau, 1/float64(n+1)), 1)
	return value + float64(weight*(sample-value))
}

// collect adds what arrived since the last observation, which covers step
// seconds, and reports whether a sample of a whole tick is complete.
func (p *Policy) addToSample(step float64) bool {
	st := &p.st
	for i := range p.lines {
		ln, l := &p.lines[i], &st.Lines[i]
		l.SinceHead += ln.arrivedHead
		l.SinceTail += ln.arrivedTail
		l.SinceTailHold += ln.arrivedTailHold
		l.SinceJobs += ln.arrivedJobs
	}
	st.SampledS += step
	return st.SampledS >= float64(0.99*p.tick)
}

// learnLevels closes the sample: it moves every line's level and fills p.loads
// with the load of each urgent line and those before it over the sample, in
// slots. It returns the load of all urgent lines, and their jobs.
func (p *Policy) closeSample() (load, jobs float64) {
	st := &p.st
	step := st.SampledS
	for i := range p.lines {
		ln, l := &p.lines[i], &st.Lines[i]
		head := l.SinceHead / step
		if ln.urgent {
			load += head
			jobs += l.SinceJobs
		}
		p.sampleLoads[i] = load
		l.Head = smooth(l.Head, head, step, p.set.tau, st.Samples)
		l.Tail = smooth(l.Tail, l.SinceTail/step, step, tailTau, st.Samples)
		l.TailHold = smooth(l.TailHold, l.SinceTailHold/step, step, tailTau, st.Samples)
		l.SinceHead, l.SinceTail, l.SinceTailHold, l.SinceJobs = 0, 0, 0, 0
	}
	st.SampledS = 0
	return load, jobs
}
