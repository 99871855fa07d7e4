package policy

// Clamp stub
func (g Guard) Clamp(o *Observation, c *Catalog, d Decision) Decision { return d }

// Open returns a guard whose only limit is the fleet size.
func Open(fleetMax int) Guard { return Guard{FleetMax: fleetMax} }
