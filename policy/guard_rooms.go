package policy

// roomLeft returns what is left of a limit.
func roomLeft(limit, used int64) int64 {
	switch {
	case limit == Unlimited:
		return Unlimited
	case limit <= used:
		return 0
	}
	return limit - used
}

// budget is one of the limits on money and what counts against it before
// anything is launched.
type budget struct {
	name           string
	max, committed MicroUSD
}

// budgets returns the limits on money.
func (g *Guard) budgets(o *Observation, s *tally) [3]budget {
	plus := func(spent MicroUSD) MicroUSD {
		return MicroUSD(saturatingAdd(max(int64(spent), 0), int64(s.perHour)))
	}
	return [3]budget{
		{"hour", g.HourMax, s.perHour},
		{"day", g.DayMax, plus(o.Money.SpentDay)},
		{"month", g.MonthMax, plus(o.Money.SpentMonth)},
	}
}

// roomsLeft returns what may still be launched, of each quantity, where the circuit breaker
// lets so many instances through.
func (g *Guard) roomsLeft(o *Observation, s *tally, through int) [quantities]int64 {
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
