package journal

import "github.com/skynet-ec2/skynet/policy"

// This file describes an Observation and a Decision to the codec: the fields
// with their JSON tags, in the order of the source. A test compares it with
// encoding/json, field by field.

func (c *codec) observation(o *policy.Observation) {
	c.object(func() {
		c.instant(`"now":`, &o.Now)
		integer(c, `"tick":`, &o.Tick)
		c.flagIf(`"fast_ticks":`, &o.FastTicks)
		c.key(`"queue":`)
		c.object(func() { c.queue(&o.Queue) })
		c.key(`"fleet":`)
		c.object(func() { c.fleet(&o.Fleet) })
		c.key(`"ec2":`)
		c.object(func() { c.ec2(&o.EC2) })
		c.key(`"money":`)
		c.object(func() { c.money(&o.Money) })
		c.key(`"history":`)
		c.object(func() { c.history(&o.History) })
		c.key(`"health":`)
		c.object(func() { c.health(&o.Health) })
		lists(c, `"wishes":`, &o.Wishes, func(w *policy.Wish) { c.object(func() { c.wish(w) }) })
		lists(c, `"ahead":`, &o.Ahead, func(x *policy.Coming) {
			c.object(func() {
				integer(c, `"until":`, &x.Until)
				lists(c, `"arrivals":`, &x.Arrivals, c.flow)
			})
		})
	})
}

func (c *codec) wish(w *policy.Wish) {
	c.key(`"kind":`)
	word(c, &w.Kind, policy.WishKind.String)
	integerIf(c, `"instance":`, &w.Instance)
	integer(c, `"type":`, &w.Type)
	c.textIf(`"zone":`, &w.Zone)
	integerIf(c, `"instances":`, &w.Instances)
	integerIf(c, `"cores":`, &w.Cores)
	c.instant(`"until":`, &w.Until)
	c.text(`"by":`, &w.By)
	c.text(`"why":`, &w.Why)
}

func (c *codec) readingOf(r *policy.Reading) {
	c.instant(`"at":`, &r.At)
	c.flag(`"complete":`, &r.Complete)
}

func (c *codec) queue(q *policy.QueueView) {
	c.readingOf(&q.Reading)
	lists(c, `"kinds":`, &q.Kinds, func(k *policy.KindView) { c.object(func() { c.kind(k) }) })
}

func (c *codec) flow(f *policy.Flow) {
	c.object(func() {
		integer(c, `"jobs":`, &f.Jobs)
		number(c, `"work":`, &f.Work)
	})
}

func (c *codec) kind(k *policy.KindView) {
	count := func(n *int64) { whole(c, n) }
	c.text(`"type":`, &k.Type)
	integer(c, `"priority":`, &k.Priority)
	integer(c, `"class":`, &k.Class)
	c.key(`"pending":`)
	c.flow(&k.Pending)
	number(c, `"pending_lately":`, &k.PendingLately)
	integer(c, `"oldest_wait":`, &k.OldestWait)
	lists(c, `"pending_by_age":`, &k.PendingByAge, func(a *policy.AgeCount) {
		c.object(func() {
			integer(c, `"age":`, &a.Age)
			integer(c, `"jobs":`, &a.Jobs)
		})
	})
	lists(c, `"pending_by_size":`, &k.PendingBySize, func(s *policy.SizeCount) {
		c.object(func() {
			integer(c, `"size":`, &s.Size)
			integer(c, `"jobs":`, &s.Jobs)
			number(c, `"work":`, &s.Work)
		})
	})
	fixed(c, `"will_miss":`, k.WillMiss[:], count)
	c.key(`"in_flight":`)
	c.flow(&k.InFlight)
	fixed(c, `"arrived":`, k.Arrived[:], c.flow)
	c.key(`"last_tick":`)
	c.flow(&k.LastTick)
	number(c, `"last_tick_lately":`, &k.LastTickLately)
	integer(c, `"started":`, &k.Started)
	integer(c, `"started_late":`, &k.StartedLate)
	fixed(c, `"completed":`, k.Completed[:], count)
	integer(c, `"failed":`, &k.Failed)
	integer(c, `"retried":`, &k.Retried)
	integer(c, `"expired":`, &k.Expired)
	c.key(`"service":`)
	c.object(func() {
		integer(c, `"samples":`, &k.Service.Samples)
		number(c, `"mean":`, &k.Service.Mean)
		number(c, `"p95":`, &k.Service.P95)
		number(c, `"scv":`, &k.Service.SCV)
	})
}

