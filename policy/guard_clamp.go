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
	s := surveyOf(o, c)
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
func (g *Guard) clampLaunches(o *Observation, c *Catalog, s *survey, d *Decision) {
	if len(d.Launches) == 0 {
		return
	}
	if why, hold := g.holdLaunches(o); hold {
		d.Launches = nil
		d.because(why)
		return
	}
	k := clamping{d: d, weigher: weigher{o, c}}
	through, why := g.breaker(o, s)
	rooms := g.rooms(o, s, through)
	if k.fits(rooms) {
		return
	}
	k.own()
	k.dropUnknown()
	g.limitCounts(&k, s, through, why)
	k.limit(ofCores, roomLeft(int64(g.CoresMax), s.cores), func(asked, allowed float64) Reason {
		return ruleGuardCores.Because(asked, allowed, float64(g.CoresMax), float64(s.cores))
	})
	for _, m := range g.budgets(o, s) {
		k.limit(ofMoney, roomLeft(int64(m.max), int64(m.committed)), func(asked, allowed float64) Reason {
			return ruleGuardMoney.Named(m.name, asked, allowed, m.max.Dollars(), m.committed.Dollars())
		})
	}
	k.limitSubstitutes(rooms)
	d.Launches = slices.DeleteFunc(d.Launches, func(l Launch) bool { return l.Count == 0 })
}

// roomLeft returns what is left of a limit.
func roomLeft(limit, used int64) int64 {
	if limit == Unlimited {
		return Unlimited
	}
	return max(limit-used, 0)
}

// budget is one of the limits on money and what counts against it before
// anything is launched.
type budget struct {
	name           string
	max, committed MicroUSD
}

func (g *Guard) budgets(o *Observation, s *survey) [3]budget {
	plus := func(spent MicroUSD) MicroUSD {
		return MicroUSD(satAdd(max(int64(spent), 0), int64(s.perHour)))
	}
	return [3]budget{
		{"hour", g.HourMax, s.perHour},
		{"day", g.DayMax, plus(o.Money.SpentDay)},
		{"month", g.MonthMax, plus(o.Money.SpentMonth)},
	}
}

// rooms returns what may be launched by each quantity.
func (g *Guard) rooms(o *Observation, s *survey, through int) [quantities]int64 {
	r := [quantities]int64{
		ofInstances: min(roomLeft(int64(g.LaunchMax), 0), int64(through),
			roomLeft(int64(g.InFlightMax), int64(s.inFlight)), roomLeft(int64(g.FleetMax), int64(s.alive))),
		ofCores: roomLeft(int64(g.CoresMax), s.cores),
		ofMoney: Unlimited,
	}
	for _, m := range g.budgets(o, s) {
		r[ofMoney] = min(r[ofMoney], roomLeft(int64(m.max), int64(m.committed)))
	}
	return r
}

// limitCounts applies the tightest of the limits that count instances, and
// tells which it was.
func (g *Guard) limitCounts(k *clamping, s *survey, through int, breaker Reason) {
	inFlight := roomLeft(int64(g.InFlightMax), int64(s.inFlight))
	fleet := roomLeft(int64(g.FleetMax), int64(s.alive))
	perTick := roomLeft(int64(g.LaunchMax), 0)
	tightest := min(perTick, inFlight, fleet)
	if int64(through) < tightest {
		k.limit(ofInstances, int64(through), func(asked, allowed float64) Reason {
			breaker.Figures[0], breaker.Figures[1] = asked, allowed
			return breaker
		})
		return
	}
	k.limit(ofInstances, tightest, func(asked, allowed float64) Reason {
		switch tightest {
		case perTick:
			return ruleGuardLaunch.Because(asked, allowed, float64(g.LaunchMax), float64(min(inFlight, fleet)))
		case inFlight:
			return ruleGuardInFlight.Because(asked, allowed, float64(g.InFlightMax), float64(s.inFlight))
		}
		return ruleGuardFleet.Because(asked, allowed, float64(g.FleetMax), float64(s.alive))
	})
}

