package skynet

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

// fleet is what the instances amount to, in slots of the unit type.
type fleet struct {
	alive     float64 // serving and booting
	serving   float64
	booting   float64
	draining  float64
	instances int // all of them, draining ones included
	// Positions in Observation.Fleet.Instances: draining instances that may be
	// undrained, and instances that are counted on no longer.
	undrainable, uncounted []int
}

const (
	// silentCounted is for how long a silent worker is counted on: behind a broken
	// network it still works.
	silentCounted = 5 * time.Minute
	// bootGivenUp is after how long a boot is counted on no longer, at least; twice
	// the p99 of boots where that is more.
	bootGivenUp = 10 * time.Minute
	// bootLeast is in how many seconds what boots is expected at the soonest, however
	// overdue it is.
	bootLeast = 15.0
)

// z99 is the 0.99-quantile of the standard normal distribution.
const z99 = 2.3263478740408408

// bootLag returns the boot lag to plan with, in seconds: the median times e^(σ/2),
// of a lognormal with the learned median and p99. That is about the 70th percentile
// (Φ(1/2) = 0.69). Up to there the plan is insensitive to it.
func bootLag(b *policy.BootView) float64 {
	median, high := b.P50.Seconds(), b.P99.Seconds()
	if median <= 0 || high <= median {
		return max(median, 0)
	}
	sigma := detmath.Log(high/median) / z99
	return median * detmath.Exp(0.5*sigma)
}

// bootWithin returns within how many seconds the given share of boots is ready, at
// least half of them: a quantile of a lognormal with the learned median and p99.
// Where these do not tell, it is the lag that is planned with.
func bootWithin(b *policy.BootView, lag, share float64) float64 {
	median, high := b.P50.Seconds(), b.P99.Seconds()
	if median <= 0 || high <= median {
		return lag
	}
	sigma := detmath.Log(high/median) / z99
	return median * detmath.Exp(float64(sigma*detmath.NormalQuantile(max(share, 0.5))))
}

// readFleet fills p.fleet, and the capacity in p.plan.
//
// Booting capacity counts from when it is expected. If it did not count, it would
// be bought again at every tick: that is how fleets run away. An instance that EC2
// takes back takes no more jobs and does not count.
func (p *Policy) readFleet(o *policy.Observation) {
	f, pl := &p.fleet, &p.plan
	*f = fleet{undrainable: f.undrainable[:0], uncounted: f.uncounted[:0]}
	pl.fleetSlots = [maxSteps]float64{} // first what is added in each step, then the sums
	patience := max(bootGivenUp, 2*o.Fleet.Boot.P99)
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		f.instances++
		slots := p.market.slotsOf(in.Type)
		switch in.Phase {
		case policy.Requested, policy.Booting:
			age := o.Now.Sub(in.LaunchedAt)
			if age > patience {
				f.uncounted = append(f.uncounted, i)
				continue
			}
			f.booting += slots
			p.addBooting(max(p.lag-age.Seconds(), bootLeast), slots)
		case policy.Ready:
			if in.InterruptAt.IsZero() {
				f.serving += slots
			}
		case policy.Lost:
			if o.Now.Sub(in.LastSeen) > silentCounted {
				f.uncounted = append(f.uncounted, i)
				continue
			}
			f.serving += slots
		case policy.Draining:
			f.draining += slots
			if in.InterruptAt.IsZero() {
				f.undrainable = append(f.undrainable, i)
			}
		}
	}
	f.alive = f.serving + f.booting
	booted := 0.0
	for i := range pl.steps {
		booted += pl.fleetSlots[i]
		pl.fleetSlots[i] = f.serving + booted
	}
	p.layOutRunning(o.Fleet.Freeing)
}

// addBooting enters slots that will serve in u seconds. The step of the grid in
// which they come gets the part of them that is proportional to what is left of
// the step, the next step the rest.
func (p *Policy) addBooting(u, slots float64) {
	i := stepOf(u)
	part := (grid.end[i] - u) / grid.width[i]
	part = min(max(part, 0), 1)
	p.plan.fleetSlots[i] += float64(part * slots)
	if i+1 < maxSteps {
		p.plan.fleetSlots[i+1] += float64((1 - part) * slots)
	}
}

// layOutRunning fills in how many slots running jobs hold in each step of the plan.
// The list tells in which of its intervals slots become free: on average that is in
// the middle.
func (p *Policy) layOutRunning(freeing []policy.FreeCount) {
	running := &p.plan.running
	*running = [maxSteps]float64{} // first what becomes free in each step, then what is left
	busy := 0.0
	for _, f := range freeing {
		slots := f.Capacity / p.market.unitSpeed
		busy += slots
		u := f.After.Seconds() - 0.5*policy.FreeStep.Seconds()
		i := stepOf(u)
		part := min(max((grid.end[i]-u)/grid.width[i], 0), 1)
		running[i] -= float64(part * slots)
		if i+1 < maxSteps {
			running[i+1] -= float64((1 - part) * slots)
		}
	}
	for i := range p.plan.steps {
		busy += running[i]
		running[i] = max(busy, 0)
	}
}
