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
	tick     float64 // nominal, in seconds
	lag      float64 // boot lag planned with, in seconds
	clock    float64 // seconds since the epoch on the users' clock
	lines    []line
	shortest float64 // mean work of the shortest kind known, in core-seconds; 0: none is
	work     []workload
	waits    []float64 // jobs that wait in lines that can, by class
	usual    usualLoad
	ahead    forecast
	loads    [linesMax]float64 // of the last sample, by line
	chase    bool              // the promise of this hour is in danger
	recovery float64           // how long what is late may stay late once a launch could help, in seconds
	silent   bool              // arrivals are not planned for
	sampled  bool              // this step closed a sample
	fleet    fleet
	plan     plan
	band     band // of the slack rule
	chance   chance
	worst    int     // class that presses most, -1: none
	flatZ    float64 // where a rise of z was given up at this step

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
	p.flatZ = 0
	since := p.since(o)
	if why, doubt := p.doubt(o); doubt {
		p.because(why)
		return policy.Decision{Because: p.reasons}
	}
	p.read(o)
	p.learn(o, since)
	p.steerLines(o)
	p.spareLines(o)
	p.recovery, p.chase = p.chasing()
	p.recoverLines()
	p.reach()
	p.lookAhead()
	p.foresee()
	p.silent = p.switchedOff(o.Now)
	p.survey(o)
	p.buildPlan()
	p.band = p.slackBand(o)
	p.chance = p.chances(o)
	p.grow(o)
	p.shrink(o)
	if why, ok := p.steerReason(); ok {
		p.because(why)
	}
	p.st.Kept = p.kept(o)
	return policy.Decision{
		Launches: p.launches, Drains: p.drains, Undrains: p.undrains,
		NextTick: p.nextTick(o), Because: p.reasons,
	}
}

func (p *Policy) because(r policy.Reason) { p.reasons = append(p.reasons, r) }

// since returns the seconds since the last step, at most a tick: what arrived
// in a longer gap was not counted.
func (p *Policy) since(o *policy.Observation) float64 {
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
	p.market.refresh(o)
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
	p.usual = p.usualNow()
	p.worst = p.pressing()
	if since <= 0 || !o.Queue.At.After(st.QueueAt) {
		st.QueueAt = later(st.QueueAt, o.Queue.At)
		return
	}
	st.QueueAt = o.Queue.At
	p.learnSlack(o, since)
	if p.warm(o) {
		p.count(o, since)
	}
	st.Fan.collect(o.Queue.Kinds)
	if !p.collect(since) {
		return
	}
	p.sampled = true
	step := st.SampledS
	st.Fan.learn(step, p.ticksAhead())
	load, jobs := p.learnLevels()
	st.Samples++
	p.usual = p.usualNow()
	p.learnSpreads(step)
	if at := p.lastUrgent(); at >= 0 {
		s := &st.Lines[at].Spread
		_, last := horizon(p.lag, p.tick)
		st.Off.learn(s.Phi.lowest(s.Samples-1, last), jobs)
	}
	st.Shape.learn(o.Now.Add(p.env.UTCOffset-o.Tick/2), load)
}

// warm reports whether lateness can be helped: since the first launches were
// ready and had worked off what waited for them, or for two hours.
func (p *Policy) warm(o *policy.Observation) bool {
	st := &p.st
	if st.WarmAt.IsZero() && (o.Fleet.ReadySlots > 0 && !p.late() || o.Now.Sub(st.FirstAt) > 2*time.Hour) {
		st.WarmAt = o.Now
	}
	return !st.WarmAt.IsZero() && o.Now.After(st.WarmAt)
}

// late reports whether a job of an urgent line waits for longer than it may.
func (p *Policy) late() bool {
	for i := range p.lines {
		if ln := &p.lines[i]; ln.urgent && ln.waitingJobs > 0 && ln.oldest > ln.budget {
			return true
		}
	}
	return false
}

// switchedOff reports whether arrivals are so few at this hour that being late
// for all of them spends only a part of the miss budget.
func (p *Policy) switchedOff(now time.Time) bool {
	if !p.set.promises || p.set.offShare == 0 || now.Sub(p.st.FirstAt).Seconds() < offLearned {
		return false
	}
	miss := 1.0
	for i := range p.lines {
		if p.lines[i].urgent {
			miss = min(miss, p.lines[i].miss)
		}
	}
	if p.ahead.mean > offMost {
		return false
	}
	share := p.st.Off.share(p.ahead.mean)
	if share >= float64(p.set.offShare*miss) {
		return false
	}
	p.because(ruleOff.Because(p.ahead.mean, 100*share, float64(100*p.set.offShare*miss)))
	return true
}

// kept returns how many instances are meant to stay. What is drained may be of
// those that were not (it was taken back, say).
func (p *Policy) kept(o *policy.Observation) int {
	n := len(p.undrains) - len(p.drains)
	for i := range o.Fleet.Instances {
		if in := &o.Fleet.Instances[i]; in.Phase != policy.Draining && in.InterruptAt.IsZero() {
			n++
		}
	}
	return max(n, 0)
}
