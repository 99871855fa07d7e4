package controller

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/observe"
)

// observe builds the observation of a tick from what was gathered and from the
// ledger, as the simulator builds it from its world.
func (c *Controller) observe(now time.Time, found []fleet.Finding) {
	o, r, s := &c.obs, c.recorder, &c.sight
	world := now.Sub(r.Origin()).Nanoseconds()
	if s.queue != nil {
		c.follow.take(r, s.queue)
	}
	for _, f := range found {
		switch f.Kind {
		case fleet.NeverWorked:
			r.BootFailed(world)
			r.Terminated(world)
		case fleet.Gone, fleet.Lost:
			r.Terminated(world)
		}
	}
	o.FastTicks = c.c.FastTicks
	r.Begin(o, world)
	silent, ready, busy := c.observeFleet(now)
	c.observeMoney(now)
	r.QueueRead(world, s.queue == nil)
	step := observe.Sample{Silent: silent}
	if s.queue != nil {
		step.ReadySlotS, step.BusySlotS = s.slotSeconds(now, ready, busy)
	}
	s.at = now
	r.End(o, world, step)
	c.observeWishes(now)
	o.EC2 = s.view.EC2
	o.EC2.Complete = s.view.Complete
	if s.queue == nil {
		o.Queue.Complete, o.Queue.At = false, s.queueAt
	}
	if !s.view.Complete {
		o.Fleet.Complete, o.Fleet.At = false, s.viewAt
	}
}

// slotSeconds returns the slot-seconds, ready and busy, from the reading of the queue
// before to this one: what the queue has counted, or else what there was on average
// of the two. A tick on which the queue cannot be read leaves its time to the next
// on which it can: nobody knows what is busy.
func (s *sight) slotSeconds(now time.Time, ready, busy float64) (readyS, busyS float64) {
	if !s.slotsAt.IsZero() {
		over := now.Sub(s.slotsAt).Seconds()
		readyS, busyS = (s.ready+ready)/2*over, (s.busy+busy)/2*over
		if s.epoch == s.queue.Epoch { // the queue has counted
			if s.queue.ReadyS > 0 {
				readyS = max(s.queue.ReadyS-s.readyS, 0)
			}
			busyS = min(max(s.queue.BusyS-s.heldS, 0), readyS)
		}
	}
	s.ready, s.busy, s.slotsAt = ready, busy, now
	s.heldS, s.readyS, s.epoch = s.queue.BusyS, s.queue.ReadyS, s.queue.Epoch
	return readyS, busyS
}

// observeFleet lists the instances and what runs on them. It returns how many
// workers are silent, and how many slots are ready and busy as slack counts them:
// of one that drains the busy ones only.
func (c *Controller) observeFleet(now time.Time) (silent int, ready, busy float64) {
	list := c.ledger.Instances(now, &c.c.Env.Catalog)
	for i := range list {
		in := &list[i]
		if in.Phase == policy.Ready {
			c.observeWorker(now, in)
		}
		if _, draining := c.drain(in.ID); draining {
			in.Phase = policy.Draining
		}
		switch in.Phase {
		case policy.Lost:
			silent++
		case policy.Ready:
			ready += float64(in.Slots)
			busy += float64(in.Busy)
			if !in.InterruptAt.IsZero() { // it takes no new job
				ready -= float64(in.Slots - in.Busy)
			}
		case policy.Draining:
			ready += float64(in.Busy)
			busy += float64(in.Busy)
		}
	}
	c.obs.Fleet.Instances = list
	return silent, ready, busy
}

