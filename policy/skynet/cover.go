package skynet

import (
	"cmp"
	"math"
	"slices"

	"github.com/skynet-ec2/skynet/policy"
)

// lot is a number of instances of one type. A typ of −1 stands for none.
type lot struct{ typ, n int }

// cover returns the cheapest set of at most two types with at least the given slots,
// among those that EC2 can be expected to sell. The bulk is as many instances as fit,
// of the cheapest type per unit of work in the size that suits the fleet. The rest is
// the lot that covers what is left for least, of fewer instances among equals.
//
// Types whose unit of work costs more than a twentieth above that of the bulk are left
// out: a small instance that just fits today's need is dear tomorrow, and its slow
// slots make jobs late that did not even wait.
func (p *Policy) cover(o *policy.Observation, slots float64) (bulk, rest lot) {
	m := &p.market
	bulk.typ, rest.typ = -1, -1
	for _, typ := range m.cheapestFirst {
		if m.sells(typ, o.Now) {
			bulk.typ = p.suitableType(o, typ, slots)
			break
		}
	}
	if bulk.typ < 0 {
		return bulk, rest
	}
	bulk.n = int(math.Floor(min(slots/m.slots[bulk.typ], instancesMax)))
	left := slots - float64(float64(bulk.n)*m.slots[bulk.typ])
	if left <= 0 {
		return bulk, rest
	}
	rest = p.cheapestLot(o, bulk.typ, left)
	if rest.typ == bulk.typ || rest.typ < 0 {
		return lot{bulk.typ, bulk.n + 1}, lot{-1, 0}
	}
	if bulk.n == 0 {
		return rest, lot{-1, 0}
	}
	return bulk, rest
}

// cheapestLot returns the lot that has at least the given slots for least, of types
// whose unit of work costs at most a twentieth more than that of typ.
func (p *Policy) cheapestLot(o *policy.Observation, typ int, slots float64) lot {
	m := &p.market
	best, least := lot{typ: -1}, 0.0
	for _, t := range m.cheapestFirst {
		if !m.sells(t, o.Now) || !m.nearlyAsCheap(typ, t) {
			continue
		}
		n := math.Ceil(slots / m.slots[t])
		if n > instancesMax {
			continue
		}
		if cost := n * float64(m.prices[t]); best.typ < 0 || cost < least || cost == least && int(n) < best.n {
			least = cost
			best = lot{t, int(n)}
		}
	}
	return best
}

// fleetGrain is how many instances a fleet should have at least: small ones follow the
// load more closely, large ones are fewer to handle.
const fleetGrain = 12

// suitableType returns the size of the type best that suits a fleet with so many more
// slots: of the types on sale whose unit of work costs the same, the largest one of at
// most 1/fleetGrain of that fleet, or else the smallest.
func (p *Policy) suitableType(o *policy.Observation, best int, slots float64) int {
	m := &p.market
	most := (p.fleet.alive + slots) / fleetGrain
	size := best
	for _, typ := range m.cheapestFirst {
		if m.priceOrder(typ, best) == 0 && m.sells(typ, o.Now) && m.slots[size] > most && m.slots[typ] < m.slots[size] {
			size = typ
		}
	}
	return size
}

// instancesMax bounds one lot, so that counting never overflows.
const instancesMax = 1e6

// launch asks for a lot. For what EC2 refuses of it, substitutes of equal throughput are
// named in order: first those that cover the whole lot for least, of fewer instances
// among equals.
func (p *Policy) launch(o *policy.Observation, l lot) {
	if l.typ < 0 || l.n <= 0 {
		return
	}
	m := &p.market
	slots := float64(l.n) * m.slots[l.typ]
	p.options = p.options[:0]
	for _, typ := range m.cheapestFirst {
		if typ != l.typ && m.sells(typ, o.Now) {
			n := math.Ceil(slots / m.slots[typ])
			p.options = append(p.options, option{typ: typ, n: n, cost: n * float64(m.prices[typ])})
		}
	}
	slices.SortStableFunc(p.options, func(a, b option) int {
		if a.cost != b.cost {
			return cmp.Compare(a.cost, b.cost)
		}
		return cmp.Compare(a.n, b.n)
	})
	start, from := len(p.substitutes), l.typ
	for _, option := range p.options[:min(len(p.options), substitutesMax)] {
		// what is refused of one type is asked for as the next: each count goes by the one before
		num, den := fraction(m.slots[from], m.slots[option.typ])
		p.substitutes = append(p.substitutes, policy.Substitute{Type: option.typ, Num: num, Den: den})
		from = option.typ
	}
	p.launches = append(p.launches, policy.Launch{Type: l.typ, Count: l.n, Else: p.substitutes[start:len(p.substitutes):len(p.substitutes)]})
}

// option is a type that could stand in for a lot, in what number and for how much an
// hour.
type option struct {
	typ     int
	n, cost float64
}

// substitutesMax is how many substitutes one launch names.
const substitutesMax = 4

// fraction returns a/b, rounded to thousandths above and below the line, in lowest terms;
// 1/1 where either is nothing.
func fraction(a, b float64) (num, den int) {
	num, den = int(math.Round(a*1000)), int(math.Round(b*1000))
	if num <= 0 || den <= 0 {
		return 1, 1
	}
	x, y := num, den
	for y != 0 {
		x, y = y, x%y
	}
	return num / x, den / x
}
