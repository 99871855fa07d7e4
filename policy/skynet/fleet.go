package skynet

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

// fleet is what the instances amount to, in slots of the unit type.
type fleet struct {
	alive     float64 // serving and on its way
	serving   float64
	booting   float64
	draining  float64
	instances int // instances alive, draining ones included
	// back are draining instances, uncounted those nobody counts on any more, both
	// as positions in Fleet.Instances.
	undrainable, uncounted []int
}

const (
	silentCounted = 5 * time.Minute  // after this, a silent worker is not counted on
	bootGivenUp   = 10 * time.Minute // an instance that boots longer is not, either; at least twice the p99
	bootLeast     = 15.0             // seconds: what boots counts from here on at the earliest
)

// bootLag returns the lag to plan with, in seconds: the learned median times
// e^(σ/2), about the p70 of a lognormal with the learned median and p99. The
// plan is insensitive to it up to there.
func bootLag(b *policy.BootView) float64 {
	median, high := b.P50.Seconds(), b.P99.Seconds()
	if median <= 0 || high <= median {
		return max(median, 0)
	}
	sigma := detmath.Log(high/median) / z99
	return median * detmath.Exp(0.5*sigma)
}

// bootWithin returns within how many seconds the given share of boots, at least
// half, is ready: of a lognormal with the learned median and p99. Where neither
// is known it is the lag that is planned with.
func bootWithin(b *policy.BootView, lag, share float64) float64 {
	median, high := b.P50.Seconds(), b.P99.Seconds()
	if median <= 0 || high <= median {
		return lag
	}
	sigma := detmath.Log(high/median) / z99
	return median * detmath.Exp(float64(sigma*detmath.NormalQuantile(max(share, 0.5))))
}

// z99 is the normal distribution's 0.99-quantile.
const z99 = 2.3263478740408408

// survey fills p.fleet and the capacity of the plan.
//
// Capacity on its way counts from when it is expected, at the soonest in 15 s:
// buying it again is how fleets run away. A silent worker counts for five
// minutes, because behind a partition it still works. One with an interruption
// notice takes no more jobs and does not count.
func (p *Policy) readFleet(o *policy.Observation) {
	f, pl := &p.fleet, &p.plan
	*f = fleet{undrainable: f.undrainable[:0], uncounted: f.uncounted[:0]}
	pl.fleetSlots = [maxSteps]float64{}
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
			if in.InterruptAt.IsZero() { // what EC2 takes back does not stay
				f.undrainable = append(f.undrainable, i)
			}
		}
	}
	f.alive = f.serving + f.booting
	sum := 0.0
	for i := range pl.steps {
		sum += pl.fleetSlots[i]
		pl.fleetSlots[i] = f.serving + sum
	}
	p.layOutRunning(o.Fleet.Freeing)
}

// arrives adds capacity that comes in u seconds to the differences of p.there.
func (p *Policy) addBooting(u, slots float64) {
	i := stepOf(u)
	part := (grid.end[i] - u) / grid.width[i]
	part = min(max(part, 0), 1)
	p.plan.fleetSlots[i] += float64(part * slots)
	if i+1 < maxSteps {
		p.plan.fleetSlots[i+1] += float64((1 - part) * slots)
	}
}

// hold lays out what running jobs keep of the ready capacity. An entry of the
// list is free some time in its step: in the middle, on average.
func (p *Policy) layOutRunning(freeing []policy.FreeCount) {
	held := &p.plan.running
	*held = [maxSteps]float64{}
	busy := 0.0
	for _, f := range freeing {
		slots := f.Capacity / p.market.unitSpeed
		busy += slots
		u := f.After.Seconds() - 0.5*policy.FreeStep.Seconds()
		i := stepOf(u)
		part := min(max((grid.end[i]-u)/grid.width[i], 0), 1)
		held[i] -= float64(part * slots)
		if i+1 < maxSteps {
			held[i+1] -= float64((1 - part) * slots)
		}
	}
	for i := range p.plan.steps {
		busy += held[i]
		held[i] = max(busy, 0)
	}
}
