package sim

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// faults is what goes wrong now.
type faults struct {
	apiDown  bool
	slowWork bool
	// queueUnread: the queue's section cannot be read.
	queueUnread bool
	// callAt is when EC2 was last called, callNth how many calls there were at that
	// instant so far. Throttling draws by both.
	callAt, callNth int64
	frozen          [4]*policy.Observation
	listed          time.Time // when EC2 last listed the fleet
	inFault         bool      // any signal fault is active
}

// sections that a Stale, Zero or Blind fault may concern.
const (
	sectionQueue = iota
	sectionFleet
	sectionMoney
	sectionHistory
)

var sectionNames = [4]string{"queue", "fleet", "money", "history"}

// SignalNames lists the sections a signal fault may name.
func SignalNames() []string { return sectionNames[:] }

func (e *engine) startFaults() {
	if slices.ContainsFunc(e.cfg.Faults, func(f Fault) bool { return f.Kind == SlowWork }) {
		e.took = make([]int64, len(e.slots))
	}
	e.rare.push(int64(e.cfg.JudgeFrom), judgingBegins, 0)
	e.rare.push(24*hourNs-e.stats.clockZero, dayBegins, 0)
	for i := range e.cfg.Faults {
		f := &e.cfg.Faults[i]
		e.rare.push(int64(f.From), faultBegins, int64(i))
		if f.To > f.From {
			e.rare.push(int64(f.To), faultEnds, int64(i))
		}
	}
}

// events plays the rare events of this instant.
func (e *engine) events() {
	for e.rare.first == e.now {
		ev := e.rare.pop()
		switch ev.kind {
		case faultBegins:
			e.beginFault(int(ev.inst))
		case faultEnds:
			e.endFault(int(ev.inst))
		case pricesMove:
			e.spotMoves()
		case judgingBegins:
			e.stats.judging(e)
		case dayBegins:
			e.countArrivals() // spending is left as the last tick saw it
			e.stats.addDay(e.mark())
			e.rare.push(e.now+24*hourNs, dayBegins, 0)
		case leaseEnds:
			e.endLease(int32(ev.inst))
		default:
			if r := e.find(ev.inst); r >= 0 { // it may have ended since
				e.happens(ev.kind, e.insts[r])
			}
		}
	}
}

// happens plays what happens to an instance that is alive.
func (e *engine) happens(kind eventKind, in *instance) {
	switch kind {
	case becomesReady:
		if in.phase == policy.Booting && !in.dead {
			e.ready(in)
		}
	case crashes:
		e.crash(in)
	case noticed:
		e.notice(in)
	case takenBack:
		e.takeBack(in)
	}
}

func (e *engine) beginFault(i int) {
	f := &e.cfg.Faults[i]
	e.active[i] = true
	switch f.Kind {
	case StoreDown:
		e.holding = true
	case QueueOutage:
		e.holding, e.closed = true, true
	case PriceChange:
		e.movePrices()
	case Crash:
		if f.Rate == 0 {
			for _, r := range slices.Clone(e.alive) {
				if in := e.insts[r]; e.concerns(f, int(in.typ), int(in.zone)) && e.picked(i, f, in.id) {
					e.crash(in)
				}
			}
		}
	case Interrupt:
		for _, r := range slices.Clone(e.alive) {
			if in := e.insts[r]; in.market == policy.Spot && e.concerns(f, int(in.typ), int(in.zone)) && e.picked(i, f, in.id) {
				e.notice(in)
			}
		}
	case Partition:
		for _, r := range e.alive {
			if in := e.insts[r]; e.concerns(f, int(in.typ), int(in.zone)) && e.picked(i, f, in.id) {
				e.silence(in)
			}
		}
	}
	e.refreshFaults()
	e.freezeFor(f)
}

func (e *engine) endFault(i int) {
	f := &e.cfg.Faults[i]
	e.active[i] = false
	e.refreshFaults()
	switch f.Kind {
	case StoreDown, QueueOutage:
		e.holding = e.anyActive(StoreDown) || e.anyActive(QueueOutage)
		e.closed = e.anyActive(QueueOutage)
		if !e.holding {
			e.deliver()
		}
	case PriceChange:
		e.movePrices()
	case Partition:
		for _, r := range slices.Clone(e.alive) {
			if in := e.insts[r]; in.silent {
				e.heal(in)
			}
		}
		e.relistAll()
	}
}

// refreshFaults derives the flags the hot path reads.
func (e *engine) refreshFaults() {
	e.faults.apiDown = e.anyActive(APIOutage)
	e.faults.slowWork = e.anyActive(SlowWork)
	e.faults.queueUnread = false
	for i, on := range e.active {
		f := &e.cfg.Faults[i]
		if on && (f.Kind == QueueOutage || f.Kind == Blind && f.names(sectionNames[sectionQueue])) {
			e.faults.queueUnread = true
		}
	}
	e.faults.inFault = e.anyActive(Stale) || e.anyActive(Zero) || e.anyActive(Blind) || e.anyActive(QueueOutage) || e.anyActive(APIOutage)
	e.thaw()
}

// throttled draws whether this call is throttled: by its instant and its place
// among the calls of that instant, so that what was called before has no say.
func (e *engine) throttled() bool {
	if e.faults.callAt != e.now {
		e.faults.callAt, e.faults.callNth = e.now, 0
	}
	e.faults.callNth++
	return e.throttles(e.now ^ e.faults.callNth<<52)
}

// slowed returns a service time stretched by the faults that are active.
func (e *engine) slowed(service int64, in *instance) int64 {
	for i, on := range e.active {
		if f := &e.cfg.Faults[i]; on && f.Kind == SlowWork && e.concerns(f, int(in.typ), int(in.zone)) {
			service = int64(policy.Seconds(float64(service) * 1e-9 * f.Factor))
		}
	}
	return min(max(service, 1), longest)
}

// movePrices charges the present prices for what begins from now on. Where spot
// now costs more than on-demand, nobody outbids it: those instances are taken
// back.
func (e *engine) movePrices() {
	for typ := range e.cfg.Catalog.Types {
		e.prices[typ] = e.onDemand(typ)
	}
	for _, r := range e.alive {
		in := e.insts[r]
		if price := e.priceOf(int(in.typ), in.market); price != in.bill.price {
			e.showSpent(in, in.bill.settleBegun(in, e.cfg.Catalog.Billing, e.now, e.judge))
			in.bill.price = price
		}
		if e.outbid(int(in.typ), in.market) {
			e.notice(in)
		}
	}
}