// observeWorker adds what the queue knows of an instance's worker.
func (c *Controller) observeWorker(now time.Time, in *policy.Instance) {
	w := c.workerOf(in.ID)
	if w == nil && !in.InterruptAt.IsZero() {
		return // it has left in time, as it should
	}
	if w == nil || c.sight.queue == nil {
		if now.Sub(in.LastSeen) > c.c.Lease && c.sight.queue != nil {
			in.Phase = policy.Lost // it said goodbye, or was forgotten
		}
		return
	}
	if now.Sub(w.SeenAt) > c.c.Lease {
		in.Phase = policy.Lost
	}
	in.Busy = min(len(w.Running), in.Slots)
	speed := c.recorder.Speed(in.Type)
	_, draining := c.drain(in.ID)
	for _, j := range w.Running {
		if j.Kind < 0 || j.Kind >= len(c.follow.order) {
			continue
		}
		after := c.recorder.Running(c.follow.order[j.Kind], nanoseconds(j.EstimateS), nanoseconds(j.ElapsedS), speed, in.Phase == policy.Ready && !draining)
		in.IdleIn = max(in.IdleIn, after)
	}
}

// workerOf returns the worker of an instance; nil if the queue knows none.
func (c *Controller) workerOf(number policy.InstanceID) *api.ObservedWorker {
	id, known := c.ledger.EC2ID(number)
	if !known {
		return nil
	}
	return c.sight.workers[id]
}

// drain returns the place of an instance among those that drain.
func (c *Controller) drain(number policy.InstanceID) (at int, draining bool) {
	return slices.BinarySearchFunc(c.drains, number, func(d Drain, n policy.InstanceID) int { return int(d.Instance - n) })
}

// observeMoney fills in prices and what was spent.
func (c *Controller) observeMoney(now time.Time) {
	c.spent.book(now.Add(c.c.Env.UTCOffset), c.obs.Fleet.Instances, &c.c.Env.Catalog)
	m := &c.obs.Money
	m.At, m.Complete = now, true
	m.OnDemand = m.OnDemand[:0]
	for i := range c.c.Env.Catalog.Types {
		m.OnDemand = append(m.OnDemand, c.c.Env.Catalog.Types[i].PerHour)
	}
	m.Spot = c.prices.observe(now, m.Spot)
	m.SpentHour, m.SpentDay, m.SpentMonth = c.spent.Hour, c.spent.Day, c.spent.Month
	m.BudgetHour, m.BudgetDay, m.BudgetMonth = c.c.BudgetHour, c.c.BudgetDay, c.c.BudgetMonth
}

// hear tells the ledger whose workers were heard of, and the recorder how long
// the boots of the new ones took. It notes which instances EC2 takes back, which
// only their workers are told.
func (c *Controller) hear(now time.Time) {
	if c.sight.queue == nil {
		return
	}
	for id, w := range c.sight.workers {
		c.ledger.Heard(id, w.SeenAt)
	}
	for _, n := range c.sight.queue.TakenBack {
		if c.ledger.Noticed(n.InstanceID, n.At) {
			c.c.Log.Info("EC2 takes an instance back", "fleet", c.c.Fleet, "instance", n.InstanceID, "at", n.At)
			c.recorder.Interrupted(now.Sub(c.recorder.Origin()).Nanoseconds())
		}
	}
}

// boots teaches the recorder the boots of instances that have a worker now and had
// none at the last tick, when they were booting or were about to be launched, in
// the order of their numbers.
func (c *Controller) boots(now time.Time) {
	if c.sight.queue == nil || c.sight.at.IsZero() {
		return
	}
	worked := map[policy.InstanceID]bool{}
	for i := range c.obs.Fleet.Instances {
		before := &c.obs.Fleet.Instances[i]
		worked[before.ID] = before.Phase != policy.Booting && before.Phase != policy.Requested
	}
	list := c.ledger.Instances(now, &c.c.Env.Catalog)
	for i := range list {
		in := &list[i]
		if worked[in.ID] {
			continue
		}
		if w := c.workerOf(in.ID); w != nil {
			if lag := w.RegisteredAt.Sub(in.LaunchedAt); lag > 0 && lag < now.Sub(in.LaunchedAt)+time.Minute {
				c.recorder.Booted(lag)
			}
		}
	}
}
