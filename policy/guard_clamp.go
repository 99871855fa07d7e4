package policy

import "slices"

var (
	ruleGuardLaunch     = NewRule("guard.launch", "asked for %g, allowed %g (per tick %g, room %g)", false)
	ruleGuardInFlight   = NewRule("guard.in_flight", "asked for %g, allowed %g (in flight at most %g, now %g)", false)
	ruleGuardFleet      = NewRule("guard.fleet", "asked for %g, allowed %g (fleet at most %g, now %g)", false)
	ruleGuardCores      = NewRule("guard.cores", "asked for %g instances, allowed %g (cores at most %g, now %g)", false)
	ruleGuardMoney      = NewRule("guard.money", "%s: asked for %g instances, allowed %g (at most $ %.2f, committed $ %.2f)", true)
	ruleGuardSubstitute = NewRule("guard.substitute", "%s: substitutes kept %g of %g: more could pass a limit if EC2 refuses", true)
	ruleGuardDrain      = NewRule("guard.drain", "asked for %g, allowed %g (per tick %g)", false)
	ruleGuardUnknown    = NewRule("guard.unknown", "%g launches of a type the catalog lacks or of no instance", false)
)

// Clamp returns d reduced to what g allows when o is known and c is what EC2
// sells. It never adds to d, and d itself stays as it was. Every removal leaves
// a reason behind those of d.
//
// Properties:
//   - Clamp(Clamp(d)) == Clamp(d)
//   - no launch counts more than in d, and every drain and undrain is one of d's
//   - the launches keep their order, and their substitutes are the first of d's
//   - the instances launched number at most g.LaunchMax, whatever EC2 refuses
//     and whichever substitutes stand in; and so it is with every limit below
//   - the fleet after the launches numbers at most g.FleetMax, or what it
//     numbers now; the same holds for g.InFlightMax and g.CoresMax
//   - an hour of everything alive and launched costs at most g.HourMax, and
//     with what was spent at most g.DayMax and g.MonthMax, or nothing is
//     launched
//   - at most g.DrainMax instances are drained
//   - if the queue or the fleet is not known, nothing is launched or drained
//   - if nothing is removed, d is returned as it is and nothing is allocated
//
// Undrains always pass. What drains is still alive and counts in every limit,
// so an undrain breaks none; it costs nothing that is not counted and can be
// taken back a tick later. When too little is known, it is what holding means:
// a drain left to run its course is a termination.
//
// Drains pass while the circuit is open: they never end a running job.
func (g Guard) Clamp(o *Observation, c *Catalog, d Decision) Decision {
	if len(d.Launches) == 0 && len(d.Drains) == 0 {
		return d
	}
	s := tallyOf(o, c)
	if why, hold := g.hold(o, &s); hold {
		d.Launches, d.Drains = nil, nil
		d.because(why)
		return d
	}
	g.clampLaunches(o, c, &s, &d)
	if allowed := max(g.DrainMax, 0); len(d.Drains) > allowed {
		d.because(ruleGuardDrain.Because(float64(len(d.Drains)), float64(allowed), float64(g.DrainMax)))
		d.Drains = d.Drains[:allowed:allowed]
	}
	return d
}

// because appends a reason without touching the array the policy owns.
func (d *Decision) because(r Reason) { d.Because = append(slices.Clip(d.Because), r) }

// clampLaunches reduces d.Launches: first choices before substitutes, earlier
// launches before later ones.
func (g *Guard) clampLaunches(o *Observation, c *Catalog, s *tally, d *Decision) {
	if len(d.Launches) == 0 {
		return
	}
	if why, hold := g.holdLaunches(o); hold {
		d.Launches = nil
		d.because(why)
		return
	}
	k := clamping{d: d, weigher: weigher{o, c}}
	through, why := g.breakerAllows(o, s)
	rooms := g.roomsLeft(o, s, through)
	if k.fits(rooms) {
		return
	}
	k.copyLaunches()
	k.dropUnknown()
	g.limitCounts(&k, s, through, why)
	k.limitFirstChoices(ofCores, roomLeft(int64(g.CoresMax), s.cores), func(asked, allowed float64) Reason {
		return ruleGuardCores.Because(asked, allowed, float64(g.CoresMax), float64(s.cores))
	})
	for _, m := range g.budgets(o, s) {
		k.limitFirstChoices(ofMoney, roomLeft(int64(m.max), int64(m.committed)), func(asked, allowed float64) Reason {
			return ruleGuardMoney.Named(m.name, asked, allowed, m.max.Dollars(), m.committed.Dollars())
		})
	}
	k.limitSubstitutes(rooms)
	d.Launches = slices.DeleteFunc(d.Launches, func(l Launch) bool { return l.Count == 0 })
}

// limitCounts applies the tightest of the limits that count instances, and
// tells which it was.
func (g *Guard) limitCounts(k *clamping, s *tally, through int, breaker Reason) {
	inFlight := roomLeft(int64(g.InFlightMax), int64(s.inFlight))
	fleet := roomLeft(int64(g.FleetMax), int64(s.alive))
	perTick := roomLeft(int64(g.LaunchMax), 0)
	tightest := min(perTick, inFlight, fleet)
	if int64(through) < tightest {
		k.limitFirstChoices(ofInstances, int64(through), func(asked, allowed float64) Reason {
			breaker.Figures[0], breaker.Figures[1] = asked, allowed
			return breaker
		})
		return
	}
	k.limitFirstChoices(ofInstances, tightest, func(asked, allowed float64) Reason {
		switch tightest {
		case perTick:
			return ruleGuardLaunch.Because(asked, allowed, float64(g.LaunchMax), float64(min(inFlight, fleet)))
		case inFlight:
			return ruleGuardInFlight.Because(asked, allowed, float64(g.InFlightMax), float64(s.inFlight))
		}
		return ruleGuardFleet.Because(asked, allowed, float64(g.FleetMax), float64(s.alive))
	})
}
