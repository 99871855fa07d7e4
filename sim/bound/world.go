package bound

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// world is what a bound needs to know of a sim.Config, rounded in favour of
// whoever has to pay. Times are nanoseconds since the trace's start, money is
// in dollars, work in seconds on a slot of the unit type: the one whose unit of
// work is cheapest.
type world struct {
	cfg    *sim.Config
	judge  int64
	end    int64 // of the run; never without a duration
	lags   *sim.Lags
	hourly bool
	window float64 // seconds that are paid at once, 0 under per-second billing

	unit  int     // index of the unit type
	price float64 // of a slot-second of the unit type
	lanes []lane
	types []offer
	scale float64 // unit seconds for a second of recorded service time
	// ordered: jobs of one priority start in the order of their arrival, and
	// every one that starts is done. It is false where attempts can be lost.
	ordered bool

	stepsMax int // of a grid
}

// lane is a kind of slot on which a job may be cheapest: no other kind is both
// faster and cheaper.
type lane struct {
	typ   int
	speed float64 // over the unit type's
}

// offer is an instance type with its least price.
type offer struct {
	slots   float64
	perSlot float64 // dollars per slot-second
	speed   float64 // over the unit type's
	// rate is what a slot may charge, over the unit type's price of a slot: its
	// speed, or that of the lane that dominates it.
	rate float64
}

const never = math.MaxInt64

// SpotError is a world with a spot market: its prices and refunds would make
// the bound one on luck.
type SpotError struct{}

func (*SpotError) Error() string {
	return "cloud.spot: a bound needs prices that are known: leave the spot market out"
}

// BadInput marks the error as the user's.
func (*SpotError) BadInput() bool { return true }

// ConfigError is a world that no bound can be computed for.
type ConfigError struct{ Problem string }

func (e *ConfigError) Error() string { return e.Problem }

// BadInput marks the error as the user's.
func (e *ConfigError) BadInput() bool { return true }

func newWorld(cfg *sim.Config) (*world, error) {
	if err := checkConfig(cfg); err != nil {
		return nil, err
	}
	w := &world{cfg: cfg, judge: int64(cfg.JudgeFrom), end: never, lags: sim.NewLags(cfg), stepsMax: stepsMax}
	if cfg.Duration > 0 {
		w.end = int64(cfg.Duration)
	}
	if w.hourly = cfg.Catalog.Billing.Windows(); w.hourly {
		w.window = cfg.Catalog.Billing.Quantum.Seconds()
	}
	w.ordered = orderedIn(cfg)
	w.addTypes()
	w.price = w.types[w.unit].perSlot
	w.addLanes()
	return w, nil
}

// checkConfig refuses a world that no bound can be computed for.
func checkConfig(cfg *sim.Config) error {
	switch {
	case cfg.Spot != nil:
		return &SpotError{}
	case len(cfg.Standing) > 0:
		return &ConfigError{"cloud.standing: instances that are there at the start are paid for in part: what everything would cost is not known of them"}
	case len(cfg.Classes) == 0:
		return &ConfigError{"no class: nothing is promised"}
	case len(cfg.Catalog.Types) == 0:
		return &ConfigError{"no instance type"}
	case cfg.Duration > 0 && cfg.JudgeFrom >= cfg.Duration:
		return &ConfigError{fmt.Sprintf("judge_from = %v: must be less than duration (%v)", cfg.JudgeFrom, cfg.Duration)}
	}
	return cfg.Catalog.Validate()
}

// orderedIn reports whether every job that starts is done, so that jobs of one
// priority start in the order of their arrival.
func orderedIn(cfg *sim.Config) bool {
	if len(cfg.Failures) > 0 || cfg.MaxAttempts != 0 {
		return false
	}
	return !slices.ContainsFunc(cfg.Faults, func(f sim.Fault) bool {
		switch f.Kind {
		case sim.Crash, sim.Interrupt, sim.Partition, sim.StoreDown, sim.QueueOutage:
			return true
		}
		return false
	})
}

// addTypes fills in types, the unit type and the scale of work, with the faults
// that favour whoever has to pay: work may be faster and types cheaper all the
// time, but never slower or dearer.
func (w *world) addTypes() {
	cfg := w.cfg
	faster, cheaper := 1.0, make([]float64, len(cfg.Catalog.Types))
	for i := range cheaper {
		cheaper[i] = 1
	}
	for i := range cfg.Faults {
		switch f := &cfg.Faults[i]; f.Kind {
		case sim.SlowWork:
			faster = min(faster, f.Factor)
		case sim.PriceChange:
			for t := range cheaper {
				cheaper[t] *= min(1, f.Factor) // faults may overlap
			}
		}
	}
	w.unit = cfg.Catalog.ByUnitPrice()[0]
	reference := cfg.ReferenceSpeed
	if reference == 0 {
		reference = 1
	}
	base := cfg.Catalog.Types[w.unit].Speed
	w.scale = reference / base * faster
	for i := range cfg.Catalog.Types {
		t := &cfg.Catalog.Types[i]
		w.types = append(w.types, offer{
			slots:   float64(t.Slots),
			perSlot: t.PerHour.Dollars() / 3600 / float64(t.Slots) * cheaper[i],
			speed:   t.Speed / base,
		})
	}
	for i := range w.types { // a fault may have made another type the cheapest
		if t, u := &w.types[i], &w.types[w.unit]; t.perSlot*u.speed < u.perSlot*t.speed {
			w.unit = i
		}
	}
	if u := w.types[w.unit].speed; u != 1 {
		w.scale /= u
		for i := range w.types {
			w.types[i].speed /= u
		}
	}
}

