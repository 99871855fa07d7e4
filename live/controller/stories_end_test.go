package controller_test

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim/cloud"
)

// planned is a policy that decides by a script: what it is asked at every tick.
type planned struct {
	policy.Policy
	step func(*policy.Observation) policy.Decision
}

func (p *planned) Step(o *policy.Observation) policy.Decision { return p.step(o) }

// plan lets a controller decide by a script.
func plan(w *world, c *controller.Config, step func(*policy.Observation) policy.Decision) {
	steady(w, c, 0, "m1.small")
	made := c.Policy
	c.Policy = func() (policy.Policy, error) {
		p, err := made()
		return &planned{p, step}, err
	}
}

// The fleet shrinks, and before what drains is gone the load is back: escalator
// untaints, woodpecker#157 launched new agents beside those that were draining.
// A drain is taken back before anything is launched: it is free and at once.
func TestStoryLoadReturnsDuringADrain(t *testing.T) {
	story(t, func(w *world, r *region) {
		k := w.open(w.config("a"))
		w.drainsBusy(k)
		w.submit(200) // the load is back at once
		back := 0
		for range 4 {
			x := w.minutes(k, 1, 10)[0]
			back += x.Outcome.Undrained
			if still := w.draining(k); x.Decided.Instances() > 0 && still > x.Outcome.Undrained {
				t.Errorf("decision %d launches %d and takes %d of %d back that drain", x.Decision, x.Decided.Instances(), x.Outcome.Undrained, still)
			}
		}
		if back == 0 {
			t.Error("nothing was taken back")
		}
		w.stuck = 0
		w.finished(k, 60)
		w.unharmed()
	})
}

// An instance drains at the end of its paid hour, its job runs into the next one,
// and the hour is paid for nothing: woodpecker#645. Once the next window has
// begun it is kept for as long as it is paid. No instance ends early in a window.
func TestStoryDrainCrossesTheHour(t *testing.T) {
	story(t, func(w *world, r *region) {
		k := w.open(w.config("a"))
		crossed, back := 0, 0
		for range 10 { // most drains of a crowd are taken back before their hour ends
			w.drainsBusy(k)
			for range 20 {
				before := k.Observation().Fleet.Instances
				paid := map[policy.InstanceID]time.Time{}
				for _, in := range before {
					if in.Phase == policy.Draining && in.Busy > 0 {
						paid[in.ID] = in.PaidUntil
					}
				}
				x := w.minutes(k, 1, 0)[0]
				back += x.Outcome.Undrained
				for _, in := range k.Observation().Fleet.Instances {
					if was, drained := paid[in.ID]; drained && in.PaidUntil.After(was) {
						crossed++
					}
				}
			}
			if w.stuck = 0; crossed > 0 {
				break
			}
		}
		if crossed == 0 || back < crossed {
			t.Errorf("%d drains ran over the end of the hour, %d were taken back", crossed, back)
		}
		w.minutes(k, 100, 0)
		if len(r.lives()) == 0 {
			t.Error("no instance ended")
		}
		for id, lived := range r.lives() { // map order: each stands by itself
			if into := lived % time.Hour; into < 50*time.Minute {
				t.Errorf("%s ended %s into a window that is paid", id, into)
			}
		}
		w.finished(k, 60)
		w.unharmed()
	})
}

// drainsBusy lets a crowd come and go, and then jobs that take far longer than
// any before, until instances drain while such jobs run on them.
func (w *world) drainsBusy(k *controller.Controller) {
	w.t.Helper()
	w.minutes(k, 15, 12)
	w.minutes(k, 30, 1)
	w.stuck = 25 * time.Minute
	for range 60 {
		w.submit(2)
		time.Sleep(time.Second) // they have begun when the tick looks
		before := len(w.region.Alive())
		x := w.minutes(k, 1, 0)[0]
		if x.Outcome.Drained > before-len(w.region.Alive()) { // the idle ones are gone by now
			return
		}
	}
	w.t.Fatal("nothing drained while it was busy")
}

// draining counts what drained when the last tick began.
func (w *world) draining(k *controller.Controller) (n int) {
	for _, in := range k.Observation().Fleet.Instances {
		if in.Phase == policy.Draining {
			n++
		}
	}
	return n
}

