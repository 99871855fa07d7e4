package sim

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// stats accumulate a run's figures.
type stats struct {
	cfg         *Config
	timeline    bool
	clockZero   int64 // users' clock time at world time 0, since its midnight
	judgeFrom   int64
	lastArrival int64
	spent       policy.MicroUSD // windows begun, as told to the policy

	inst       InstanceFigures
	minAlive   int // over the judged time, at ticks; -1: none yet
	byType     map[string]int
	costByType map[string]policy.MicroUSD
	jobs       JobFigures
	classes    []classStats
	guard      GuardFigures

	cost, judgedCost policy.MicroUSD
	paid             wide // instance time paid (ns): centuries overflow an int64
	paidSlotS        float64
	bootSlotS        float64
	goneSlotS        float64
	judgedWork       float64

	// the step that ends at a tick
	last      stepMark
	goneStep  float64
	row       TickRow
	offeredAt int64 // the last tick
	days      []daySums
	daySpent  policy.MicroUSD // booked to days so far
	dayWork   float64
	dayMark   stepMark  // when something was booked to a day last
	stepWork  float64   // judgedWork at the last step
	unjudged  stepMark  // since dayMark, when judging began: ready and busy before
	judgeAt   *stepMark // totals when judging began
	total     stepMark  // totals so far in seconds
	min24h    float64
	max24h    float64
	has24h    bool

	windows []windowStats

	ledgerSpent [3]policy.MicroUSD // spent when the hour, day, month began
	ledgerAt    [3]int64

	forecasts    forecasts
	ticks        []TickRow
	decisions    []DecisionRow
	latency      latencyLog
	endedRows    []EndedRow
	launchedRows []LaunchedRow
}

// stepMark holds integrals: raw accumulators in slot-ns as they wrap, or
// totals in slot-seconds.
type stepMark struct {
	at                int64
	rawReady, rawBusy int64
	rawBoot, rawAlive int64
	ready, busy, boot float64
	alive             float64 // instance-seconds
}

// classStats are a class's jobs that arrived in the judged time.
type classStats struct {
	arrived       int64
	done, inTime  int64
	lateEnd       int64 // not done, but late already at the end
	onWait        bool
	target        int64
	wait, sojourn histogram
	hours         []periodStats // by clock hour
	hour          *periodStats  // of hours, the one asked for last
	hourFrom      int64         // when it begins
}

// periodStats count the jobs that arrived in a clock hour or day.
type periodStats struct{ inTime, judged int64 }

const hourNs = int64(time.Hour)

func newStats(cfg *Config, timeline bool) *stats {
	s := &stats{cfg: cfg, timeline: timeline, minAlive: -1, byType: map[string]int{}, costByType: map[string]policy.MicroUSD{}}
	local := cfg.Start.Add(cfg.UTCOffset)
	s.clockZero = int64(local.Sub(local.Truncate(24 * time.Hour)))
	s.judgeFrom = int64(cfg.JudgeFrom)
	s.classes = make([]classStats, len(cfg.Classes))
	for i := range cfg.Classes {
		s.classes[i].onWait = cfg.Classes[i].On == policy.Wait
		s.classes[i].target = int64(cfg.Classes[i].Target)
	}
	s.windows = make([]windowStats, len(cfg.Windows))
	s.latency.start(cfg)
	return s
}

// clock returns the users' clock time of a world time, in ns since the
// midnight at or before the start of the run.
func (s *stats) clock(at int64) int64 { return at + s.clockZero }

// clockTime returns the calendar time, on the users' clock, of ns since that
// midnight.
func (s *stats) clockTime(ns int64) time.Time {
	return s.cfg.Start.Add(s.cfg.UTCOffset).Truncate(24 * time.Hour).Add(time.Duration(ns))
}

// completed books a finished job.
func (s *stats) completed(k *kind, arrival, start, finish int64) {
	s.jobs.Completed++
	wait, sojourn := start-arrival, finish-arrival
	if s.timeline {
		s.latency.add(s, k.class, arrival, wait, sojourn)
	}
	if arrival < s.judgeFrom {
		return
	}
	k.stats.add(wait, sojourn, s.clock(arrival))
}

// add books a finished job that arrived at a clock time.
func (c *classStats) add(wait, sojourn, clock int64) {
	c.done++
	took := sojourn
	if c.onWait {
		took = wait
	}
	c.wait.add(wait)
	c.sojourn.add(sojourn)
	p := c.period(clock)
	p.judged++
	if took <= c.target {
		c.inTime++
		p.inTime++
	}
}

// lost books a job that used up its attempts: it is late for ever.
func (s *stats) lost(class int32, arrival int64) {
	s.jobs.Lost++
	s.late(class, arrival)
}

