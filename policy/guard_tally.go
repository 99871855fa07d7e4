package policy

import "time"

// tally is what the guard counts of a fleet. Every instance that is alive counts,
// whatever its phase, because it is paid.
type tally struct {
	alive    int
	inFlight int // requested or booting
	// hopeful instances are in flight and younger than the learned p99 of boots. Overdue
	// ones are older than twice that and than bootPatience, and no instance launched after
	// them has become a worker either.
	hopeful, overdue int
	cores            int64
	perHour          MicroUSD // price of an hour of all of it
	// Jobs that run as the workers that report say (busy) and as the queue says
	// (running), jobs that wait, and for how long the oldest has.
	busy, running, waiting int64
	oldestWait             time.Duration
}

// bootPatience is the age below which a boot is never given up.
const bootPatience = 5 * time.Minute

// tallyOf counts what o says, in one pass.
func tallyOf(o *Observation, c *Catalog) tally {
	var s tally
	s.alive = len(o.Fleet.Instances)
	giveUp := max(2*o.Fleet.Boot.P99, bootPatience)
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		switch in.Phase {
		case Requested, Booting:
			s.inFlight++
			if age := o.Now.Sub(in.LaunchedAt); age <= o.Fleet.Boot.P99 {
				s.hopeful++
			} else if age > giveUp {
				s.overdue++
			}
		default: // in launch order: what failed before this one failed alone
			s.overdue = 0
		}
		if in.Phase != Lost { // what it runs may have gone back to the queue
			s.busy += int64(in.Busy)
		}
		s.cores = saturatingAdd(s.cores, coresOf(c, in.Type, in.Slots))
		s.perHour = MicroUSD(saturatingAdd(int64(s.perHour), int64(priceOf(o, c, in.Type, in.Market))))
	}
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		s.running += k.InFlight.Jobs
		s.waiting += k.Pending.Jobs
		s.oldestWait = max(s.oldestWait, k.OldestWait)
	}
	return s
}

// coresOf returns the cores of a type, or, for a type the catalog lacks, the
// slots its instance was seen to have.
func coresOf(c *Catalog, typ, slots int) int64 {
	if inCatalog(c, typ) {
		return int64(c.Types[typ].Cores)
	}
	return int64(max(slots, 1))
}

// priceOf returns what an hour of a type costs now: the price observed, the
// catalog's where none was, and for a type the catalog lacks the dearest it
// has. A price of zero is a failed reading, never a gift.
func priceOf(o *Observation, c *Catalog, typ int, m Market) MicroUSD {
	if !inCatalog(c, typ) {
		dearest := MicroUSD(0)
		if c != nil {
			for i := range c.Types {
				dearest = max(dearest, c.Types[i].PerHour)
			}
		}
		return dearest
	}
	if m == Spot && typ < len(o.Money.Spot) && o.Money.Spot[typ] > 0 {
		return o.Money.Spot[typ]
	}
	if typ < len(o.Money.OnDemand) && o.Money.OnDemand[typ] > 0 {
		return o.Money.OnDemand[typ]
	}
	return c.Types[typ].PerHour
}

// inCatalog reports whether typ is an index into the catalog.
func inCatalog(c *Catalog, typ int) bool { return c != nil && typ >= 0 && typ < len(c.Types) }

// saturatingAdd returns a+b for a and b that are not negative, at most Unlimited.
func saturatingAdd(a, b int64) int64 {
	if sum := a + b; sum >= 0 {
		return sum
	}
	return Unlimited
}
