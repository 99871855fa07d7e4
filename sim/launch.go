package sim

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// What policy.Refusal gives as the reason.
const (
	refusedCapacity    = "capacity"
	refusedQuota       = "quota"
	refusedThrottled   = "throttled"
	refusedUnavailable = "unavailable"
)

// launchAll asks EC2 for a launch and, as far as it is refused, for its
// substitutes. It returns how many instances were launched, how many were
// refused, and how many of the last choice are missing.
func (e *engine) launchAll(l *policy.Launch) (launched, refused, left int) {
	got, why := e.runInstances(l.Type, l.Market, l.Zone, l.Count)
	launched, left = got, l.Count-got
	refused = left
	for _, sub := range l.Else {
		// a throttled or failed call says nothing about the type: asking for
		// another would only add to the storm
		if left == 0 || why != refusedCapacity {
			break
		}
		n := sub.Count(left)
		got, why = e.runInstances(sub.Type, sub.Market, l.Zone, n)
		launched += got
		refused += n - got
		left = n - got
	}
	return launched, refused, left
}

// runInstances is one call: up to n instances of a type. It returns how many
// were launched and, if fewer, why.
func (e *engine) runInstances(typ int, market policy.Market, zone string, n int) (int, string) {
	if n <= 0 {
		return 0, ""
	}
	allowed, why := n, ""
	switch {
	case e.faults.apiDown:
		allowed, why = 0, refusedUnavailable
	case e.throttled():
		allowed, why = 0, refusedThrottled
	case e.refuses(typ, zone), e.outbid(typ, market):
		allowed, why = 0, refusedCapacity
	case e.cfg.MaxInstances > 0 && len(e.alive)+n > e.cfg.MaxInstances:
		allowed, why = max(e.cfg.MaxInstances-len(e.alive), 0), refusedQuota
	}
	switch why {
	case refusedUnavailable:
		e.rec.Called(e.now, 1, 1, 0)
	case refusedThrottled:
		e.rec.Called(e.now, 1, 0, 1)
	default:
		e.rec.Called(e.now, 1, 0, 0)
	}
	for range allowed {
		e.launchOne(typ, market, zone)
	}
	if allowed > 0 {
		e.rec.Launched(e.now, allowed)
	}
	if allowed < n {
		e.stats.inst.Refused += n - allowed
		e.rec.Refused(policy.Refusal{
			Type: typ, Market: market, Zone: zone, At: e.cfg.Start.Add(time.Duration(e.now)),
			Asked: n, Refused: n - allowed, Why: why,
		})
		e.digest.add(digestRefuse, e.now, int64(typ), int64(n-allowed))
	}
	return allowed, why
}

// launchOne starts one instance.
func (e *engine) launchOne(typ int, market policy.Market, zone string) {
	in := e.newInstance(typ, market, zone)
	id := in.id
	e.stats.launched(e, int(typ))
	e.digest.add(digestLaunch, e.now, id, int64(typ)<<1|int64(market))

	lag, boots := e.bootOf(id, typ, int(in.zone))
	if !boots {
		e.stats.inst.NeverBooted++
	} else {
		e.rare.push(e.now+int64(lag), becomesReady, id)
	}
	if delay, lost := e.replyLost(id, typ, int(in.zone)); lost {
		in.confirmed = e.now + delay
	}
	e.scheduleCrash(in)
	e.scheduleInterruption(in)
}

// newInstance returns an instance that boots from now on.
func (e *engine) newInstance(typ int, market policy.Market, zone string) *instance {
	t := &e.cfg.Catalog.Types[typ]
	id := e.launched
	e.launched++
	r := e.newRecord()
	in := e.insts[r]
	*in = instance{
		id: id, typ: int32(typ), market: market, zone: int32(e.placeIn(id, typ, zone)), phase: policy.Booting,
		launch: e.now, readyAt: never, confirmed: e.now, seen: -1, interrupt: never, crashed: never,
		base: e.newSlots(t.Slots), n: int32(t.Slots), ratio: e.ratios[typ],
	}
	for s := in.base; s < in.base+in.n; s++ {
		e.slots[s] = slot{in: in}
	}
	in.bill = account{price: e.priceOf(typ, market), priceSince: e.now, shown: e.now}
	e.alive = append(e.alive, r)
	e.addAlive(1)
	e.addBoot(int64(in.n))
	e.stats.inst.Max = max(e.stats.inst.Max, len(e.alive))
	return in
}

// newRecord returns a free instance record.
func (e *engine) newRecord() int32 {
	if n := len(e.free); n > 0 {
		r := e.free[n-1]
		e.free = e.free[:n-1]
		return r
	}
	e.insts = append(e.insts, new(instance))
	return int32(len(e.insts) - 1)
}

// newSlots returns the first of n consecutive free slots.
func (e *engine) newSlots(n int) int32 {
	for len(e.bases) <= n {
		e.bases = append(e.bases, nil)
	}
	if k := len(e.bases[n]); k > 0 {
		base := e.bases[n][k-1]
		e.bases[n] = e.bases[n][:k-1]
		return base
	}
	base := e.numbered
	e.numbered += int32(n)
	if int(e.numbered) > len(e.slots) {
		e.slots = append(e.slots, make([]slot, max(len(e.slots), n))...)
		e.done.grow(len(e.slots))
		e.idle.grow(len(e.slots))
		if e.took != nil {
			e.took = append(e.took, make([]int64, len(e.slots)-len(e.took))...)
		}
	}
	return base
}

// outbid reports whether spot costs more than on-demand now: nobody gets any.
func (e *engine) outbid(typ int, market policy.Market) bool {
	return market == policy.Spot && e.spot != nil && e.spot.price(typ) > e.prices[typ]
}

// priceOf returns the price per hour now.
func (e *engine) priceOf(typ int, market policy.Market) policy.MicroUSD {
	if market == policy.Spot && e.spot != nil {
		return e.spot.price(typ)
	}
	return e.prices[typ]
}