// late books a job that is not done but has missed its target.
func (s *stats) late(class int32, arrival int64) {
	if arrival >= s.judgeFrom {
		c := &s.classes[class]
		c.lateEnd++
		c.period(s.clock(arrival)).judged++
	}
}

// period returns the counters of the clock hour of an arrival. Nearly always
// it is the hour of the arrival before.
func (c *classStats) period(clock int64) *periodStats {
	if c.hour == nil || uint64(clock-c.hourFrom) >= uint64(hourNs) {
		c.turn(int(clock / hourNs))
	}
	return c.hour
}

// turn makes hour h the one asked for last.
func (c *classStats) turn(h int) {
	for len(c.hours) <= h {
		c.hours = append(c.hours, periodStats{})
	}
	c.hour, c.hourFrom = &c.hours[h], int64(h)*hourNs
}

// reference returns the speed of the core that service times were measured on.
func (s *stats) reference() float64 {
	if s.cfg.ReferenceSpeed == 0 {
		return 1
	}
	return s.cfg.ReferenceSpeed
}

// launched books an instance that EC2 gave.
func (s *stats) launched(e *engine, typ int) {
	s.inst.Launched++
	s.byType[e.cfg.Catalog.Types[typ].Name]++
	if s.timeline {
		s.launchedRows = append(s.launchedRows, LaunchedRow{At: time.Duration(e.now), Type: typ})
	}
}

// ended books an instance whose bill is settled up to paidEnd.
func (s *stats) ended(e *engine, in *instance, paidEnd int64) {
	s.inst.Terminated++
	s.book(e, in, paidEnd)
	if s.timeline {
		s.endedRows = append(s.endedRows, EndedRow{
			At: time.Duration(e.now), Type: int(in.typ), Age: time.Duration(e.now - in.launch), Unused: time.Duration(paidEnd - e.now),
			Interrupted: in.interrupt != never && in.interrupt <= e.now,
		})
	}
}

// book adds an instance's bill and how its paid time was used.
func (s *stats) book(e *engine, in *instance, paidEnd int64) {
	bill := in.bill.whole.perHour()
	s.cost += bill
	s.judgedCost += in.bill.judged.perHour()
	s.costByType[e.cfg.Catalog.Types[in.typ].Name] += bill
	from := in.launch + in.bill.before
	s.paid.addProduct(max(paidEnd-from, 0)-in.bill.free, 1)
	slots := float64(in.n)
	from = max(in.launch, 0) // how paid time was used is told of the run's alone
	s.paidSlotS += float64(slots * seconds(paidEnd-from))
	worker := e.now
	if in.readyAt != never {
		worker = in.readyAt
	}
	s.bootSlotS += float64(slots * seconds(worker-from))
	gone := float64(slots * seconds(paidEnd-min(e.now, max(in.crashed, worker))))
	s.goneSlotS += gone
	s.goneStep += gone
}

// seconds returns ns in seconds, rounded once.
func seconds(ns int64) float64 { return float64(ns) / 1e9 }

// step closes the step that ends at the present tick.
func (s *stats) step(e *engine) stepMark {
	m := e.mark()
	d := stepMark{
		at:    m.at,
		ready: seconds(m.rawReady - s.last.rawReady),
		busy:  seconds(m.rawBusy - s.last.rawBusy),
		boot:  seconds(m.rawBoot - s.last.rawBoot),
		alive: seconds(m.rawAlive - s.last.rawAlive),
	}
	arrived := s.judgedWork - s.stepWork
	s.stepWork = s.judgedWork
	s.addDay(m)
	s.addWindows(s.last.at, m.at, d, len(e.alive))
	s.total.ready += d.ready
	s.total.busy += d.busy
	s.total.alive += d.alive
	s.last = m
	if m.at >= s.judgeFrom && (s.minAlive < 0 || len(e.alive) < s.minAlive) {
		s.minAlive = len(e.alive)
	}
	if s.timeline {
		s.row.BusySlotS, s.row.IdleSlotS = d.busy, d.ready-d.busy
		s.row.BootSlotS, s.row.GoneSlotS = d.boot, s.goneStep
		s.row.Work = arrived * 1e-9 * s.reference()
		s.row.Slack = nan
		if d.ready > 0 {
			s.row.Slack = 1 - d.busy/d.ready
		}
	}
	s.goneStep = 0
	return d
}

// windowStats accumulate one window of the week.
type windowStats struct {
	seconds, alive, ready, busy float64
	most                        int
}

