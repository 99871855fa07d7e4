package sim

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

// weather is what a world has in store for launches, calls and instances, and
// which of its faults are under way. It draws by what a number is for, never by
// call order. Zones are indices into Config.Zones.
type weather struct {
	cfg    *Config
	active []bool // by Config.Faults
	launch launchStreams
	boot   []*bootSampler // by type
}

func newWeather(cfg *Config) weather {
	w := weather{cfg: cfg, active: make([]bool, len(cfg.Faults)), launch: newLaunchStreams(cfg.Seed)}
	for i := range cfg.Catalog.Types {
		w.boot = append(w.boot, cfg.bootSampler(cfg.Catalog.Types[i].Name))
	}
	return w
}

func (w *weather) anyActive(kind FaultKind) bool {
	for i, on := range w.active {
		if on && w.cfg.Faults[i].Kind == kind {
			return true
		}
	}
	return false
}

// concerns reports whether a fault is about a type and zone.
func (w *weather) concerns(f *Fault, typ, zone int) bool {
	return w.concernsType(f, typ) && (len(f.Zones) == 0 || slices.Contains(f.Zones, w.zoneName(zone)))
}

func (w *weather) concernsType(f *Fault, typ int) bool {
	return len(f.Types) == 0 || slices.Contains(f.Types, w.cfg.Catalog.Types[typ].Name)
}

// picked draws, once per fault and instance, whether a fault with a
// probability hits it; without one it always does.
func (w *weather) picked(i int, f *Fault, id int64) bool {
	return f.Probability == 0 || w.launch.pick.UnitAt(id<<12|int64(i)) < f.Probability
}

func (w *weather) zoneName(zone int) string {
	if len(w.cfg.Zones) == 0 {
		return "a"
	}
	return w.cfg.Zones[zone]
}

// throttles draws whether the call of that number is throttled.
func (w *weather) throttles(call int64) bool {
	for i, on := range w.active {
		if f := &w.cfg.Faults[i]; on && f.Kind == Throttle && (f.Probability == 0 || w.launch.throttle.UnitAt(call) < f.Probability) {
			return true
		}
	}
	return false
}

// refuses reports whether EC2 has no capacity for the type in any zone asked.
func (w *weather) refuses(typ int, zone string) bool {
	if zone != "" {
		return w.zoneRefuses(typ, zone)
	}
	for z := range max(len(w.cfg.Zones), 1) {
		if !w.zoneRefuses(typ, w.zoneName(z)) {
			return false
		}
	}
	return true
}

func (w *weather) zoneRefuses(typ int, zone string) bool {
	for i, on := range w.active {
		if f := &w.cfg.Faults[i]; on && f.Kind == Refuse && w.concernsType(f, typ) &&
			(len(f.Zones) == 0 || slices.Contains(f.Zones, zone)) {
			return true
		}
	}
	return false
}

// placeIn returns the zone of launch id: the one asked for, or in turn among
// those that have capacity.
func (w *weather) placeIn(id int64, typ int, zone string) int {
	n := max(len(w.cfg.Zones), 1)
	if zone != "" {
		return max(slices.Index(w.cfg.Zones, zone), 0)
	}
	for k := range n {
		z := int((id + int64(k)) % int64(n))
		if !w.zoneRefuses(typ, w.zoneName(z)) {
			return z
		}
	}
	return 0
}

// bootOf returns the boot lag of launch id, and whether it becomes a worker at
// all.
func (w *weather) bootOf(id int64, typ, zone int) (lag time.Duration, boots bool) {
	lag = w.slowBoot(w.boot[typ].lag(w.launch.lag.UnitAt(id)), typ, zone)
	return lag, w.boot[typ].model.NeverBoots <= w.launch.dead.UnitAt(id) && !w.diesBooting(id, typ, zone)
}

// slowBoot stretches a boot lag while boots are slow.
func (w *weather) slowBoot(lag time.Duration, typ, zone int) time.Duration {
	for i, on := range w.active {
		if f := &w.cfg.Faults[i]; on && f.Kind == SlowBoot && w.concerns(f, typ, zone) {
			lag = policy.Seconds(lag.Seconds() * f.Factor)
		}
	}
	return lag
}

// diesBooting draws whether a launch never becomes a worker because of a
// fault.
func (w *weather) diesBooting(id int64, typ, zone int) bool {
	for i, on := range w.active {
		if f := &w.cfg.Faults[i]; on && f.Kind == DeadBoot && w.concerns(f, typ, zone) &&
			(f.Probability == 0 || w.launch.deadFault.UnitAt(id) < f.Probability) {
			return true
		}
	}
	return false
}

// replyLost draws whether the reply to a launch is lost, and how long EC2's
// list then takes to show the instance (ns).
func (w *weather) replyLost(id int64, typ, zone int) (int64, bool) {
	for i, on := range w.active {
		if f := &w.cfg.Faults[i]; on && f.Kind == LostReply && w.concerns(f, typ, zone) &&
			(f.Probability == 0 || w.launch.lost.UnitAt(id) < f.Probability) {
			return int64(f.Delay), true
		}
	}
	return 0, false
}

// crashAt draws when fault i, one of crashes at a rate, ends the worker of an
// instance that is launched now; never if it does not.
func (w *weather) crashAt(i int, id int64, typ, zone int, now int64) int64 {
	f := &w.cfg.Faults[i]
	if f.Kind != Crash || f.Rate == 0 || !w.concerns(f, typ, zone) {
		return never
	}
	hours := -detmath.Log(w.launch.crash.UnitAt(id<<12|int64(i))) / f.Rate
	at := later(max(now, int64(f.From)), hours)
	if f.To != 0 && at >= int64(f.To) {
		return never
	}
	return at
}

// interruptedAt draws when an instance that is launched now is noticed that it
// will be taken back for reasons other than its price; never if it is not.
func (w *weather) interruptedAt(id int64, market policy.Market, now int64) int64 {
	if market != policy.Spot || w.cfg.Spot == nil || w.cfg.Spot.InterruptRate <= 0 {
		return never
	}
	return later(now, -detmath.Log(w.launch.spot.UnitAt(id))/w.cfg.Spot.InterruptRate)
}

// onDemand returns the price per hour of a type with the faults of prices that
// are under way.
func (w *weather) onDemand(typ int) policy.MicroUSD {
	price := w.cfg.Catalog.Types[typ].PerHour
	factor := 1.0
	for i, on := range w.active {
		if f := &w.cfg.Faults[i]; on && f.Kind == PriceChange && w.concernsType(f, typ) {
			factor = float64(factor * f.Factor)
		}
	}
	if p, err := policy.FromDollars(price.Dollars() * factor); err == nil && factor != 1 {
		return p
	}
	return price
}