// clamping is a decision whose launches are being reduced.
type clamping struct {
	weigher
	d *Decision
}

// own replaces the launches by a copy that may be written to.
func (k *clamping) own() { k.d.Launches = slices.Clone(k.d.Launches) }

// asked returns how many instances the launches ask for.
func (k *clamping) asked() float64 {
	n := 0.0
	for i := range k.d.Launches {
		n += float64(max(k.d.Launches[i].Count, 0))
	}
	return n
}

// fits reports whether every launch can be counted and all of them together
// stay within the rooms, whatever EC2 refuses.
func (k *clamping) fits(rooms [quantities]int64) bool {
	for i := range k.d.Launches {
		l := &k.d.Launches[i]
		if l.Count <= 0 || !inCatalog(k.c, l.Type) || k.countable(l) < len(l.Else) || !k.take(&rooms, l, len(l.Else)) {
			return false
		}
	}
	return true
}

// countable returns how many of a launch's substitutes, from the first, can be
// counted.
func (k *clamping) countable(l *Launch) int {
	for i := range l.Else {
		if !k.sound(&l.Else[i]) {
			return i
		}
	}
	return len(l.Else)
}

// take subtracts the worst a launch and its first n substitutes may come to, if
// the rooms hold it.
func (k *clamping) take(rooms *[quantities]int64, l *Launch, n int) bool {
	left := *rooms
	for m := range left {
		need := k.worst(quantity(m), l, n)
		if left[m] == Unlimited {
			continue
		}
		if need > left[m] {
			return false
		}
		left[m] -= need
	}
	*rooms = left
	return true
}

// dropUnknown empties launches that cannot be counted.
func (k *clamping) dropUnknown() {
	dropped := 0
	for i := range k.d.Launches {
		if l := &k.d.Launches[i]; l.Count <= 0 || !inCatalog(k.c, l.Type) {
			l.Count = 0
			dropped++
		}
	}
	if dropped > 0 {
		k.d.because(ruleGuardUnknown.Because(float64(dropped)))
	}
}

// limit reduces first choices to what fits into a room, earlier launches first,
// and gives the reason if that removed any.
func (k *clamping) limit(m quantity, left int64, why func(asked, allowed float64) Reason) {
	if left == Unlimited {
		return
	}
	asked := k.asked()
	for i := range k.d.Launches {
		l := &k.d.Launches[i]
		if l.Count == 0 {
			continue
		}
		if w := k.weight(m, l.Type, l.Market); w > 0 {
			l.Count = int(min(int64(l.Count), left/w))
			left -= int64(l.Count) * w
		}
	}
	if allowed := k.asked(); allowed < asked {
		k.d.because(why(asked, allowed))
	}
}

// limitSubstitutes keeps of every launch the longest run of substitutes that
// the rooms hold beside all first choices. A later substitute stands in for an
// earlier one, so nothing behind the first that does not fit can stay.
func (k *clamping) limitSubstitutes(rooms [quantities]int64) {
	for i := range k.d.Launches {
		if l := &k.d.Launches[i]; l.Count > 0 {
			k.take(&rooms, l, 0) // fits: the limits above saw to it
		}
	}
	for i := range k.d.Launches {
		l := &k.d.Launches[i]
		if l.Count == 0 || len(l.Else) == 0 {
			continue
		}
		for m := range rooms { // give back the first choice, take the whole chain
			if rooms[m] != Unlimited {
				rooms[m] += k.worst(quantity(m), l, 0)
			}
		}
		n := k.countable(l)
		for !k.take(&rooms, l, n) {
			n--
		}
		if n < len(l.Else) {
			k.d.because(ruleGuardSubstitute.Named(k.c.Types[l.Type].Name, float64(n), float64(len(l.Else))))
			l.Else = l.Else[:n:n]
		}
		if n == 0 {
			l.Else = nil
		}
	}
}