// A worker that works is ended: as idle, because a job began between the decision
// and the deed; or as nobody's, because the ledger does not know it.
// github-aws-runners#4391 and #3802, actions-runner-controller#4000,
// gitlab#552226, woodpecker#50. The queue is asked again right before the end,
// and whatever holds a lease is left to finish it.
func TestStoryBusyWorkerKilledAsIdle(t *testing.T) {
	storyWith(t, func(w *world) { w.run = 25 * time.Second }, nil, func(w *world, r *region) {
		c := w.config("a")
		var drain []policy.InstanceID
		want := 4
		plan(w, &c, func(o *policy.Observation) (d policy.Decision) {
			if want > 0 {
				d.Launches = []policy.Launch{{Type: w.env.Catalog.Index("m1.small"), Count: want}}
				want = 0
			}
			d.Drains, drain = drain, nil
			return d
		})
		k := w.open(c)
		w.minutes(k, 4, 0)
		for i := range 4 { // each is idle when it is decided, and gets a job in the same instant
			drain = []policy.InstanceID{k.Observation().Fleet.Instances[0].ID}
			w.submit(4 - i)
			w.minutes(k, 3, 0)
			if n := len(r.Alive()); n != 3-i {
				t.Errorf("%d instances are alive after %d drains", n, i+1)
			}
		}
		w.finished(k, 1)
		w.unharmed()
	})
}

func TestStoryBusyWorkerKilledAsOrphan(t *testing.T) {
	storyWith(t, func(w *world) { w.run = 4 * time.Minute }, nil, func(w *world, r *region) {
		c := w.config("a")
		steady(w, &c, 2, "m1.small")
		first := w.open(c)
		w.submit(4)
		w.minutes(first, 4, 0)
		busy := r.Alive()
		w.store = controller.NewMemory(time.Now) // the store is lost, and everything that was known
		c = w.config("b")
		steady(w, &c, 2, "m1.small")
		k := w.open(c)
		for range 30 {
			before := w.queue.Stats("").Totals.Lost
			w.minutes(k, 1, 0)
			if lost := w.queue.Stats("").Totals.Lost; lost > before {
				t.Fatalf("%d jobs were cut off: their instances were ended as nobody's", lost-before)
			}
		}
		for _, id := range busy {
			r.look(func(c *cloud.Cloud) {
				if in := c.Instance(id); in != nil && in.State() <= cloud.Running {
					t.Errorf("%s of the fleet that was forgotten still runs", id)
				}
			})
		}
		if n := len(r.Alive()); n != 2 {
			t.Errorf("%d instances are alive, 2 wanted", n)
		}
		w.finished(k, 30)
		w.unharmed()
	})
}

// What drains counts as capacity, and nothing is launched for the jobs that wait:
// buildkite's elastic stack #39 and #346. It is no capacity, and it does count
// against the cap until it is gone.
func TestStoryDrainingCountsAsCapacity(t *testing.T) {
	storyWith(t, func(w *world) { w.run = 5 * time.Minute }, nil, func(w *world, r *region) {
		const fleetMax = 5
		w.guard = policy.Bounded(fleetMax)
		w.guard.LaunchMax, w.guard.InFlightMax, w.guard.DrainMax = fleetMax, fleetMax, 3
		c := w.config("a")
		var drain []policy.InstanceID
		want := 4
		plan(w, &c, func(o *policy.Observation) (d policy.Decision) {
			d.Launches = []policy.Launch{{Type: w.env.Catalog.Index("m1.small"), Count: want}}
			if want == 0 {
				d.Launches = nil
			}
			d.Drains, drain = drain, nil
			return d
		})
		k := w.open(c)
		w.minutes(k, 1, 0)
		want = 0
		w.submit(4)
		w.minutes(k, 4, 0)
		f := &k.Observation().Fleet
		if f.ReadySlots != 4 || f.BusySlots != 4 {
			t.Fatalf("%d slots are ready and %d busy, of 4", f.ReadySlots, f.BusySlots)
		}
		drain = []policy.InstanceID{f.Instances[0].ID, f.Instances[1].ID, f.Instances[2].ID}
		w.minutes(k, 1, 0)
		drained := 0
		want = 9
		for range 3 {
			x := w.minutes(k, 1, 0)[0]
			f = &k.Observation().Fleet
			drained = max(drained, f.DrainingSlots)
			if f.ReadySlots+f.DrainingSlots+f.BootingSlots > fleetMax || len(r.Alive()) > fleetMax {
				t.Errorf("decision %d: %d ready, %d draining, %d booting, %d alive, capped at %d",
					x.Decision, f.ReadySlots, f.DrainingSlots, f.BootingSlots, len(r.Alive()), fleetMax)
			}
			if f.ReadySlots > len(r.Alive())-f.DrainingSlots {
				t.Errorf("decision %d: %d slots count as ready while %d drain", x.Decision, f.ReadySlots, f.DrainingSlots)
			}
		}
		if drained == 0 {
			t.Error("nothing drained")
		}
		w.minutes(k, 12, 0) // their jobs end, and they leave: there is room again
		if n := len(r.Alive()); n != fleetMax {
			t.Errorf("%d alive once what drained is gone, capped at %d", n, fleetMax)
		}
		w.unharmed()
	})
}
