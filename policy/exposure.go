package policy

// Exposure is what a fleet has at most once a decision is carried out, whatever
// EC2 refuses and whichever substitutes stand in. It is what limits over several
// fleets count. The zero Exposure is that of a fleet without instances.
type Exposure struct {
	Instances int64 `json:"instances"`
	Cores     int64 `json:"cores"`
	// PerHour is what an hour of all of it costs.
	PerHour MicroUSD `json:"per_hour_micro_usd"`
}

// Plus returns the sum of both.
func (e Exposure) Plus(o Exposure) Exposure {
	return Exposure{
		saturatingAdd(e.Instances, o.Instances), saturatingAdd(e.Cores, o.Cores),
		MicroUSD(saturatingAdd(int64(e.PerHour), int64(o.PerHour))),
	}
}

// ExposureOf returns the exposure of the fleet of o after the launches of d:
// everything alive and requested, draining too, and the worst that the launches
// may come to. It counts as Guard.Clamp does: what Clamp leaves under limits has
// no greater exposure than they allow, or launches nothing.
func ExposureOf(o *Observation, c *Catalog, d *Decision) Exposure {
	s := tallyOf(o, c)
	e := Exposure{int64(s.alive), s.cores, s.perHour}
	w := weigher{o, c}
	for i := range d.Launches {
		l := &d.Launches[i]
		if l.Count <= 0 || !inCatalog(c, l.Type) {
			continue
		}
		e = e.Plus(Exposure{w.worstCase(ofInstances, l, len(l.Else)), w.worstCase(ofCores, l, len(l.Else)), MicroUSD(w.worstCase(ofMoney, l, len(l.Else)))})
	}
	return e
}

// Beside returns g reduced by what other fleets have and have spent, so that all
// of them together stay within g. Limits that concern one decision stay as they
// are.
func (g Guard) Beside(others Exposure, day, month MicroUSD) Guard {
	left := func(limit, used int64) int64 { return roomLeft(limit, max(used, 0)) }
	g.FleetMax = int(left(int64(g.FleetMax), others.Instances))
	g.CoresMax = int(left(int64(g.CoresMax), others.Cores))
	g.HourMax = MicroUSD(left(int64(g.HourMax), int64(others.PerHour)))
	g.DayMax = MicroUSD(left(int64(g.DayMax), saturatingAdd(int64(day), int64(others.PerHour))))
	g.MonthMax = MicroUSD(left(int64(g.MonthMax), saturatingAdd(int64(month), int64(others.PerHour))))
	return g
}
