package sim

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy/dispatch"
)

var nan = math.NaN()

// close ends the run at now: bills instances to the end, counts what is late
// already, and hands over what is left of the job log.
func (e *engine) close() error {
	e.countArrivals()
	s := e.stats
	s.row = TickRow{}
	if e.now > s.last.at {
		s.step(e)
	}
	for _, r := range e.alive {
		in := e.insts[r]
		end := in.bill.settle(in, e.cfg.Catalog.Billing, e.now, e.judge)
		s.book(e, in, end)
	}
	e.lateAtEnd()
	s.jobs.Arrived = e.arrived
	s.jobs.Pending = e.arrived - s.jobs.Completed - s.jobs.Lost
	if e.jobs != nil {
		return e.jobs.close()
	}
	return nil
}

// lateAtEnd books the jobs that are not done and have missed their target.
func (e *engine) lateAtEnd() {
	open := func(job *dispatch.Job, start int64) {
		k := &e.kinds[job.Kind]
		c := &e.stats.classes[k.class]
		took := e.now - job.Arrival
		if c.onWait && start >= 0 {
			took = start - job.Arrival
		}
		if took > c.target {
			e.stats.late(k.class, job.Arrival)
		}
	}
	e.line.Each(func(_ uint8, job *dispatch.Job) bool {
		open(job, -1)
		if e.jobs != nil {
			e.jobs.waiting(job, int(job.Attempt))
		}
		return true
	})
	for _, r := range e.alive {
		in := e.insts[r]
		for sl := in.base; sl < in.base+in.n; sl++ {
			if x := &e.slots[sl]; (e.done.runs(sl) || x.held) && !x.orphan {
				open(&x.job, x.start)
				e.digest.ran(x, in, sl, e.now)
				if e.jobs != nil {
					e.jobs.running(x, in.id)
				}
			}
		}
	}
	for i := range e.parked {
		if p := &e.parked[i]; p.slot < 0 && !p.free {
			open(&p.job, -1)
			if e.jobs != nil {
				e.jobs.waiting(&p.job, int(p.job.Attempt)+1)
			}
		}
	}
}

// figures returns what the run came to.
func (e *engine) figures() Figures {
	s := e.stats
	f := Figures{
		Scenario: e.cfg.Name, Seed: e.cfg.Seed, Digest: e.digest.String(),
		DurationS:  seconds(e.now),
		CostUSD:    s.cost.Dollars(),
		HoursPaid:  s.paid.hours(),
		ReadyCoreS: s.total.ready, BusyCoreS: s.total.busy,
		Instances: s.inst, Jobs: s.jobs, Guard: s.guard, Ticks: e.ticks,
		Judged: JudgedFigures{FromS: s.cfg.JudgeFrom.Seconds(), CostUSD: s.judgedCost.Dollars()},
	}
	f.Instances.Min = max(s.minAlive, 0)
	if e.now > 0 {
		f.Instances.Mean = s.total.alive / seconds(e.now)
	}
	f.Instances.LaunchedByType = s.byType
	f.Instances.CostByType = map[string]float64{}
	for name, cost := range s.costByType { // map order: into another map
		f.Instances.CostByType[name] = cost.Dollars()
	}
	f.Slack = s.slackFigures()
	f.Classes = map[string]*ClassFigures{}
	for i := range s.classes {
		f.Classes[s.cfg.Classes[i].Name] = s.classFigures(i)
	}
	if len(s.windows) > 0 {
		f.Windows = map[string]*WindowFigures{}
		for i := range s.windows {
			f.Windows[s.cfg.Windows[i].Name] = s.windows[i].figures()
		}
	}
	f.Floor = s.floorFigures()
	f.Forecast = s.forecasts.figures()
	if p := s.paidSlotS; p > 0 {
		f.Paid = PaidFigures{Busy: s.total.busy / p, Boot: s.bootSlotS / p, Gone: s.goneSlotS / p}
		f.Paid.Slack = 1 - f.Paid.Busy - f.Paid.Boot - f.Paid.Gone
	}
	return f
}

func (s *stats) slackFigures() SlackFigures {
	f := SlackFigures{PerDay: []*float64{}}
	if from := s.judgeAt; from != nil {
		if ready := s.total.ready - from.ready; ready > 0 {
			f.Mean = number(1 - (s.total.busy-from.busy)/ready)
		}
	}
	for _, d := range s.days {
		if d.ready > 0 {
			f.PerDay = append(f.PerDay, number(1-d.busy/d.ready))
		} else {
			f.PerDay = append(f.PerDay, nil)
		}
	}
	if s.has24h {
		f.Min24h, f.Max24h = number(s.min24h), number(s.max24h)
	}
	return f
}

func number(x float64) *float64 { return &x }

func (s *stats) classFigures(i int) *ClassFigures {
	c := &s.classes[i]
	class := &s.cfg.Classes[i]
	f := &ClassFigures{
		Jobs: c.arrived, Wait: c.wait.figures(), Sojourn: c.sojourn.figures(),
		TargetS: class.Target.Seconds(), On: class.On.String(), Attain: class.Attain,
		Late: c.done - c.inTime + c.lateEnd,
	}
	if judged := c.done + c.lateEnd; judged > 0 {
		f.Attained = number(float64(c.inTime) / float64(judged))
	}
	const hourMin = 100 // an hour of fewer jobs says nothing
	if h := worst(c.hours, hourMin); h >= 0 {
		f.WorstHour = number(c.hours[h].share())
		f.WorstHourAt = s.clockTime(int64(h) * hourNs).Format("Mon 2006-01-02 15:04")
	}
	days := c.byDay()
	if d := worst(days, 1); d >= 0 {
		f.WorstDay = number(days[d].share())
		f.WorstDayAt = s.clockTime(int64(d) * 24 * hourNs).Format("Mon 2006-01-02")
	}
	return f
}

// byDay sums the hours to clock days.
func (c *classStats) byDay() []periodStats {
	days := make([]periodStats, (len(c.hours)+23)/24)
	for h, p := range c.hours {
		days[h/24].judged += p.judged
		days[h/24].inTime += p.inTime
	}
	return days
}

// worst returns the first of the periods with the smallest share in time among
// those that judge at least so many jobs; -1 without one.
func worst(periods []periodStats, judgedMin int64) int {
	at := -1
	for i, p := range periods {
		if p.judged >= judgedMin && (at < 0 || p.share() < periods[at].share()) {
			at = i
		}
	}
	return at
}

// share returns the fraction of the judged jobs that were in time.
func (p periodStats) share() float64 { return float64(p.inTime) / float64(p.judged) }

// floorFigures returns the price of the judged work on the cheapest type at full
// load.
func (s *stats) floorFigures() FloorFigures {
	f := FloorFigures{WorkCoreS: s.judgedWork * 1e-9 * s.reference()}
	order := s.cfg.Catalog.ByUnitPrice()
	if len(order) > 0 {
		f.CostUSD = f.WorkCoreS / 3600 * s.cfg.Catalog.Types[order[0]].UnitPrice()
	}
	if f.CostUSD > 0 {
		f.Over = number(s.judgedCost.Dollars() / f.CostUSD)
	}
	return f
}

func (h *histogram) figures() TimeFigures {
	if h.n == 0 {
		return TimeFigures{}
	}
	seconds := func(d time.Duration) *float64 { return number(d.Seconds()) }
	return TimeFigures{
		Mean: number(h.mean()), P50: seconds(h.quantile(500)), P95: seconds(h.quantile(950)),
		P99: seconds(h.quantile(990)), Max: seconds(time.Duration(h.max)),
	}
}
