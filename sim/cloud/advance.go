package cloud

import (
	"container/heap"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// EffectKind is what the caller has to do for an instance.
type EffectKind int

// The effects.
const (
	// StartWorker: the instance has booted; its worker begins.
	StartWorker EffectKind = iota
	// StopWorker: the instance shuts down; its worker is asked to end.
	StopWorker
	// CrashWorker: the worker dies at once; the instance runs on.
	CrashWorker
)

// Effect is something that happens to what an instance runs.
type Effect struct {
	Kind     EffectKind
	Instance *Instance
}

type eventKind uint8

const (
	runs   eventKind = iota // the instance is running
	boots                   // its worker begins
	dies                    // its worker crashes
	warned                  // it is noticed that it will be taken back
	taken                   // it is taken back
	gone                    // it has shut down
	forgot                  // lists do not show it any more
)

// event is something that will happen to an instance by itself.
type event struct {
	at     time.Time
	kind   eventKind
	number int64
}

// agenda is a heap of events, earliest first; at one instant by instance, then
// by kind.
type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	switch {
	case !a[i].at.Equal(a[j].at):
		return a[i].at.Before(a[j].at)
	case a[i].number != a[j].number:
		return a[i].number < a[j].number
	}
	return a[i].kind < a[j].kind
}
func (a agenda) Swap(i, j int)   { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)     { *a = append(*a, x.(event)) }
func (a *agenda) Pop() any       { last := (*a)[len(*a)-1]; *a = (*a)[:len(*a)-1]; return last }
func (a *agenda) add(e event)    { heap.Push(a, e) }
func (a agenda) next() time.Time { return a[0].at }

// Next returns when something will happen by itself; false if nothing will
// unless somebody calls.
func (c *Cloud) Next() (time.Time, bool) {
	change, some := c.weather.NextChange()
	at := c.cfg.Start.Add(change)
	if len(c.events) > 0 && (!some || c.events.next().Before(at)) {
		at, some = c.events.next(), true
	}
	return at, some
}

// Advance plays everything that happens up to now, and returns what is to be
// done about it, in order. A time before the last one changes nothing.
func (c *Cloud) Advance(now time.Time) []Effect {
	for {
		at, some := c.Next()
		if !some || at.After(now) {
			break
		}
		c.moveTo(at)
		for len(c.events) > 0 && !c.events.next().After(at) {
			c.play(heap.Pop(&c.events).(event))
		}
	}
	c.moveTo(now)
	effects := c.effects
	c.effects = nil
	return effects
}

// moveTo moves the clock and the weather.
func (c *Cloud) moveTo(at time.Time) {
	if !at.After(c.now) {
		return
	}
	before, _ := c.weather.NextChange()
	c.now = at
	began := c.weather.To(c.since(at))
	if c.since(at) >= before {
		c.reprice()
	}
	c.played(began)
}

// reprice charges instances the present prices, and notices spot instances that
// are outbid.
func (c *Cloud) reprice() {
	for _, in := range c.instances {
		if in.State().over() {
			continue
		}
		in.bill.Reprice(c.since(c.now), c.weather.Price(in.Type, in.Market))
		if c.weather.Outbid(in.Type, in.Market) {
			c.warn(in)
		}
	}
}

// played does what faults do at their beginning.
func (c *Cloud) played(began []int) {
	for _, i := range began {
		f, active := c.weather.Fault(i)
		if !active && f.To > f.From {
			continue // over before anybody looked
		}
		for _, in := range slices.Clone(c.instances) {
			if in.State().over() || !c.weather.Hits(i, in.Number, in.Type, c.zones[in.Zone].scenario) {
				continue
			}
			switch {
			case f.Kind == sim.Crash && f.Rate == 0:
				c.crash(in)
			case f.Kind == sim.Interrupt && in.Market == policy.Spot:
				c.warn(in)
			}
		}
	}
}

// play does what an event says, if it still applies.
func (c *Cloud) play(e event) {
	i, there := slices.BinarySearchFunc(c.instances, e.number, func(in *Instance, n int64) int { return int(in.Number - n) })
	if !there {
		return
	}
	in := c.instances[i]
	switch e.kind {
	case runs:
		if in.State() == Pending {
			c.become(in, Running, Reason{})
		}
	case boots:
		if in.State() == Running {
			in.works = true
			c.effects = append(c.effects, Effect{StartWorker, in})
		}
	case dies:
		c.crash(in)
	case warned:
		c.warn(in)
	case taken:
		if !in.State().over() {
			in.bill.Refund(c.since(c.now))
			c.end(in, ShuttingDown, Reason{"Server.SpotInstanceTermination", "Server.SpotInstanceTermination: Spot instance termination"})
		}
	case gone:
		to := Terminated
		if in.State() == Stopping {
			to = Stopped
		} else {
			c.events.add(event{at: c.now.Add(remembered), kind: forgot, number: in.Number})
		}
		c.become(in, to, in.Reason())
	case forgot:
		c.ended += in.bill.Total(in.billed)
		delete(c.byID, in.ID)
		c.instances = slices.Delete(c.instances, i, i+1)
	}
}

// remembered is how long lists show an instance that has ended.
const remembered = time.Hour

// crash ends the worker of an instance; the instance runs on.
func (c *Cloud) crash(in *Instance) {
	if in.State() == Pending {
		in.ready = time.Time{} // it will not become a worker
		c.events = slices.DeleteFunc(c.events, func(e event) bool { return e.number == in.Number && e.kind == boots })
		heap.Init(&c.events)
		return
	}
	c.stopWorker(in, CrashWorker)
}

// warn notices a spot instance that it will be taken back.
func (c *Cloud) warn(in *Instance) {
	if in.State().over() || !in.Interrupt.IsZero() {
		return
	}
	wait := 2 * time.Minute
	if c.cfg.World.Spot != nil {
		wait = c.cfg.World.Spot.Notice
	}
	in.Notice, in.Interrupt = c.now, c.now.Add(wait)
	c.events.add(event{at: in.Interrupt, kind: taken, number: in.Number})
}

// Interrupt gives a spot instance its notice now. It reports whether there is
// such an instance, alive.
func (c *Cloud) Interrupt(id string) bool {
	in := c.byID[id]
	if in == nil || in.Market != policy.Spot || in.State().over() {
		return false
	}
	c.warn(in)
	return true
}

// Crash ends the worker of an instance now; the instance runs on. It reports
// whether there is such an instance.
func (c *Cloud) Crash(id string) bool {
	in := c.byID[id]
	if in == nil {
		return false
	}
	c.crash(in)
	return true
}

// Bill is what the account owes.
type Bill struct {
	Total policy.MicroUSD
	// Lines are the instances that are not forgotten, in launch order; the bills
	// of forgotten ones are Earlier.
	Lines   []BillLine
	Earlier policy.MicroUSD
}

// BillLine is what one instance costs so far.
type BillLine struct {
	Instance *Instance
	Amount   policy.MicroUSD
}

// Bill returns what the account owes now.
func (c *Cloud) Bill() Bill {
	b := Bill{Total: c.ended, Earlier: c.ended}
	for _, in := range c.instances {
		until := in.billed
		if !in.State().over() {
			until = c.since(c.now)
		}
		amount := in.bill.Total(until)
		b.Total += amount
		b.Lines = append(b.Lines, BillLine{in, amount})
	}
	return b
}
