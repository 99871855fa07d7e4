package sim

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Weather is what a world has in store for whoever plays EC2 in it by other
// means than a simulation run: the same boot lags, refusals, prices and faults,
// drawn by launch number, so that a launch of the same number meets the same
// fate here and there. Its time only moves forward. Make one with NewWeather; it
// is not safe for concurrent use.
type Weather struct {
	weather
	at    time.Duration
	spot  *spotPrices
	begun []bool // faults whose beginning has been told
}

// NewWeather returns the weather of the world cfg at its start. Faults that are
// added later do not change cfg.
func NewWeather(cfg *Config) *Weather {
	own := *cfg
	own.Faults = slices.Clone(cfg.Faults)
	w := &Weather{weather: newWeather(&own), begun: make([]bool, len(own.Faults))}
	if own.Spot != nil {
		w.spot = newSpotPrices(&own)
	}
	w.To(0)
	return w
}

// To moves the weather to a time since the world's start, not before the last,
// and returns the faults that have begun since then.
func (w *Weather) To(at time.Duration) (began []int) {
	w.at = max(at, w.at)
	for i := range w.cfg.Faults {
		f := &w.cfg.Faults[i]
		w.active[i] = f.From <= w.at && (f.To == 0 || w.at < f.To)
		if f.From <= w.at && !w.begun[i] {
			w.begun[i] = true
			began = append(began, i)
		}
	}
	if w.spot != nil {
		w.spot.advance(int64(w.at))
	}
	return began
}

// NextChange returns when, after the present, a fault begins or ends or spot
// prices move; false if nothing of that kind is to come.
func (w *Weather) NextChange() (time.Duration, bool) {
	next, some := time.Duration(0), false
	consider := func(at time.Duration) {
		if at > w.at && (!some || at < next) {
			next, some = at, true
		}
	}
	for i := range w.cfg.Faults {
		consider(w.cfg.Faults[i].From)
		consider(w.cfg.Faults[i].To)
	}
	if w.spot != nil {
		consider(time.Duration(w.spot.next(int64(w.at))))
	}
	return next, some
}

// Add puts another fault into the world and returns its number. It is under way
// from the next To on that lies in its time.
func (w *Weather) Add(f Fault) int {
	w.cfg.Faults = append(w.cfg.Faults, f)
	w.active = append(w.active, false)
	w.begun = append(w.begun, false)
	return len(w.cfg.Faults) - 1
}

// End ends fault i at the present time. A fault that has not begun never will.
func (w *Weather) End(i int) {
	f := &w.cfg.Faults[i]
	f.To = max(w.at, 1)
	f.From = min(f.From, f.To)
	w.begun[i], w.active[i] = true, false
}

// Fault returns fault i and whether it is under way.
func (w *Weather) Fault(i int) (Fault, bool) { return w.cfg.Faults[i], w.active[i] }

// Faults returns the number of faults.
func (w *Weather) Faults() int { return len(w.cfg.Faults) }

// Active reports whether a fault of the kind is under way.
func (w *Weather) Active(kind FaultKind) bool { return w.anyActive(kind) }

// Signal returns the first fault under way that makes a section of the
// observation ("fleet", say) stale, zero or unreadable.
func (w *Weather) Signal(section string) (Fault, bool) {
	for i, on := range w.active {
		f := &w.cfg.Faults[i]
		if on && (f.Kind == Stale || f.Kind == Zero || f.Kind == Blind) && f.names(section) {
			return *f, true
		}
	}
	return Fault{}, false
}

// Throttled draws whether the launch call of that number is throttled.
func (w *Weather) Throttled(call int64) bool { return w.throttles(call) }

// Refused reports whether EC2 sells no instance of a type in a market and zone
// (empty: in any zone).
func (w *Weather) Refused(typ int, market policy.Market, zone string) bool {
	return w.refuses(typ, zone) || w.Outbid(typ, market)
}

