package skynet

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

var ruleChanceShort = policy.NewRule("chance.short", "%.1f cores are not enough for a job to find a free slot within %.0f s: %.1f are, with %.1f slots held", false)

// chance is the least fleet in which the jobs of urgent lines find a free slot
// in time. The plan is a fluid, in which work before others gets what room there
// is; a job waits until a slot is free, and what holds the slots, whatever its
// priority, holds them to its end.
//
// In n slots with a of them asked for on average, u of these by the line itself
// and those before it, a job of the line waits for longer than its budget b with
// the probability
//
//	C(n, a) · e^(−(n − u) b r)
//
// where C is Erlang's probability that all slots are held, 1 where a ≥ n, and r
// the rate at which one held slot becomes free: exact for Poisson arrivals of
// jobs of one exponential length in lines of strict priority (Kella and
// Yechiali). A fleet of none keeps everybody waiting for a boot.
type chance struct {
	floor  float64 // the least fleet, in slots; 0: nothing needs one
	budget float64 // of the line that needs it, in seconds
	held   float64 // slots asked for on average, a
}

const (
	chanceOver  = time.Hour        // the load of what holds slots is that of the last hour
	chanceLeast = 10 * time.Minute // or of the time since the start, at least so long
	chanceMost  = 2000             // slots: in a larger fleet some become free
	chanceLate  = 0.9              // a job's chance to wait too long, at the most
	chanceLast  = 5.0              // one in so many jobs comes so soon after a tick that its boot must be quick

	laxStart = 1.4 // four times the late share aimed at: not every hour is the worst
	laxHigh  = 5.0
	laxGain  = 1.0 // per day of budget
)

// chances returns the least fleet for the urgent lines.
//
// An urgent line whose budget is longer than a boot, a tick and what is seldom
// more needs none: what waits is bought for in time. One that only work of less
// than its budget competes with needs an instance, for the plan sees the rest.
func (p *Policy) chances(o *policy.Observation) chance {
	most := chance{}
	if !p.set.promises || p.silent {
		return most
	}
	own := 0.0
	for j := range p.lines {
		ln := &p.lines[j]
		if !ln.urgent {
			continue
		}
		own += float64(p.st.Lines[j].Head*p.ahead.ratio) + p.st.Lines[j].Tail
		if own == 0 || ln.budget >= p.tick+bootWithin(&o.Fleet.Boot, p.lag, 1-float64(chanceLast*ln.miss)) {
			continue
		}
		c := chance{floor: 1, budget: ln.budget, held: own}
		if held, rate := p.holders(o, j); held > 0 {
			late := min(float64(p.set.budget*ln.miss*detmath.Exp(ln.lax)), chanceLate)
			c.held += held
			c.floor = slotsFor(c.held, own, float64(ln.budget*rate), late)
		}
		if c.floor > most.floor {
			most = c
		}
	}
	return most
}

// holders returns how many slots will be held on average, when a launch now
// could help, by the work that a line goes before in the plan: by what runs or waits now and is not done until
// then, and by what comes until then. With it comes the rate at which a slot so
// held becomes free, in 1/s. It returns 0 where no such job is longer than the
// budget.
func (p *Policy) holders(o *policy.Observation, line int) (held, rate float64) {
	over := min(max(o.Now.Sub(p.st.FirstAt), chanceLeast), chanceOver).Seconds()
	ahead, budget := p.lag+p.tick, p.lines[line].budget
	freed, long := 0.0, false
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		each := float64(k.Service.Mean) / p.market.unitSpeed
		if k.Service.Samples == 0 || each <= 0 {
			continue
		}
		ln := p.lineOf(k.Priority)
		if ln.urgent && ln.priority <= p.lines[line].priority {
			continue
		}
		stays := detmath.Exp(-ahead / each)
		load := float64(k.Arrived[3].Work) / p.market.unitSpeed / over
		slots := float64(float64(k.InFlight.Jobs+k.Pending.Jobs)*stays) + float64(load*(1-stays))
		held += slots
		freed += slots / each
		long = long || slots > 0 && each > budget
	}
	if !long {
		return 0, 0
	}
	return held, freed / held
}

// slotsFor returns the least number of slots in which a job is late with at most
// the given probability, where all of them that are asked for are so on average,
// own of these by jobs that go before others, and a held slot becomes free often
// times while the job may wait.
func slotsFor(all, own, often, late float64) float64 {
	blocked := 1.0 // Erlang's loss, from which his probability of waiting follows
	for n := 1; n < chanceMost; n++ {
		slots := float64(n)
		blocked = all * blocked / (slots + float64(all*blocked))
		waits := 1.0
		if slots > all {
			waits = slots * blocked / (slots - float64(all*(1-blocked)))
		}
		if slots > own && waits*detmath.Exp(-float64((slots-own)*often)) <= late {
			return slots
		}
	}
	return math.Ceil(all + own)
}
