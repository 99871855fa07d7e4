package skynet

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// world is a small fluid world for stories: jobs arrive and are served in whole
// minutes, first come first served by priority, on instances that boot after a
// fixed lag.
type world struct {
	env     policy.Env
	policy  *Policy
	o       policy.Observation
	boot    time.Duration
	nextID  policy.InstanceID
	kinds   []kind
	refuse  map[int]string // by catalog index: why EC2 refuses it
	running int            // slots busy at the end of the last tick
	blind   bool           // the queue cannot be read
	zeroed  bool           // the queue reads zero
}

// kind is a kind of job in the world: what arrives, and who waits since when.
type kind struct {
	typ       string
	priority  int
	mean      float64 // core-seconds
	lately    float64 // what such jobs took lately, in means
	perMinute float64
	swing     float64 // part of it by which arrivals swing, five minutes up and five down
	due       float64 // fraction of a job not yet arrived
	waiting   []cohort
	arrived   [60]int64 // by minute, a ring
	last      int64     // arrivals in the last tick
	started   int64
	late      int64
	known     int64 // completions the estimates rest on
}

type cohort struct {
	at   time.Time
	jobs float64
}

var monday = time.Date(2008, 6, 2, 7, 0, 0, 0, time.UTC)

func newWorld(b policy.Billing, classes []policy.Class) *world {
	c := policy.EC2in2008()
	c.Billing = b
	w := &world{
		env:    policy.Env{Classes: classes, Catalog: c, Tick: time.Minute, BootGuess: 2 * time.Minute},
		boot:   2 * time.Minute,
		refuse: map[int]string{},
	}
	w.o.Now, w.o.Tick = monday, time.Minute
	return w
}

func (w *world) start(v policy.Values) error {
	p, err := New(w.env, v)
	w.policy = p
	return err
}

func (w *world) kind(typ string, priority int) *kind {
	for i := range w.kinds {
		if w.kinds[i].typ == typ && w.kinds[i].priority == priority {
			return &w.kinds[i]
		}
	}
	w.kinds = append(w.kinds, kind{typ: typ, priority: priority, mean: 12.5, lately: 1, known: 1000})
	return &w.kinds[len(w.kinds)-1]
}

// observe builds what the policy sees now.
func (w *world) observe() *policy.Observation {
	o := &w.o
	now := policy.Reading{At: o.Now, Complete: true}
	o.Queue.Reading, o.Fleet.Reading, o.Money.Reading, o.EC2.Reading, o.Health.Reading = now, now, now, now, now
	o.Queue.Kinds = o.Queue.Kinds[:0]
	for i := range w.kinds {
		o.Queue.Kinds = append(o.Queue.Kinds, w.view(&w.kinds[i]))
	}
	o.Queue.Complete = !w.blind
	w.observeFleet()
	if w.zeroed {
		for i, k := range o.Queue.Kinds {
			o.Queue.Kinds[i] = policy.KindView{Type: k.Type, Priority: k.Priority, Class: k.Class, Service: k.Service}
		}
	}
	return o
}

func (w *world) view(k *kind) policy.KindView {
	v := policy.KindView{
		Type: k.typ, Priority: k.priority, Class: policy.ClassOf(w.env.Classes, k.typ, k.priority),
		LastTick: policy.Flow{Jobs: k.last, Work: policy.CoreSeconds(float64(k.last) * k.mean)},
		Started:  k.started, StartedLate: k.late,
		Service: policy.ServiceView{Samples: k.known, Mean: policy.CoreSeconds(k.mean), P95: policy.CoreSeconds(2 * k.mean), SCV: 1},
	}
	for i := range k.arrived {
		v.Arrived[3].Jobs += k.arrived[i]
	}
	for i := len(k.waiting) - 1; i >= 0; i-- {
		c := k.waiting[i]
		jobs, age := int64(math.Ceil(c.jobs)), w.o.Now.Sub(c.at)
		if jobs == 0 {
			continue
		}
		v.Pending.Jobs += jobs
		v.PendingByAge = append(v.PendingByAge, policy.AgeCount{Age: age, Jobs: jobs})
		v.OldestWait = max(v.OldestWait, age)
	}
	v.Pending.Work = policy.CoreSeconds(float64(v.Pending.Jobs) * k.mean)
	v.PendingLately = policy.CoreSeconds(k.lately * float64(v.Pending.Work))
	v.LastTickLately = policy.CoreSeconds(k.lately * float64(v.LastTick.Work))
	return v
}

