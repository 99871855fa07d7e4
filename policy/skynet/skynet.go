package skynet

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Policy is the SkyNet policy. Make it with New.
type Policy struct {
	env    policy.Env
	set    settings
	market market
	st     state // all that is remembered between steps

	// Everything below is worked out anew at each step.
	tick         float64 // nominal time between two steps, in seconds
	lag          float64 // boot lag planned with, in seconds
	clock        float64 // seconds since the epoch on the users' clock
	lines        []line
	shortest     float64           // mean work of the shortest kind known, in core-seconds; 0: none is known
	kindLoads    []kindLoad        // of the last hour
	deadlineJobs []float64         // by class: jobs that wait in lines without a reserve
	profileNow   profileLoad       // the profile's load now, which ratios are taken to
	forecast     forecast          // the load to plan for
	sampleLoads  [linesMax]float64 // load of the last sample, in slots: of each urgent line and those before it
	hourInDanger bool              // too many jobs of the running hour are late: a burst is chased
	recovery     float64           // how long late work may stay late once a launch could help, in seconds
	quiet        bool              // so few jobs are expected that arrivals are not planned for
	sampled      bool              // this step completed a sample of the load
	fleet        fleet
	plan         plan
	band         band      // least and largest fleet by the slack rule
	slotFloor    slotFloor // least fleet in which urgent jobs find a free slot
	leadingClass int       // index of the class that asks for the largest reserve; -1: none
	abandonedZ   float64   // z from which a rise was given up at this step; 0: none was

	// Buffers of the decision. They are reused, so that a step allocates nothing.
	candidates  []candidate
	leaving     []candidate
	launches    []policy.Launch
	substitutes []policy.Substitute
	options     []option
	drains      []policy.InstanceID
	undrains    []policy.InstanceID
	reasons     []policy.Reason
}

// Step returns what to do about o. It does nothing while what was read is in
// doubt. Otherwise it learns, plans, undrains or launches what the plan lacks, and
// drains what the plan does not need.
//
// The decision holds slices of p, which the next step reuses.
func (p *Policy) Step(o *policy.Observation) policy.Decision {
	p.launches, p.drains, p.undrains, p.reasons = p.launches[:0], p.drains[:0], p.undrains[:0], p.reasons[:0]
	p.substitutes = p.substitutes[:0]
	p.abandonedZ = 0
	elapsed := p.elapsed(o)
	if why, doubt := p.doubt(o); doubt {
		p.explain(why)
		return policy.Decision{Because: p.reasons}
	}
	p.read(o)
	p.learn(o, elapsed)

	// How each line is planned: its reserve, what may be late, how soon it recovers.
	p.steerLines(o)
	p.spareLines(o)
	p.recovery, p.hourInDanger = p.recoveryTime()
	p.setLineRecovery()

	// The plan: how far it looks, what arrives, what serves.
	p.setPlanLength()
	p.makeForecast()
	p.updateFan()
	p.quiet = p.quietHour(o.Now)
	p.readFleet(o)
	p.buildPlan()

	// Floors and a ceiling that hold whatever the plan says.
	p.band = p.slackBand(o)
	p.slotFloor = p.minSlots(o)

	p.scaleOut(o)
	p.scaleIn(o)
	if why, ok := p.steerReason(); ok {
		p.explain(why)
	}
	p.st.Kept = p.staying(o)
	return policy.Decision{
		Launches: p.launches, Drains: p.drains, Undrains: p.undrains,
		NextTick: p.nextTick(o), Because: p.reasons,
	}
}

// explain adds a reason to the decision.
func (p *Policy) explain(r policy.Reason) { p.reasons = append(p.reasons, r) }

// elapsed sets p.tick and returns the seconds since the last step, at most a tick:
// nobody counted what arrived in a longer gap.
func (p *Policy) elapsed(o *policy.Observation) float64 {
	p.tick = max(o.Tick, policy.MinTick).Seconds()
	elapsed := 0.0
	if !p.st.SteppedAt.IsZero() {
		elapsed = min(max(o.Now.Sub(p.st.SteppedAt).Seconds(), 0), p.tick)
	}
	p.st.SteppedAt = o.Now
	return elapsed
}

