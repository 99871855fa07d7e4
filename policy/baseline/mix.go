package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// refusedFor is how long a type that EC2 refused is not asked for by rivals that
// mix types: Karpenter's cache of insufficient capacity.
const refusedFor = 3 * time.Minute

// buyMix launches the cheapest cover of so many slots: whole instances of the
// type whose unit of work is cheapest, and for the rest the cheapest type that
// holds it. Slots count, not their speed.
func (a *actuator) buyMix(o *policy.Observation, slots int) {
	base := -1
	for _, t := range a.types {
		if !refused(o, t) {
			base = t
			break
		}
	}
	if base < 0 {
		return
	}
	types := a.env.Catalog.Types
	whole, rest := slots/types[base].Slots, slots%types[base].Slots
	if whole > 0 {
		a.launches = append(a.launches, policy.Launch{Type: base, Count: min(whole, a.stepMax)})
	}
	if rest == 0 || whole >= a.stepMax {
		return
	}
	last := base
	for _, t := range a.types {
		if types[t].Slots >= rest && !refused(o, t) && types[t].PerHour < types[last].PerHour {
			last = t
		}
	}
	if last == base && whole > 0 {
		a.launches[0].Count++
		return
	}
	a.launches = append(a.launches, policy.Launch{Type: last, Count: 1})
}

// refused reports whether EC2 had none of the type a short while ago.
func refused(o *policy.Observation, typ int) bool {
	for i := range o.EC2.Refusals {
		r := &o.EC2.Refusals[i]
		if r.Type == typ && r.Why == "capacity" && o.Now.Sub(r.At) < refusedFor {
			return true
		}
	}
	return false
}

// smallestNode returns the slots of the smallest instance that is ready or boots.
func (s *signals) smallestNode() int {
	least := beyond
	for i := range s.instances {
		if in := &s.instances[i]; in.Phase < policy.Draining && in.Slots > 0 {
			least = min(least, in.Slots)
		}
	}
	return least
}

// meanNode returns the slots of a mean instance that is ready, what was released
// among them; of the first type that it buys, where none is.
func (s *signals) meanNode() float64 {
	nodes, slots := 0, 0
	for i := range s.instances {
		if in := &s.instances[i]; in.Phase == policy.Ready && in.Slots > 0 {
			nodes++
			slots += in.Slots
		}
	}
	if nodes == 0 {
		return float64(s.slots)
	}
	return float64(slots) / float64(nodes)
}
