package skynet

// level is what a line remembers of the load that arrives in it: the mean number
// of unit slots that its jobs keep busy. A new line's level is zero.
type level struct {
	Priority int `json:"priority"`
	// Head and Tail are the smoothed loads of the two parts of jobs, in slots; see
	// line. TailHold is the smoothed tail hold that arrives per second, in
	// slot-seconds: TailHold ÷ Tail is how many seconds a tail holds its slot, on
	// average by work.
	Head     float64 `json:"head"`
	Tail     float64 `json:"tail"`
	TailHold float64 `json:"hold"`
	// What has arrived since the last sample: work in slot-seconds, tail hold in
	// slot-seconds², and jobs.
	SinceHead     float64 `json:"since_head"`
	SinceTail     float64 `json:"since_tail"`
	SinceTailHold float64 `json:"since_hold"`
	SinceJobs     float64 `json:"since_jobs"`
	// Spread is learned only while the line is urgent, and is that of the load of
	// this line and of the urgent lines before it.
	Spread spread `json:"spread"`
}

// tailTau is the time constant of Tail and TailHold, in seconds. Tails need a
// longer one than heads: few of them arrive, and each holds a slot for long.
const tailTau = 1800

// sampleShare is the part of a tick that a sample must cover: not all of it,
// because ticks jitter, and a sample would then wait for a second tick.
const sampleShare = 0.99

// smooth returns an estimate moved towards a sample by exponential smoothing. The
// sample covers step seconds, tau is the time constant in seconds, and n samples
// were taken before. The first samples, of n+1 < tau ÷ step, make a plain mean:
//
//	value + max(step/tau, 1/(n+1)) · (sample − value)
func smooth(value, sample, step, tau float64, n int64) float64 {
	weight := min(max(step/tau, 1/float64(n+1)), 1)
	return value + float64(weight*(sample-value))
}

// addToSample adds what arrived since the last observation, step seconds ago, to
// the sample, and reports whether the sample now covers a whole tick.
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
	return st.SampledS >= float64(sampleShare*p.tick)
}

// closeSample moves every line's level by the sample and begins a new one. It
// fills p.sampleLoads with the load, over the sample, of each line's heads and
// those of the urgent lines before it, in slots. It returns the load of all urgent
// lines, and their jobs.
func (p *Policy) closeSample() (load, jobs float64) {
	st := &p.st
	seconds := st.SampledS
	for i := range p.lines {
		ln, l := &p.lines[i], &st.Lines[i]
		head := l.SinceHead / seconds
		if ln.urgent {
			load += head
			jobs += l.SinceJobs
		}
		p.sampleLoads[i] = load
		l.Head = smooth(l.Head, head, seconds, p.set.tau, st.Samples)
		l.Tail = smooth(l.Tail, l.SinceTail/seconds, seconds, tailTau, st.Samples)
		l.TailHold = smooth(l.TailHold, l.SinceTailHold/seconds, seconds, tailTau, st.Samples)
		l.SinceHead, l.SinceTail, l.SinceTailHold, l.SinceJobs = 0, 0, 0, 0
	}
	st.SampledS = 0
	return load, jobs
}
