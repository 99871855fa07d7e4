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
	st     state

	// Everything below is derived anew at each step.
	tick         float64 // nominal, in seconds
	lag          float64 // boot lag planned with, in seconds
	clock        float64 // seconds since the epoch on the users' clock
	lines        []line
	shortest     float64 // mean work of the shortest kind known, in core-seconds; 0: none is
	kindLoads    []kindLoad
	patientJobs  []float64 // jobs that wait in lines that can, by class
	profileNow   profileLoad
	forecast     forecast
	sampleLoads  [linesMax]float64 // of the last sample, by line
	hourInDanger bool              // the promise of this hour is in danger
	recovery     float64           // how long what is late may stay late once a launch could help, in seconds
	quiet        bool              // arrivals are not planned for
	sampled      bool              // this step closed a sample
	fleet        fleet
	plan         plan
	band         band // of the slack rule
	slotFloor    slotFloor
	leadingClass int     // class that presses most, -1: none
	abandonedZ   float64 // where a rise of z was given up at this step

	candidates  []candidate
	leaving     []candidate
	launches    []policy.Launch
	substitutes []policy.Substitute
	options     []option
	drains      []policy.InstanceID
	undrains    []policy.InstanceID
	reasons     []policy.Reason
}

// Step returns what to do about o: nothing while what was read is in doubt;
// otherwise it learns, plans, takes back or buys what the plan is short of, and
// drains what it does not need.
func (p *Policy) Step(o *policy.Observation) policy.Decision {
	p.launches, p.drains, p.undrains, p.reasons = p.launches[:0], p.drains[:0], p.undrains[:0], p.reasons[:0]
	p.substitutes = p.substitutes[:0]
	p.abandonedZ = 0
	since := p.elapsed(o)
	if why, doubt := p.doubt(o); doubt {
		p.explain(why)
		return policy.Decision{Because: p.reasons}
	}
	p.read(o)
	p.learn(o, since)
	p.steerLines(o)
	p.spareLines(o)
	p.recovery, p.hourInDanger = p.recoveryTime()
	p.setLineRecovery()
	p.setPlanLength()
	p.makeForecast()
	p.updateFan()
	p.quiet = p.quietHour(o.Now)
	p.readFleet(o)
	p.buildPlan()
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

func (p *Policy) explain(r policy.Reason) { p.reasons = append(p.reasons, r) }

// since returns the seconds since the last step, at most a tick: what arrived
// in a longer gap was not counted.
func (p *Policy) elapsed(o *policy.Observation) float64 {
	p.tick = max(o.Tick, policy.MinTick).Seconds()
	step := 0.0
	if !p.st.SteppedAt.IsZero() {
		step = min(max(o.Now.Sub(p.st.SteppedAt).Seconds(), 0), p.tick)
	}
	p.st.SteppedAt = o.Now
	return step
}

// read takes in what the step needs of the observation.
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

// learn adds the time since the last step, in seconds, to what is remembered.
// A reading of the queue is learned from once.
func (p *Policy) learn(o *policy.Observation, since float64) {
	st := &p.st
	p.sampled = false
	if st.FirstAt.IsZero() {
		st.FirstAt = o.Now
	}
	p.profileNow = p.profileAroundNow()
	p.leadingClass = p.classWithLargestReserve()
	if since <= 0 || !o.Queue.At.After(st.QueueAt) {
		st.QueueAt = later(st.QueueAt, o.Queue.At)
		return
	}
	st.QueueAt = o.Queue.At
	p.learnSlack(o, since)
	if p.warmedUp(o) {
		p.countStarts(o, since)
	}
	if !p.addToSample(since) {
		return
	}
	p.sampled = true
	step := st.SampledS
	st.Fan.learn(p.arrivedLoad(), step, p.fanLeadTicks())
	load, jobs := p.closeSample()
	st.Samples++
	p.profileNow = p.profileAroundNow()
	p.learnSpreads(step)
	if at := p.lastUrgentLine(); at >= 0 {
		s := &st.Lines[at].Spread
		_, last := servedSamples(p.lag, p.tick)
		st.Off.learn(s.Phi.lowestForecast(s.Samples-1, last), jobs)
	}
	st.Shape.learn(o.Now.Add(p.env.UTCOffset-o.Tick/2), load)
}

// warm reports whether lateness can be helped: since the first launches were
// ready and had worked off what waited for them, or for two hours.
func (p *Policy) warmedUp(o *policy.Observation) bool {
	st := &p.st
	if st.WarmAt.IsZero() && (o.Fleet.ReadySlots > 0 && !p.anyOverdue() || o.Now.Sub(st.FirstAt) > 2*time.Hour) {
		st.WarmAt = o.Now
	}
	return !st.WarmAt.IsZero() && o.Now.After(st.WarmAt)
}

// late reports whether a job of an urgent line waits for longer than it may.
func (p *Policy) anyOverdue() bool {
	for i := range p.lines {
		if ln := &p.lines[i]; ln.urgent && ln.waitingJobs > 0 && ln.oldest > ln.budget {
			return true
		}
	}
	return false
}

// switchedOff reports whether arrivals are so few at this hour that being late
// for all of them spends only a part of the miss budget.
func (p *Policy) quietHour(now time.Time) bool {
	if !p.set.promises || p.set.offShare == 0 || now.Sub(p.st.FirstAt).Seconds() < quietAfter {
		return false
	}
	miss := 1.0
	for i := range p.lines {
		if p.lines[i].urgent {
			miss = min(miss, p.lines[i].allowedLate)
		}
	}
	if p.forecast.mean > quietLoadMost {
		return false
	}
	share := p.st.Off.shareUpTo(p.forecast.mean)
	if share >= float64(p.set.offShare*miss) {
		return false
	}
	p.explain(ruleOff.Because(p.forecast.mean, 100*share, float64(100*p.set.offShare*miss)))
	return true
}

// kept returns how many instances are meant to stay. What is drained may be of
// those that were not (it was taken back, say).
func (p *Policy) staying(o *policy.Observation) int {
	n := len(p.undrains) - len(p.drains)
	for i := range o.Fleet.Instances {
		if in := &o.Fleet.Instances[i]; in.Phase != policy.Draining && in.InterruptAt.IsZero() {
			n++
		}
	}
	return max(n, 0)
}