func (w *world) observeFleet() {
	o := &w.o
	f := &o.Fleet
	f.ReadySlots, f.BusySlots, f.BootingSlots = 0, 0, 0
	f.Boot = policy.BootView{Samples: 100, P50: w.boot, P99: w.boot}
	for i := range f.Instances {
		in := &f.Instances[i]
		in.PaidUntil = w.env.Catalog.Billing.PaidUntil(in.LaunchedAt, o.Now)
		if in.Phase != policy.Lost {
			in.LastSeen = o.Now
		}
		switch in.Phase {
		case policy.Ready:
			f.ReadySlots += in.Slots
			f.BusySlots += in.Busy
		case policy.Booting:
			f.BootingSlots += in.Slots
			in.LastSeen = time.Time{}
		}
	}
	f.Freeing = f.Freeing[:0]
	if f.BusySlots > 0 {
		f.Freeing = append(f.Freeing, policy.FreeCount{After: policy.FreeStep, Capacity: 2.5 * float64(f.BusySlots)})
	}
	if len(o.Queue.Kinds) > 0 { // all that runs is of the first kind
		o.Queue.Kinds[0].InFlight.Jobs = int64(w.running)
	}
}

// launch adds instances as EC2 would: refused types go to their substitutes.
func (w *world) launch(l policy.Launch) (launched int) {
	left := w.runInstances(l.Type, l.Count)
	launched = l.Count - left
	for _, sub := range l.Else {
		if left == 0 || w.refuse[l.Type] != "capacity" {
			break
		}
		n := sub.Count(left)
		left = w.runInstances(sub.Type, n)
		launched += n - left
	}
	return launched
}

func (w *world) runInstances(typ, n int) (refused int) {
	if why := w.refuse[typ]; why != "" {
		w.o.EC2.Refusals = append(w.o.EC2.Refusals, policy.Refusal{Type: typ, At: w.o.Now, Asked: n, Refused: n, Why: why})
		return n
	}
	for range n {
		w.add(typ, w.o.Now, policy.Booting)
	}
	return 0
}

func (w *world) add(typ int, at time.Time, phase policy.Phase) {
	w.o.Fleet.Instances = append(w.o.Fleet.Instances, policy.Instance{
		ID: w.nextID, Type: typ, Phase: phase, LaunchedAt: at, Slots: w.env.Catalog.Types[typ].Slots,
	})
	w.nextID++
}

// apply does what was decided.
func (w *world) apply(d policy.Decision) (launched int) {
	instances := w.o.Fleet.Instances
	for _, id := range d.Undrains {
		for i := range instances {
			if instances[i].ID == id {
				instances[i].Phase = policy.Ready
			}
		}
	}
	kept := instances[:0]
	for _, in := range instances {
		for _, id := range d.Drains {
			if in.ID == id {
				in.Phase = policy.Draining
			}
		}
		if in.Phase != policy.Draining || in.Busy > 0 {
			kept = append(kept, in)
		}
	}
	w.o.Fleet.Instances = kept
	for _, l := range d.Launches {
		launched += w.launch(l)
	}
	return launched
}

// pass lets a minute go by: boots end, jobs arrive and are served.
func (w *world) pass() {
	o := &w.o
	o.Now = o.Now.Add(time.Minute)
	capacity := 0.0
	kept := o.Fleet.Instances[:0]
	for _, in := range o.Fleet.Instances {
		if in.Phase == policy.Draining {
			continue // its last job has ended
		}
		if in.Phase == policy.Booting && o.Now.Sub(in.LaunchedAt) >= w.boot && !in.LaunchedAt.Before(monday) {
			in.Phase = policy.Ready
		}
		if in.Phase == policy.Ready {
			capacity += float64(in.Slots) * w.env.Catalog.Types[in.Type].Speed * 60
		}
		kept = append(kept, in)
	}
	o.Fleet.Instances = kept
	minute := o.Now.Unix() / 60 % 60
	room := capacity
	for i := range w.kinds { // in the order they were declared: by priority
		k := &w.kinds[i]
		if minute/5%2 == 0 {
			k.due += k.perMinute * (1 + k.swing)
		} else {
			k.due += k.perMinute * (1 - k.swing)
		}
		k.last = int64(k.due)
		k.due -= float64(k.last)
		k.arrived[minute] = k.last
		if k.last > 0 {
			k.waiting = append(k.waiting, cohort{o.Now.Add(-30 * time.Second), float64(k.last)})
		}
		room = w.serve(k, room)
	}
	busy := int(math.Ceil((capacity - room) / 60 / 2.5))
	w.running = 0
	for i := range o.Fleet.Instances {
		if in := &o.Fleet.Instances[i]; in.Phase == policy.Ready {
			in.Busy = min(busy, in.Slots)
			busy -= in.Busy
			w.running += in.Busy
		}
	}
}

// serve starts the oldest jobs of a kind and returns what is left of the room.
func (w *world) serve(k *kind, room float64) float64 {
	k.started, k.late = 0, 0
	class := policy.ClassOf(w.env.Classes, k.typ, k.priority)
	for i := range k.waiting {
		c := &k.waiting[i]
		jobs := min(c.jobs, room/k.mean)
		room -= jobs * k.mean
		c.jobs -= jobs
		k.started += int64(math.Round(jobs))
		if class >= 0 && w.o.Now.Sub(c.at) > w.env.Classes[class].Target {
			k.late += int64(math.Round(jobs))
		}
	}
	kept := k.waiting[:0]
	for _, c := range k.waiting {
		if c.jobs > 1e-6 {
			kept = append(kept, c)
		}
	}
	k.waiting = kept
	return room
}