// addLanes lists the types that no other dominates, and sets what slots may
// charge. A slot of the unit type may charge at most its price on average; a
// lane then charges that times its speed, which its own price never falls
// below, and a dominated type what its lane charges.
func (w *world) addLanes() {
	for i := range w.types {
		if w.dominator(i) < 0 {
			w.lanes = append(w.lanes, lane{i, w.types[i].speed})
			w.types[i].rate = w.types[i].speed
		}
	}
	for i := range w.types {
		for at := i; ; { // whoever dominates a dominator dominates i
			d := w.dominator(at)
			if d < 0 {
				w.types[i].rate = w.types[at].speed
				break
			}
			at = d
		}
	}
}

// dominator returns a type whose slots are no dearer and no slower than those of
// type i, or -1.
func (w *world) dominator(i int) int {
	t := &w.types[i]
	for j := range w.types {
		o := &w.types[j]
		if o.perSlot > t.perSlot || o.speed < t.speed || i == j {
			continue
		}
		if o.perSlot < t.perSlot || o.speed > t.speed || j < i {
			return j
		}
	}
	return -1
}

// slowest returns the least speed of the lanes, over the unit type's.
func (w *world) slowest() float64 {
	s := w.lanes[0].speed
	for _, l := range w.lanes {
		s = min(s, l.speed)
	}
	return s
}

// fastest returns the greatest speed of the lanes, over the unit type's.
func (w *world) fastest() float64 {
	s := w.lanes[0].speed
	for _, l := range w.lanes {
		s = max(s, l.speed)
	}
	return s
}

// smallest returns the slots of the smallest instance, as ones of the unit type.
func (w *world) smallest() float64 {
	s := math.Inf(1)
	for i := range w.types {
		s = min(s, float64(w.types[i].slots*w.types[i].speed))
	}
	return s
}

// launches returns how many launches a fleet could make at most, counted from
// the run's start, that costs less than usd in the judged time: a launch costs
// its minimum there, and before the judged time a tick launches no more than
// the account may run.
func (w *world) launches(usd float64) float64 {
	cfg := w.cfg
	tick := cfg.Tick
	if cfg.FastTicks {
		tick = min(tick, policy.MinTick)
	}
	n := 1.0
	if tick > 0 && w.judge > 0 {
		if cfg.MaxInstances <= 0 {
			return math.Inf(1) // nothing limits how often one may draw
		}
		n += float64((w.judge/int64(tick) + 1) * int64(cfg.MaxInstances))
	}
	least := math.Inf(1) // dollars a launch costs at least
	for i := range w.types {
		t := &w.types[i]
		least = min(least, float64(t.perSlot*t.slots*cfg.Catalog.Billing.Minimum.Seconds()))
	}
	return n + usd/least + 1
}

// leastLag returns the shortest boot that any fleet could draw which costs less
// than usd in the judged time.
func (w *world) leastLag(usd float64) time.Duration {
	const most = 1 << 28 // draws; beyond them the fastest boot is as good as none
	n := w.launches(usd)
	if !(n < most) {
		return 0
	}
	return w.shorten(w.lags.Least(int64(n)))
}

// shorten returns the shortest of the lags, as faults may shorten it further.
func (w *world) shorten(lags []time.Duration) time.Duration {
	lag := slices.Min(lags)
	for i := range w.cfg.Faults {
		if f := &w.cfg.Faults[i]; f.Kind == sim.SlowBoot && f.Factor < 1 {
			lag = time.Duration(float64(lag) * f.Factor)
		}
	}
	return lag
}

// budget returns how many of n jobs may be late where the fraction attain must
// be in time: as the simulator's verdict compares them.
func budget(n int64, attain float64) int64 {
	if n == 0 {
		return 0
	}
	late := int64(math.Floor((1 - attain) * float64(n)))
	for late < n && float64(n-late-1)/float64(n) >= attain {
		late++
	}
	for late > 0 && float64(n-late)/float64(n) < attain {
		late--
	}
	return min(max(late, 0), n)
}
