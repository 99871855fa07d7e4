package sim

import (
	"slices"

	"github.com/skynet-ec2/skynet/policy"
)

// distort applies the faults of signals: what is stale, zeroed or unreadable.
// A queue outage makes the queue's section unreadable; an API outage leaves the
// fleet's section to the controller's own ledger, incomplete and ageing.
func (e *engine) distort() {
	for i, on := range e.active {
		if !on {
			continue
		}
		f := &e.cfg.Faults[i]
		switch f.Kind {
		case QueueOutage:
			e.freeze(sectionQueue)
			e.obs.Queue.Complete = false
		case APIOutage:
			e.obs.Fleet.Complete = false
			e.obs.Fleet.At = e.faults.listed
		case Stale, Zero, Blind:
			for section, name := range sectionNames {
				if f.names(name) {
					e.distortSection(f.Kind, section)
				}
			}
		}
	}
}

func (e *engine) distortSection(kind FaultKind, section int) {
	switch kind {
	case Stale:
		e.freeze(section)
	case Zero:
		zeroSection(&e.obs, section)
	case Blind:
		e.freeze(section)
		reading(&e.obs, section).Complete = false
	}
}

// names reports whether a signal fault concerns the section; without a list it
// concerns the queue.
func (f *Fault) names(section string) bool {
	if len(f.Signals) == 0 {
		return section == sectionNames[sectionQueue]
	}
	for _, s := range f.Signals {
		if s == section {
			return true
		}
	}
	return false
}

// reading returns the stamp of a section.
func reading(o *policy.Observation, section int) *policy.Reading {
	switch section {
	case sectionFleet:
		return &o.Fleet.Reading
	case sectionMoney:
		return &o.Money.Reading
	case sectionHistory:
		return &o.History.Reading
	}
	return &o.Queue.Reading
}

// freezeFor keeps what was last read of the sections that a fault, which now
// begins, makes unreadable.
func (e *engine) freezeFor(f *Fault) {
	for section := range sectionNames {
		if f.freezes(section) && e.faults.frozen[section] == nil {
			c := cloneSection(&e.obs, section)
			e.faults.frozen[section] = &c
		}
	}
}

// freezes reports whether the fault keeps a section from being read anew.
func (f *Fault) freezes(section int) bool {
	switch f.Kind {
	case Stale, Blind:
		return f.names(sectionNames[section])
	case QueueOutage:
		return section == sectionQueue
	}
	return false
}

// freeze replaces a section by what was last read of it before the fault.
func (e *engine) freeze(section int) {
	copySection(&e.obs, e.faults.frozen[section], section)
}

// thaw forgets the frozen copies of sections no fault freezes any more.
func (e *engine) thaw() {
	for section := range sectionNames {
		frozen := false
		for i, on := range e.active {
			frozen = frozen || on && e.cfg.Faults[i].freezes(section)
		}
		if !frozen {
			e.faults.frozen[section] = nil
		}
	}
}

func copySection(to, from *policy.Observation, section int) {
	switch section {
	case sectionQueue:
		to.Queue = from.Queue
	case sectionFleet:
		// the recorder's scratch memory stays with the live observation
		instances := to.Fleet.Instances
		to.Fleet = from.Fleet
		to.Fleet.Instances = append(instances[:0], from.Fleet.Instances...)
	case sectionMoney:
		to.Money = from.Money
	case sectionHistory:
		to.History = from.History
	}
}

// cloneSection returns an observation whose section shares no memory with o.
func cloneSection(o *policy.Observation, section int) policy.Observation {
	var c policy.Observation
	switch section {
	case sectionQueue:
		c.Queue = o.Queue
		c.Queue.Kinds = slices.Clone(o.Queue.Kinds)
		for i := range c.Queue.Kinds {
			k := &c.Queue.Kinds[i]
			k.PendingByAge = slices.Clone(k.PendingByAge)
			k.PendingBySize = slices.Clone(k.PendingBySize)
		}
	case sectionFleet:
		c.Fleet = o.Fleet
		c.Fleet.Instances = slices.Clone(o.Fleet.Instances)
		c.Fleet.Freeing = slices.Clone(o.Fleet.Freeing)
	case sectionMoney:
		c.Money = o.Money
		c.Money.OnDemand = slices.Clone(o.Money.OnDemand)
		c.Money.Spot = slices.Clone(o.Money.Spot)
	case sectionHistory:
		c.History = o.History
		c.History.Decisions = slices.Clone(o.History.Decisions)
	}
	return c
}

// zeroSection makes a section read zero and claim to be complete: the outage
// that looks like an idle night.
func zeroSection(o *policy.Observation, section int) {
	stamp := policy.Reading{At: o.Now, Complete: true}
	switch section {
	case sectionQueue:
		kinds := o.Queue.Kinds
		for i := range kinds {
			k := &kinds[i]
			kinds[i] = policy.KindView{Type: k.Type, Priority: k.Priority, Class: k.Class, Service: k.Service}
		}
	case sectionFleet:
		o.Fleet = policy.FleetView{Reading: stamp, Instances: o.Fleet.Instances[:0], Boot: o.Fleet.Boot}
	case sectionMoney:
		o.Money = policy.MoneyView{Reading: stamp, OnDemand: o.Money.OnDemand, Spot: o.Money.Spot}
	case sectionHistory:
		o.History = policy.HistoryView{Reading: stamp}
	}
}
