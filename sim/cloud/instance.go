package cloud

import (
	"cmp"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// State is an instance's state in EC2's numbers.
type State int

// The states of an instance.
const (
	Pending      State = 0
	Running      State = 16
	ShuttingDown State = 32
	Terminated   State = 48
	Stopping     State = 64
	Stopped      State = 80
)

// String returns EC2's word for the state.
func (s State) String() string {
	switch s {
	case Pending:
		return "pending"
	case Running:
		return "running"
	case ShuttingDown:
		return "shutting-down"
	case Terminated:
		return "terminated"
	case Stopping:
		return "stopping"
	}
	return "stopped"
}

// over reports whether the state is the end or leads to it: nothing is billed
// any more.
func (s State) over() bool { return s >= ShuttingDown }

// Tag is a key and its value.
type Tag struct{ Key, Value string }

// Reason is why an instance is in its state; the zero Reason: nothing to say.
type Reason struct{ Code, Message string }

// change is one step of an instance's life.
type change struct {
	at, shown time.Time // when it happened, and from when lists show it
	state     State
	reason    Reason
}

// Instance is one instance. Callers only read it.
type Instance struct {
	Number      int64 // of the launch, from 0
	ID          string
	Reservation string
	Index       int // in its launch
	Type        int // in the catalog
	Market      policy.Market
	Zone        int // in Zones
	Address     string
	Token       string // the client token it was launched with
	Fleet       string // the fleet it was launched by; empty: none
	Spec        Spec
	Tags        []Tag // sorted by key
	Launched    time.Time
	// Notice, when not zero, is when the notice of an interruption was given, and
	// Interrupt when EC2 takes the instance back.
	Notice, Interrupt time.Time

	life    []change
	advised time.Time // that it be replaced; zero: not yet
	ready   time.Time // when its worker begins; zero: never
	works   bool      // its worker runs
	bill    *sim.Bill
	billed  time.Duration // world time at which billing ended, if over
}

// State returns the instance's state.
func (in *Instance) State() State { return in.life[len(in.life)-1].state }

// Reason returns why it is in its state.
func (in *Instance) Reason() Reason { return in.life[len(in.life)-1].reason }

// asOf returns the last change that lists show at t; nil if they do not show the
// instance.
func (in *Instance) asOf(t time.Time) *change {
	for i := len(in.life) - 1; i >= 0; i-- {
		if !in.life[i].shown.After(t) {
			return &in.life[i]
		}
	}
	return nil
}

// become takes the instance to another state.
func (c *Cloud) become(in *Instance, s State, why Reason) {
	in.life = append(in.life, change{at: c.now, shown: c.shownAt(in), state: s, reason: why})
}

// shownAt returns from when lists show what happens to an instance now, never
// before what happened earlier.
func (c *Cloud) shownAt(in *Instance) time.Time {
	shown := c.now
	if mean := c.cfg.ListLag; mean > 0 {
		s := c.streams.listLag.Of(in.Number).Of(int64(len(in.life)))
		shown = shown.Add(min(policy.Seconds(s.Exponential()*mean.Seconds()), 30*mean))
	}
	if n := len(in.life); n > 0 && in.life[n-1].shown.After(shown) {
		shown = in.life[n-1].shown
	}
	return shown
}

// find returns the instance of an id that lists show at the time of a list.
func (c *Cloud) find(id string) *Instance {
	if in := c.byID[id]; in != nil && in.asOf(c.now) != nil {
		return in
	}
	return nil
}

// Instance returns the instance of an id, whether lists show it or not; nil if
// there is none.
func (c *Cloud) Instance(id string) *Instance { return c.byID[id] }

// Instances returns those that have not been forgotten, in launch order.
func (c *Cloud) Instances() []*Instance { return c.instances }

// setTag adds or replaces a tag.
func (in *Instance) setTag(t Tag) {
	i, there := slices.BinarySearchFunc(in.Tags, t.Key, func(t Tag, key string) int { return cmp.Compare(t.Key, key) })
	if there {
		in.Tags[i] = t
	} else {
		in.Tags = slices.Insert(in.Tags, i, t)
	}
}

// dropTag removes a tag; with a value only if it has that value.
func (in *Instance) dropTag(key string, value *string) {
	in.Tags = slices.DeleteFunc(in.Tags, func(t Tag) bool { return t.Key == key && (value == nil || t.Value == *value) })
}

// end makes an instance shut down: nothing is billed from now on, and its place
// is free again.
func (c *Cloud) end(in *Instance, to State, why Reason) {
	if in.State().over() {
		return
	}
	c.become(in, to, why)
	in.billed = c.since(c.now)
	c.alive--
	c.vcpus[in.Market] -= c.catalog.Types[in.Type].Cores
	c.take(in.Type, in.Zone, -1)
	c.stopWorker(in, StopWorker)
	// 20 to 60 s until it is gone
	lag := policy.Seconds(20 + float64(40*c.streams.stopLag.UnitAt(in.Number)))
	c.events.add(event{at: c.now.Add(lag), kind: gone, number: in.Number})
}

// stopWorker tells the launcher that the worker ends, if it runs.
func (c *Cloud) stopWorker(in *Instance, how EffectKind) {
	if in.works {
		in.works = false
		c.effects = append(c.effects, Effect{how, in})
	}
}

// ShutDown is the instance's own doing: it powers off. Launched with the
// shutdown behavior "terminate" it ends, otherwise it stops.
func (c *Cloud) ShutDown(id string) {
	in := c.byID[id]
	if in == nil || in.State().over() {
		return
	}
	in.works = false // it ended by itself
	to := Stopping
	if in.Spec.Shutdown == "terminate" {
		to = ShuttingDown
	}
	c.end(in, to, Reason{"Client.InstanceInitiatedShutdown", "Client.InstanceInitiatedShutdown: Instance initiated shutdown"})
}

// WorkerExited notes that the worker of an instance is no more; the instance
// runs on, and is paid.
func (c *Cloud) WorkerExited(id string) {
	if in := c.byID[id]; in != nil {
		in.works = false
	}
}

// Works reports whether the instance's worker runs.
func (in *Instance) Works() bool { return in.works }

// Recommend advises that a spot instance be replaced before it is interrupted. It
// reports whether there is such an instance, alive.
func (c *Cloud) Recommend(id string) bool {
	in := c.byID[id]
	if in == nil || in.Market != policy.Spot || in.State().over() {
		return false
	}
	if in.advised.IsZero() {
		in.advised = c.now
	}
	return true
}

// Rebalance returns when the advice to replace an instance was given: at its
// notice of an interruption at the latest; zero: not yet.
func (c *Cloud) Rebalance(in *Instance) time.Time {
	if in.advised.IsZero() {
		return in.Notice
	}
	return in.advised
}
