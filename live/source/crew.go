package source

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/fleet"
)

// crew is what is known of the workers on the fleet's instances.
type crew struct {
	hands      map[string]*hand     // by EC2's id
	drains     map[string]time.Time // since when they are to go
	quietSince time.Time            // since when nothing is in flight in the whole queue; zero: something is
}

// hand is the worker of an instance.
type hand struct {
	id, typ, zone string
	slots         int
	speed         float64
	registered    time.Time // zero: not ready yet
	seen          time.Time
	reports       bool // at this reading
	jobs          []int
	idleSince     time.Time // since when it says that it is idle; zero: it does not
	overdue       bool      // it goes though it may be busy, which was logged
}

func newCrew() crew { return crew{hands: map[string]*hand{}, drains: map[string]time.Time{}} }

// vanished says that workers reported and now none does, though instances are
// listed; "": that is not so.
func (c *crew) vanished(r *Reading) string {
	if !r.WithWorkers {
		return ""
	}
	known := 0
	for _, h := range c.hands {
		if h.reports {
			return ""
		}
		if !h.registered.IsZero() {
			known++
		}
	}
	if known == 0 {
		return ""
	}
	return fmt.Sprintf("workers: none of %d that are known reports", known)
}

// join brings the list of instances and what workers report together. It returns
// the slots that are ready, and their mean speed.
func (c *crew) join(now time.Time, v *fleet.View, r *Reading, config *Config) (slots int, speed float64) {
	listed := map[string]bool{}
	for i := range v.Instances {
		in := &v.Instances[i]
		t := config.Catalog.Index(in.Type)
		if in.State == fleet.Over || t < 0 {
			continue
		}
		listed[in.ID] = true
		h := c.hands[in.ID]
		if h == nil {
			kind := &config.Catalog.Types[t]
			h = &hand{id: in.ID, typ: in.Type, zone: in.Zone, slots: kind.Slots, speed: kind.Speed}
			c.hands[in.ID] = h
		}
		h.reports = false
		if ready := in.Launched.Add(config.ReadyAfter); !r.WithWorkers && in.State == fleet.Running && !now.Before(ready) {
			h.report(ready, now)
		}
	}
	gone := func(id string) bool { return !listed[id] }
	maps.DeleteFunc(c.hands, func(id string, _ *hand) bool { return gone(id) })
	maps.DeleteFunc(c.drains, func(id string, _ time.Time) bool { return gone(id) })
	for _, w := range r.Workers {
		if h := c.hands[w.Instance]; h != nil {
			h.report(r.At, r.At)
		}
	}
	sum := 0.0
	for _, id := range c.ids() {
		if h := c.hands[id]; h.reports {
			slots += h.slots
			sum += float64(h.slots) * h.speed
		}
	}
	if slots == 0 {
		return 0, 1
	}
	return slots, sum / float64(slots)
}

// report notes that a worker is there.
func (h *hand) report(ready, at time.Time) {
	h.reports, h.seen = true, at
	if h.registered.IsZero() {
		h.registered = ready
	}
}

// ids returns the instances in order.
func (c *crew) ids() []string { return slices.Sorted(maps.Keys(c.hands)) }

// busy returns how many jobs the fleet's own workers say they run.
func (c *crew) busy(r *Reading) (n int64) {
	for _, w := range r.Workers {
		if c.hands[w.Instance] != nil {
			n += int64(w.Busy)
		}
	}
	return n
}

// work says which jobs run where: as the workers say, or else evenly. since is
// when the reading before was.
func (c *crew) work(now, since time.Time, r *Reading, kinds []*ledger, config *Config) {
	if now.Sub(since) > config.IdleAfter { // nobody has looked for so long
		c.quietSince = time.Time{}
		for _, h := range c.hands {
			h.idleSince = time.Time{}
		}
	}
	var jobs []int // the kinds of all that run
	quiet := true
	for i, k := range kinds {
		for range k.running {
			jobs = append(jobs, i)
		}
		quiet = quiet && k.inFlight == 0 && !r.Kinds[i].NoInFlight
	}
	if c.quietSince = sinceWhen(c.quietSince, now, quiet); r.WithWorkers {
		c.reported(now, r, jobs)
		return
	}
	c.deal(jobs)
}

// sinceWhen returns since when something is so.
func sinceWhen(since, now time.Time, is bool) time.Time {
	switch {
	case !is:
		return time.Time{}
	case since.IsZero():
		return now
	}
	return since
}

// reported takes the workers' own word.
func (c *crew) reported(now time.Time, r *Reading, jobs []int) {
	says := map[string]int{}
	for _, w := range r.Workers {
		says[w.Instance] += w.Busy
	}
	for _, id := range c.ids() {
		h := c.hands[id]
		n, heard := says[id]
		h.idleSince = sinceWhen(h.idleSince, now, heard && n == 0)
		if heard {
			n = min(n, len(jobs))
			h.jobs, jobs = slices.Clone(jobs[:n]), jobs[n:]
		}
	}
}

// deal gives every instance its share.
func (c *crew) deal(jobs []int) {
	ids := c.ids()
	for _, h := range c.hands {
		h.jobs = h.jobs[:0]
	}
	for dealt := true; dealt && len(jobs) > 0; {
		dealt = false
		for _, id := range ids {
			if h := c.hands[id]; h.reports && len(h.jobs) < h.slots && len(jobs) > 0 {
				h.jobs, jobs, dealt = append(h.jobs, jobs[0]), jobs[1:], true
			}
		}
	}
}

// drain notes that an instance is to go, or to stay after all.
func (c *crew) drain(id string, goes bool, now time.Time) {
	if !goes {
		delete(c.drains, id)
		return
	}
	if _, already := c.drains[id]; !already {
		c.drains[id] = now
	}
}

// idle reports whether an instance is known to be idle, and has been for long
// enough.
func (c *crew) idle(h *hand, now time.Time, withWorkers bool, after time.Duration) bool {
	since := c.quietSince
	if withWorkers {
		since = h.idleSince
	}
	return !since.IsZero() && now.Sub(since) >= after
}

// workers returns the crew as a queue would list it. An instance that is to go
// counts as told so only once it may be ended: a controller ends what was told to
// drain and runs nothing.
func (c *crew) workers(now time.Time, r *Reading, kinds []*ledger, config *Config) []api.ObservedWorker {
	var all []api.ObservedWorker
	for _, id := range c.ids() {
		h := c.hands[id]
		if h.registered.IsZero() {
			continue
		}
		w := api.ObservedWorker{
			WorkerID: id, InstanceID: id, InstanceType: h.typ, Zone: h.zone, Slots: h.slots,
			RegisteredAt: h.registered, SeenAt: h.seen, Directive: api.OpWork,
		}
		for _, kind := range h.jobs {
			// how long it has run nobody says: half its time, on average
			mean := kinds[kind].mean
			w.Running = append(w.Running, api.ObservedJob{Kind: kind, ElapsedS: mean / h.speed / 2, EstimateS: mean})
		}
		if since, going := c.drains[id]; going {
			late := config.DrainGrace > 0 && now.Sub(since) >= config.DrainGrace
			idle := c.idle(h, now, r.WithWorkers, config.IdleAfter)
			if late && !idle && !h.overdue {
				h.overdue = true
				config.Log.Warn("an instance goes though it may be busy: its grace is over", "instance", id, "to_go_since", since)
			}
			if idle || late {
				w.Directive, w.Running = api.OpDrain, nil
			}
		}
		all = append(all, w)
	}
	return all
}