// Outbid reports whether spot costs more than on-demand now, so that spot
// instances of the type are not sold, and are taken back.
func (w *Weather) Outbid(typ int, market policy.Market) bool {
	return market == policy.Spot && w.spot != nil && w.spot.price(typ) > w.onDemand(typ)
}

// Zone returns the zone of launch id of a type: the one asked for, or in turn
// among those that have capacity.
func (w *Weather) Zone(id int64, typ int, asked string) string {
	return w.zoneName(w.placeIn(id, typ, asked))
}

// Boot returns the boot lag of launch id, and whether it ever becomes a worker.
func (w *Weather) Boot(id int64, typ int, zone string) (lag time.Duration, boots bool) {
	return w.bootOf(id, typ, w.zoneIndex(zone))
}

// ReplyLost draws whether the reply to launch id is lost, and how long EC2's
// list then takes to show it.
func (w *Weather) ReplyLost(id int64, typ int, zone string) (time.Duration, bool) {
	delay, lost := w.replyLost(id, typ, w.zoneIndex(zone))
	return time.Duration(delay), lost
}

// CrashesAt returns when the worker of launch id, launched now, crashes; false if
// it does not.
func (w *Weather) CrashesAt(id int64, typ int, zone string) (time.Duration, bool) {
	first := int64(never)
	for i := range w.cfg.Faults {
		first = min(first, w.crashAt(i, id, typ, w.zoneIndex(zone), int64(w.at)))
	}
	return time.Duration(first), first != never
}

// NoticedAt returns when launch id, launched now, is noticed that it will be
// taken back whatever its price; false if it is not.
func (w *Weather) NoticedAt(id int64, market policy.Market) (time.Duration, bool) {
	at := w.interruptedAt(id, market, int64(w.at))
	return time.Duration(at), at != never
}

// Hits reports whether fault i hits launch id, of a type and zone.
func (w *Weather) Hits(i int, id int64, typ int, zone string) bool {
	f := &w.cfg.Faults[i]
	return w.concerns(f, typ, w.zoneIndex(zone)) && w.picked(i, f, id)
}

// Price returns the price per hour of a type in a market now. Where there is no
// spot market, spot costs what on-demand does.
func (w *Weather) Price(typ int, market policy.Market) policy.MicroUSD {
	if market == policy.Spot && w.spot != nil {
		return w.spot.price(typ)
	}
	return w.onDemand(typ)
}

func (w *Weather) zoneIndex(zone string) int { return max(slices.Index(w.cfg.Zones, zone), 0) }

// Bill is what one instance costs under changing prices. Make one with NewBill.
type Bill struct {
	launched instance // only its launch and bill
	rule     policy.Billing
}

// NewBill returns the bill of an instance launched at a time since the world's
// start, at a price per hour.
func NewBill(rule policy.Billing, launch time.Duration, price policy.MicroUSD) *Bill {
	b := &Bill{rule: rule, launched: instance{launch: int64(launch)}}
	b.launched.bill = account{price: price, priceSince: int64(launch), shown: int64(launch)}
	return b
}

// Reprice charges windows, or seconds, that begin from now on at another price.
func (b *Bill) Reprice(now time.Duration, price policy.MicroUSD) {
	if a := &b.launched.bill; price != a.price {
		a.settleBegun(&b.launched, b.rule, int64(now), 0)
		a.price = price
	}
}

// Refund takes back what EC2 does not charge for an instance that it takes back
// now: the broken hour under hourly billing, everything within the first hour
// under per-second billing.
func (b *Bill) Refund(now time.Duration) { b.launched.refund(b.rule, int64(now), 0) }

// Total returns the bill of an instance that ends, or is looked at, now: rounded
// once, to the nearest millionth of a dollar.
func (b *Bill) Total(now time.Duration) policy.MicroUSD {
	shown := b.launched // looking at a bill does not settle it
	shown.bill.settle(&shown, b.rule, int64(now), 0)
	return shown.bill.whole.perHour()
}