func (c *codec) market(x *policy.Market) { word(c, x, policy.Market.String) }

// marketIf is a market that is left out when it is on demand.
func (c *codec) marketIf(x *policy.Market) {
	if c.maybe(`"market":`, *x != policy.OnDemand) {
		c.market(x)
	} else if c.reading {
		*x = policy.OnDemand
	}
}

func (c *codec) fleet(f *policy.FleetView) {
	count := func(n *int) { whole(c, n) }
	c.readingOf(&f.Reading)
	lists(c, `"instances":`, &f.Instances, func(in *policy.Instance) { c.object(func() { c.instance(in) }) })
	integer(c, `"ready_slots":`, &f.ReadySlots)
	integer(c, `"busy_slots":`, &f.BusySlots)
	integer(c, `"booting_slots":`, &f.BootingSlots)
	integer(c, `"draining_slots":`, &f.DrainingSlots)
	lists(c, `"freeing":`, &f.Freeing, func(x *policy.FreeCount) {
		c.object(func() {
			integer(c, `"after":`, &x.After)
			number(c, `"capacity":`, &x.Capacity)
		})
	})
	number(c, `"load":`, &f.Load)
	number(c, `"jobs_per_instance":`, &f.JobsPerInstance)
	c.key(`"boot":`)
	c.object(func() {
		integer(c, `"samples":`, &f.Boot.Samples)
		integer(c, `"p50":`, &f.Boot.P50)
		integer(c, `"p99":`, &f.Boot.P99)
		integer(c, `"failed":`, &f.Boot.Failed)
		integer(c, `"overdue":`, &f.Boot.Overdue)
	})
	lists(c, `"speeds":`, &f.Speeds, func(x *float64) { real(c, x) })
	if c.reading && len(f.Speeds) == 0 {
		f.Speeds = nil // the catalog's hold
	}
	fixed(c, `"launched":`, f.Launched[:], count)
	fixed(c, `"terminated":`, f.Terminated[:], count)
	integer(c, `"interrupted":`, &f.Interrupted)
}

func (c *codec) instance(in *policy.Instance) {
	integer(c, `"id":`, &in.ID)
	integer(c, `"type":`, &in.Type)
	c.marketIf(&in.Market)
	c.key(`"phase":`)
	word(c, &in.Phase, policy.Phase.String)
	c.textIf(`"zone":`, &in.Zone)
	c.instant(`"launched_at":`, &in.LaunchedAt)
	c.instant(`"paid_until":`, &in.PaidUntil)
	integer(c, `"slots":`, &in.Slots)
	integer(c, `"busy":`, &in.Busy)
	integerIf(c, `"idle_in":`, &in.IdleIn)
	c.instant(`"last_seen":`, &in.LastSeen)
	c.instant(`"interrupt_at":`, &in.InterruptAt)
}

func (c *codec) ec2(v *policy.EC2View) {
	c.readingOf(&v.Reading)
	lists(c, `"refusals":`, &v.Refusals, func(r *policy.Refusal) { c.object(func() { c.refusal(r) }) })
	integerIf(c, `"quota":`, &v.Quota)
	integer(c, `"calls":`, &v.Calls)
	integer(c, `"errors":`, &v.Errors)
	integer(c, `"throttled":`, &v.Throttled)
}