// judging notes the integrals at the moment judging begins.
func (s *stats) judging(e *engine) {
	m := e.mark()
	s.judgeAt = &stepMark{
		ready: s.total.ready + seconds(m.rawReady-s.last.rawReady),
		busy:  s.total.busy + seconds(m.rawBusy-s.last.rawBusy),
	}
	s.unjudged = stepMark{ready: seconds(m.rawReady - s.dayMark.rawReady), busy: seconds(m.rawBusy - s.dayMark.rawBusy)}
	s.daySpent, s.dayWork, s.stepWork = s.spent, s.judgedWork, s.judgedWork
}

// addWindows books a step to every window its middle lies in.
func (s *stats) addWindows(from, to int64, d stepMark, now int) {
	if len(s.windows) == 0 || to == from {
		return
	}
	middle := from + (to-from)/2
	clock := s.clockTime(s.clock(middle))
	day := (clock.Weekday() + 6) % 7 // Monday is 0
	ofWeek := time.Duration(day)*24*time.Hour + clock.Sub(clock.Truncate(24*time.Hour))
	for i := range s.windows {
		if !s.cfg.Windows[i].holds(time.Duration(middle), ofWeek) {
			continue
		}
		x := &s.windows[i]
		x.seconds += seconds(to - from)
		x.alive += d.alive
		x.ready += d.ready
		x.busy += d.busy
		x.most = max(x.most, now)
	}
}

func (w *windowStats) figures() *WindowFigures {
	if w.seconds == 0 {
		return &WindowFigures{}
	}
	return &WindowFigures{
		InstancesMean: number(w.alive / w.seconds), InstancesMax: &w.most,
		SlotsReady: number(w.ready / w.seconds), SlotsBusy: number(w.busy / w.seconds),
	}
}

// addDay books what happened since the last booking to the clock day that it
// belongs to: midnights and the ends of steps are booked at. What ends at
// midnight is of the day before.
func (s *stats) addDay(m stepMark) {
	if m.at == 0 {
		return
	}
	day := int((s.clock(m.at) - 1) / (24 * hourNs))
	for len(s.days) <= day {
		s.days = append(s.days, daySums{})
	}
	s.bookDay(&s.days[day], m)
	s.dayMark = m
}

// mark returns the integrals of the engine's sums at now.
func (e *engine) mark() stepMark {
	return stepMark{
		at:       e.now,
		rawReady: e.sums.ready*e.now + e.sums.readyAcc,
		rawBusy:  e.sums.busy*e.now + e.sums.busyAcc,
		rawBoot:  e.sums.boot*e.now + e.sums.bootAcc,
		rawAlive: e.sums.alive*e.now + e.sums.aliveAcc,
	}
}

// slack24h follows the rolling mean.
func (s *stats) slack24h(e *engine, mean float64) {
	if e.now >= 24*hourNs && e.obs.History.ReadySlotSeconds > 0 {
		if !s.has24h || mean < s.min24h {
			s.min24h = mean
		}
		if !s.has24h || mean > s.max24h {
			s.max24h = mean
		}
		s.has24h = true
	}
	s.row.Slack24h = nan
	if e.obs.History.ReadySlotSeconds > 0 {
		s.row.Slack24h = mean
	}
}

// offered notes the work that arrived since the last tick, at the given time.
// It reads the observation before faults distort it.
func (s *stats) offered(o *policy.Observation, now int64) {
	work := 0.0
	for i := range o.Queue.Kinds {
		work += float64(o.Queue.Kinds[i].LastTick.Work)
	}
	if span := seconds(now - s.offeredAt); span > 0 {
		s.row.Offered = work / span
		s.forecasts.arrived(s, now, work, span)
	}
	s.offeredAt = now
}

// ledger returns what was spent in the clock hour, day and month of local
// time t.
func (s *stats) ledger(t time.Time) (hour, day, month policy.MicroUSD) {
	marks := [3]int64{t.Unix() / 3600, t.Unix() / 86400, int64(t.Year())*12 + int64(t.Month())}
	for i, m := range marks {
		if m != s.ledgerAt[i] {
			s.ledgerAt[i] = m
			s.ledgerSpent[i] = s.spent
		}
	}
	return s.spent - s.ledgerSpent[0], s.spent - s.ledgerSpent[1], s.spent - s.ledgerSpent[2]
}

// clamped notes that the guard reduced a decision.
func (s *stats) clamped(e *engine, launches, drains int) {
	s.guard.Clamped++
	s.guard.Launches += int64(launches)
	s.guard.Drains += int64(drains)
	if s.guard.FirstAt == "" {
		s.guard.FirstAt = e.cfg.Start.Add(time.Duration(e.now)).Format(time.RFC3339)
	}
}
