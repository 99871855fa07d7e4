package bound

import (
	"errors"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// follower is the policy that acts out a plan: it launches every lease at its
// tick and drains it at its own, whatever it observes. It needs to know nothing
// but which instance is whose.
type follower struct {
	leases []Lease // by launch
	types  []int   // catalog index of each
	start  time.Time
	fast   bool
	window time.Duration // 0 per second

	next     int
	seen     policy.InstanceID // the newest instance given to a lease
	waiting  []int             // leases launched whose instances are not listed yet
	owned    []owned           // by id
	launches []policy.Launch
	drains   []policy.InstanceID
	undrains []policy.InstanceID
}

// owned is a lease that runs.
type owned struct {
	id    policy.InstanceID
	typ   int
	drain time.Duration
	ends  time.Duration // of its last paid window; 0 per second

	in   *policy.Instance // in the present observation
	done bool
}

func newFollower(w *world, leases []Lease) *follower {
	f := &follower{leases: leases, start: w.cfg.Start, fast: w.cfg.FastTicks, seen: -1}
	if w.hourly {
		f.window = w.cfg.Catalog.Billing.Quantum
	}
	for i := range leases {
		f.types = append(f.types, w.cfg.Catalog.Index(leases[i].Type))
	}
	return f
}

// Step launches and drains what is due.
func (f *follower) Step(o *policy.Observation) policy.Decision {
	now := o.Now.Sub(f.start)
	f.meet(o)
	f.launches, f.drains, f.undrains = f.launches[:0], f.drains[:0], f.undrains[:0]
	f.release(now)
	for ; f.next < len(f.leases) && f.leases[f.next].Launch <= now; f.next++ {
		f.waiting = append(f.waiting, f.next)
		if n := len(f.launches); n > 0 && f.launches[n-1].Type == f.types[f.next] {
			f.launches[n-1].Count++
			continue
		}
		f.launches = append(f.launches, policy.Launch{Type: f.types[f.next], Count: 1})
	}
	d := policy.Decision{Launches: f.launches, Drains: f.drains, Undrains: f.undrains}
	if f.fast {
		d.NextTick = policy.MinTick
	}
	return d
}

// meet gives newly listed instances to the leases that wait, in the order of
// their launch.
func (f *follower) meet(o *policy.Observation) {
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		if in.ID <= f.seen {
			continue
		}
		f.seen = in.ID
		k := slices.IndexFunc(f.waiting, func(l int) bool { return f.types[l] == in.Type })
		if k < 0 {
			continue
		}
		l := &f.leases[f.waiting[k]]
		own := owned{id: in.ID, typ: in.Type, drain: l.Drain}
		if f.window > 0 {
			launched := in.LaunchedAt.Sub(f.start)
			own.ends = launched + (l.Drain-launched+f.window-1)/f.window*f.window
		}
		f.owned = append(f.owned, own)
		f.waiting = slices.Delete(f.waiting, k, k+1)
	}
	at := 0
	keep := f.owned[:0]
	for _, own := range f.owned {
		for at < len(o.Fleet.Instances) && o.Fleet.Instances[at].ID < own.id {
			at++
		}
		if at < len(o.Fleet.Instances) && o.Fleet.Instances[at].ID == own.id {
			own.in = &o.Fleet.Instances[at]
			keep = append(keep, own)
		}
	}
	f.owned = keep
}

// release drains the leases that are over.
func (f *follower) release(now time.Duration) {
	for i := range f.owned {
		own := &f.owned[i]
		draining := own.in.Phase == policy.Draining
		switch {
		case f.window > 0 && draining && now >= own.ends:
			// still busy when its window ended: the next one is paid
			own.drain += f.window
			own.ends += f.window
			f.undrains = append(f.undrains, own.id)
		case now < own.drain || draining || own.done:
		case f.window > 0:
			f.drains = append(f.drains, own.id)
		default:
			idlest := f.idlest(own)
			own.drain, idlest.drain = idlest.drain, own.drain
			idlest.done = true
			f.drains = append(f.drains, idlest.id)
		}
	}
}

// idlest returns the instance, of those that could go instead of own, that will
// be idle first.
func (f *follower) idlest(own *owned) *owned {
	best := own
	for i := range f.owned {
		o := &f.owned[i]
		if o.typ != own.typ || o.done || o.in.Phase != policy.Ready {
			continue
		}
		if best.in.Phase != policy.Ready || o.in.IdleIn < best.in.IdleIn {
			best = o
		}
	}
	return best
}

// MarshalJSON returns an empty state: a plan is followed from its beginning.
func (f *follower) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// UnmarshalJSON refuses: a plan cannot be entered half way.
func (f *follower) UnmarshalJSON([]byte) error {
	return errors.New("a plan is followed from its beginning")
}