func (c *codec) refusal(r *policy.Refusal) {
	integer(c, `"type":`, &r.Type)
	c.marketIf(&r.Market)
	c.textIf(`"zone":`, &r.Zone)
	c.instant(`"at":`, &r.At)
	integer(c, `"asked":`, &r.Asked)
	integer(c, `"refused":`, &r.Refused)
	c.text(`"why":`, &r.Why)
}

func (c *codec) money(m *policy.MoneyView) {
	amount := func(x *policy.MicroUSD) { whole(c, x) }
	c.readingOf(&m.Reading)
	lists(c, `"on_demand":`, &m.OnDemand, amount)
	lists(c, `"spot":`, &m.Spot, amount)
	if c.reading && len(m.Spot) == 0 {
		m.Spot = nil // there is no spot market
	}
	integer(c, `"spent_hour":`, &m.SpentHour)
	integer(c, `"spent_day":`, &m.SpentDay)
	integer(c, `"spent_month":`, &m.SpentMonth)
	integerIf(c, `"budget_hour":`, &m.BudgetHour)
	integerIf(c, `"budget_day":`, &m.BudgetDay)
	integerIf(c, `"budget_month":`, &m.BudgetMonth)
}

func (c *codec) history(h *policy.HistoryView) {
	c.readingOf(&h.Reading)
	number(c, `"profile_mean":`, &h.ProfileMean)
	number(c, `"profile_p90":`, &h.ProfileP90)
	number(c, `"next_mean":`, &h.NextMean)
	number(c, `"level":`, &h.Level)
	number(c, `"trend":`, &h.Trend)
	number(c, `"slack_24h":`, &h.Slack24h)
	integer(c, `"slack_over":`, &h.SlackOver)
	number(c, `"ready_slot_seconds":`, &h.ReadySlotSeconds)
	number(c, `"busy_slot_seconds":`, &h.BusySlotSeconds)
	lists(c, `"decisions":`, &h.Decisions, func(x *policy.Outcome) {
		c.object(func() {
			c.instant(`"at":`, &x.At)
			integer(c, `"asked":`, &x.Asked)
			integer(c, `"launched":`, &x.Launched)
			integer(c, `"refused":`, &x.Refused)
			integer(c, `"drained":`, &x.Drained)
		})
	})
}

func (c *codec) health(h *policy.HealthView) {
	c.readingOf(&h.Reading)
	integer(c, `"silent_workers":`, &h.SilentWorkers)
	integer(c, `"queue_calls":`, &h.QueueCalls)
	integer(c, `"queue_errors":`, &h.QueueErrors)
	c.instant(`"progress":`, &h.Progress)
}

// decision writes a decision. Reading one back is not the codec's: see Decision.
func (c *codec) decision(d *policy.Decision) {
	c.object(func() {
		lists(c, `"launches":`, &d.Launches, func(l *policy.Launch) { c.object(func() { c.launch(l) }) })
		id := func(x *policy.InstanceID) { whole(c, x) }
		lists(c, `"drains":`, &d.Drains, id)
		lists(c, `"undrains":`, &d.Undrains, id)
		integerIf(c, `"next_tick":`, &d.NextTick)
		lists(c, `"because":`, &d.Because, func(r *policy.Reason) {
			text, err := r.MarshalJSON()
			if err != nil {
				c.err = err
			}
			c.out = append(c.out, text...)
		})
	})
}

func (c *codec) launch(l *policy.Launch) {
	integer(c, `"type":`, &l.Type)
	c.marketIf(&l.Market)
	c.textIf(`"zone":`, &l.Zone)
	integer(c, `"count":`, &l.Count)
	lists(c, `"else":`, &l.Else, func(s *policy.Substitute) {
		c.object(func() {
			integer(c, `"type":`, &s.Type)
			c.marketIf(&s.Market)
			integer(c, `"num":`, &s.Num)
			integer(c, `"den":`, &s.Den)
		})
	})
}
