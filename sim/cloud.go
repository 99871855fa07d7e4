package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
	"github.com/skynet-ec2/skynet/policy/draw"
)

// launchStreams are the random numbers drawn per launch ordinal.
type launchStreams struct {
	lag, dead, deadFault, throttle, lost, crash, spot, pick, failure, poison draw.Stream
}

func newLaunchStreams(seed uint64) launchStreams {
	return launchStreams{
		lag:       newStream(seed, "boot-lag"),
		dead:      newStream(seed, "never-boots"),
		deadFault: newStream(seed, "dead-boot"),
		throttle:  newStream(seed, "throttle"),
		lost:      newStream(seed, "lost-reply"),
		crash:     newStream(seed, "crash"),
		spot:      newStream(seed, "spot-interruption"),
		pick:      newStream(seed, "fault-pick"),
		failure:   newStream(seed, "job-failure"),
		poison:    newStream(seed, "job-poison"),
	}
}

// bootSampler draws boot lags.
type bootSampler struct {
	model     BootModel
	mu, sigma float64 // of the lognormal's logarithm in seconds
}

func (cfg *Config) bootSampler(typeName string) *bootSampler {
	m, ok := cfg.Boot[typeName]
	if !ok {
		m = cfg.Boot[""]
	}
	b := &bootSampler{model: m}
	if m.Model == "lognormal" {
		b.mu = detmath.Log(m.Median.Seconds())
		b.sigma = (detmath.Log(m.P99.Seconds()) - b.mu) / detmath.NormalQuantile(0.99)
	}
	return b
}

// lag returns the boot lag for the uniform number u.
func (b *bootSampler) lag(u float64) time.Duration {
	switch b.model.Model {
	case "lognormal":
		s := detmath.Exp(b.mu + float64(b.sigma*detmath.NormalQuantile(u)))
		lag := policy.Seconds(s)
		if b.model.Max > 0 {
			lag = min(lag, b.model.Max)
		}
		return lag
	case "empirical":
		n := len(b.model.Samples)
		return b.model.Samples[min(int(u*float64(n)), n-1)]
	}
	return b.model.Value
}

// guess is what a controller would assume before it has seen a boot.
func (m BootModel) guess() time.Duration {
	switch m.Model {
	case "lognormal":
		return m.Median
	case "empirical":
		return m.Samples[len(m.Samples)/2]
	}
	return m.Value
}

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

// find returns the record of an instance that is alive, or -1.
func (e *engine) find(id int64) int32 {
	i, ok := e.index(id)
	if !ok {
		return -1
	}
	return e.alive[i]
}

// index returns the place in e.alive of an instance, if it is alive.
func (e *engine) index(id int64) (int, bool) {
	return slices.BinarySearchFunc(e.alive, id, func(r int32, id int64) int { return cmp.Compare(e.insts[r].id, id) })
}

// ready makes an instance a worker.
func (e *engine) ready(in *instance) {
	in.phase = policy.Ready
	in.readyAt = e.now
	e.addBoot(-int64(in.n))
	e.addReady(int64(in.n))
	e.digest.add(digestReady, e.now, in.id, 0)
	e.silenceIfPartitioned(in)
	if !in.silent {
		e.report(in)
	}
	if in.silent || in.interrupt != never {
		for s := in.base; s < in.base+in.n; s++ {
			e.idle.node[s].since = e.now
		}
		return
	}
	for s := in.base; s < in.base+in.n; s++ {
		e.idle.add(s, in.id, e.now)
	}
}

// takesJobs reports whether the idle slots of an instance are listed.
func (in *instance) takesJobs() bool {
	return in.phase == policy.Ready && !in.silent && in.interrupt == never
}

// unlist takes the idle slots of an instance out of dispatch. It must be
// called while takesJobs still holds.
func (e *engine) unlist(in *instance) {
	for s := in.base; s < in.base+in.n; s++ {
		if !e.done.runs(s) && !e.slots[s].held {
			e.idle.remove(s)
		}
	}
}

// relist notes that the idle slots of an instance take jobs again, each idle
// since it became so; relistAll puts them back.
func (e *engine) relist(in *instance) {
	for s := in.base; s < in.base+in.n; s++ {
		if !e.done.runs(s) && !e.slots[s].held {
			e.idle.node[s].owner = in.id
			e.relisted = append(e.relisted, s)
		}
	}
}

// relistAll puts back every slot noted by relist, before anything is dispatched
// or drained: together, because one by one each would walk the list.
func (e *engine) relistAll() {
	if len(e.relisted) > 0 {
		e.idle.addAll(e.relisted)
		e.relisted = e.relisted[:0]
	}
}

// drain takes an instance out of service; it ends when it is idle. It reports
// whether anything changed.
func (e *engine) drain(id int64) bool {
	r := e.find(id)
	if r < 0 || e.faults.apiDown {
		return false
	}
	in := e.insts[r]
	switch in.phase {
	case policy.Draining:
		return false
	case policy.Booting:
		e.addBoot(-int64(in.n))
	case policy.Ready:
		if in.takesJobs() {
			e.unlist(in)
		}
		e.addReady(int64(in.busy) - int64(in.n))
	}
	if in.seen < 0 && time.Duration(e.now-in.launch) > e.rec.Boot(e.now).P99 {
		e.rec.BootFailed(e.now) // given up, not merely not needed any more
	}
	in.phase = policy.Draining
	e.stats.inst.Drained++
	e.digest.add(digestDrain, e.now, id, int64(in.busy))
	if in.busy == 0 { // as a crashed one is
		e.terminate(in)
	}
	return true
}

// undrain puts a draining instance back into service.
func (e *engine) undrain(id int64) bool {
	r := e.find(id)
	if r < 0 {
		return false
	}
	in := e.insts[r]
	if in.phase != policy.Draining || in.dead {
		return false
	}
	in.phase = policy.Ready
	e.addReady(int64(in.n) - int64(in.busy))
	if in.takesJobs() {
		e.relist(in)
	}
	e.stats.inst.Undrained++
	e.digest.add(digestUndrain, e.now, id, int64(in.busy))
	return true
}

// terminate ends an instance, with its bill. No job runs on it.
func (e *engine) terminate(in *instance) {
	end := in.bill.settle(in, e.cfg.Catalog.Billing, e.now, e.judge)
	e.showSpent(in, end)
	e.stats.ended(e, in, end)
	e.rec.Terminated(e.now)
	e.addAlive(-1)
	e.digest.add(digestEnd, e.now, in.id, 0)
	i, _ := e.index(in.id)
	r := e.alive[i]
	e.alive = slices.Delete(e.alive, i, i+1)
	e.bases[in.n] = append(e.bases[in.n], in.base)
	in.id = -1
	e.free = append(e.free, r)
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

// showSpent tells the policy's ledger of windows begun up to end.
func (e *engine) showSpent(in *instance, end int64) {
	if end > in.bill.shown {
		e.stats.spent += policy.MicroUSD(policy.MulDiv(end-in.bill.shown, int64(in.bill.price), int64(time.Hour)))
		in.bill.shown = end
	}
}