// read takes in the boot lag, the users' clock, the market and the queue.
func (p *Policy) read(o *policy.Observation) {
	p.lag = bootLag(&o.Fleet.Boot)
	if o.Fleet.Boot.P50 <= 0 {
		p.lag = p.env.BootGuess.Seconds()
	}
	local := o.Now.Add(p.env.UTCOffset)
	p.clock = float64(local.Unix()) + float64(float64(local.Nanosecond())*1e-9)
	p.market.update(o)
	p.readLines(o)
}

// learn takes in what happened in the seconds since the last step. Each reading
// of the queue is learned from once.
func (p *Policy) learn(o *policy.Observation, elapsed float64) {
	st := &p.st
	p.sampled = false
	if st.FirstAt.IsZero() {
		st.FirstAt = o.Now
	}
	p.profileNow = p.profileAroundNow()
	p.leadingClass = p.classWithLargestReserve()
	if elapsed <= 0 || !o.Queue.At.After(st.QueueAt) {
		st.QueueAt = later(st.QueueAt, o.Queue.At)
		return
	}
	st.QueueAt = o.Queue.At
	p.learnSlack(o, elapsed)
	if p.warmedUp(o) {
		p.countStarts(o, elapsed)
	}
	st.Fan.addArrivals(o.Queue.Kinds)
	if p.addToSample(elapsed) {
		p.learnSample(o)
	}
}

// learnSample closes the sample of the load that is complete and teaches it to
// all that learns from samples. A sample covers a whole tick; where ticks come
// faster, several of them make one.
func (p *Policy) learnSample(o *policy.Observation) {
	st := &p.st
	p.sampled = true
	seconds := st.SampledS
	st.Fan.learn(seconds, p.fanLeadTicks())
	load, jobs := p.closeSample()
	st.Samples++
	p.profileNow = p.profileAroundNow()
	p.learnSpreads(seconds)
	if at := p.lastUrgentLine(); at >= 0 {
		s := &st.Lines[at].Spread
		_, last := servedSamples(p.lag, p.tick)
		st.Off.learn(s.Phi.lowestForecast(s.Samples-1, last), jobs)
	}
	middle := o.Now.Add(p.env.UTCOffset - o.Tick/2)
	st.Shape.learn(middle, load)
}

// warmedUp reports whether late jobs count against their class: from when the
// first instances were ready and had worked off what waited for them, or after
// two hours. Before that no policy could have had them in time.
func (p *Policy) warmedUp(o *policy.Observation) bool {
	st := &p.st
	if st.WarmAt.IsZero() && (o.Fleet.ReadySlots > 0 && !p.anyOverdue() || o.Now.Sub(st.FirstAt) > 2*time.Hour) {
		st.WarmAt = o.Now
	}
	return !st.WarmAt.IsZero() && o.Now.After(st.WarmAt)
}

// anyOverdue reports whether a job of an urgent line has waited for longer than
// its budget.
func (p *Policy) anyOverdue() bool {
	for i := range p.lines {
		if ln := &p.lines[i]; ln.urgent && ln.waitingJobs > 0 && ln.oldest > ln.budget {
			return true
		}
	}
	return false
}

// staying returns how many instances are meant to stay after this decision: those
// that do not drain and that EC2 does not take back, and those undrained. What was
// drained may be of none of these, so the difference is bounded by 0.
func (p *Policy) staying(o *policy.Observation) int {
	n := len(p.undrains) - len(p.drains)
	for i := range o.Fleet.Instances {
		if in := &o.Fleet.Instances[i]; in.Phase != policy.Draining && in.InterruptAt.IsZero() {
			n++
		}
	}
	return max(n, 0)
}
