package skynet

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// market is what may be bought, and what a unit of work costs of each type.
type market struct {
	catalog *policy.Catalog
	allowed []int // catalog indices of the types that may be bought
	// unitSpeed is the speed of the unit slot: one slot of the type whose unit of work
	// is cheapest by the catalog. It never changes, so that what was learned in unit
	// slots stays comparable. unitSlots is how many slots an instance of that type has.
	unitSpeed float64
	unitSlots float64

	// By catalog index: an instance's capacity in unit slots, at the speed that was
	// measured; its price per hour as last seen; until when EC2 is taken to have none.
	slots        []float64
	prices       []policy.MicroUSD
	refusedUntil []time.Time
	// cheapestFirst is allowed, ordered by the price of a unit of work, the larger
	// type first among equals.
	cheapestFirst []int
	quotaUntil    time.Time // until when nothing is asked for, because of the account's quota
}

const (
	// refusedFor is for how long a type that EC2 had no capacity of is not asked for.
	refusedFor = 180 * time.Second
	// quotaFor is for how long nothing is asked for when the account is at its quota.
	quotaFor = 10 * time.Minute
	// dearerMost is how many times as dear the unit of work of a type may be that is
	// bought for a rest, or beside the cheapest.
	dearerMost = 1.05
)

// newMarket returns the market of the named types of c, of all types where none is
// named. It fails when c has no type of a name, or nothing has any capacity.
func newMarket(c *policy.Catalog, names []string) (market, error) {
	m := market{catalog: c}
	for i := range c.Types {
		t := &c.Types[i]
		m.slots = append(m.slots, t.Capacity())
		m.prices = append(m.prices, t.PerHour)
		if (len(names) == 0 || slices.Contains(names, t.Name)) && t.Capacity() > 0 {
			m.allowed = append(m.allowed, i)
		}
	}
	for _, typ := range names {
		if c.Index(typ) < 0 {
			return market{}, &policy.ParamError{Policy: name, Name: parTypes.Name, Value: typ, Allowed: "a type of catalog " + c.Name}
		}
	}
	if len(m.allowed) == 0 {
		return market{}, &policy.ParamError{Policy: name, Name: parTypes.Name, Value: names, Allowed: "types with slots and speed: there is nothing to buy"}
	}
	m.refusedUntil = make([]time.Time, len(c.Types))
	m.cheapestFirst = slices.Clone(m.allowed)
	m.sortByPrice()
	unit := &c.Types[m.cheapestFirst[0]]
	m.unitSpeed = unit.Speed
	m.unitSlots = float64(unit.Slots)
	for i := range m.slots {
		m.slots[i] /= m.unitSpeed
	}
	return m, nil
}

// slotsOf returns an instance's capacity in unit slots; 0 for a type the
// catalog lacks.
func (m *market) slotsOf(typ int) float64 {
	if typ < 0 || typ >= len(m.slots) {
		return 0
	}
	return m.slots[typ]
}

// priceOrder compares two types by the price of a unit of work: it is above 0 when that of
// a is dearer, below when that of b is. It is p/q − r/s without divisions, so that
// equal prices are exactly equal.
func (m *market) priceOrder(a, b int) float64 {
	return float64(float64(m.prices[a])*m.slots[b]) - float64(float64(m.prices[b])*m.slots[a])
}

// nearlyAsCheap reports whether b's unit of work costs at most dearerMost times a's.
func (m *market) nearlyAsCheap(a, b int) bool {
	return float64(m.prices[b])*m.slots[a] <= float64(dearerMost*float64(m.prices[a]))*m.slots[b]
}

// sortByPrice puts cheapestFirst in order; among equals in size as well it is that of the
// catalog.
func (m *market) sortByPrice() {
	slices.SortStableFunc(m.cheapestFirst, func(a, b int) int {
		switch d := m.priceOrder(a, b); {
		case d > 0:
			return 1
		case d < 0:
			return -1
		case m.slots[a] != m.slots[b]:
			if m.slots[a] > m.slots[b] {
				return -1
			}
			return 1
		}
		return a - b
	})
}

// updateSpeeds takes in the speeds that were measured, by catalog index, and reports
// whether one has changed. A type without a measured speed has the catalog's.
func (m *market) updateSpeeds(speeds []float64) (changed bool) {
	for i := range m.slots {
		t := &m.catalog.Types[i]
		speed := t.Speed
		if i < len(speeds) && speeds[i] > 0 {
			speed = speeds[i]
		}
		if slots := float64(t.Slots) * speed / m.unitSpeed; slots != m.slots[i] {
			m.slots[i], changed = slots, true
		}
	}
	return changed
}

// update takes in speeds, prices and refusals.
//
// A refusal for want of capacity concerns the type, wherever it was asked for, because
// SkyNet names no zone. One because of the quota concerns the whole account. A call that
// was throttled or failed says nothing about what EC2 has.
func (m *market) update(o *policy.Observation) {
	if m.updateSpeeds(o.Fleet.Speeds) {
		m.cheapestFirst = append(m.cheapestFirst[:0], m.allowed...)
		m.sortByPrice()
	}
	if o.Money.Complete && len(o.Money.OnDemand) == len(m.prices) && !slices.Equal(o.Money.OnDemand, m.prices) {
		copy(m.prices, o.Money.OnDemand)
		m.cheapestFirst = append(m.cheapestFirst[:0], m.allowed...)
		m.sortByPrice()
	}
	clear(m.refusedUntil)
	m.quotaUntil = time.Time{}
	for i := range o.EC2.Refusals {
		r := &o.EC2.Refusals[i]
		if r.Market != policy.OnDemand {
			continue
		}
		switch r.Why {
		case "capacity":
			if r.Type >= 0 && r.Type < len(m.refusedUntil) {
				m.refusedUntil[r.Type] = later(m.refusedUntil[r.Type], r.At.Add(refusedFor))
			}
		case "quota":
			m.quotaUntil = later(m.quotaUntil, r.At.Add(quotaFor))
		}
	}
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sells reports whether EC2 can be expected to sell a type now.
func (m *market) sells(typ int, now time.Time) bool { return !now.Before(m.refusedUntil[typ]) }
