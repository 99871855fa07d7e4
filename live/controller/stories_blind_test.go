package controller_test

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
)

// The queue's numbers read zero for ten minutes, without an error, while the
// workers work: kubernetes#104387, keda#1850 and #2244, risk 9 of jitsi's
// autoscaler. Others ended their fleets. Nothing is launched or ended, and the
// reason says so.
func TestStoryQueueReadsZero(t *testing.T) {
	story(t, func(w *world, r *region) {
		zero := false
		q := &distorted{w, func(o api.Observed) api.Observed {
			if zero {
				o.Kinds, o.Workers, o.BusyS = nil, nil, 0
			}
			return o
		}}
		c := w.config("a")
		c.Queue = q
		k := w.open(c)
		w.minutes(k, 50, 8)
		alive := len(r.Alive())
		zero = true
		blind := w.minutes(k, 10, 8)
		held(t, blind)
		zero = false
		if n := len(r.Alive()); n != alive {
			t.Errorf("%d instances became %d", alive, n)
		}
		w.minutes(k, 5, 8)
		w.finished(k, 10)
		w.unharmed()
	})
}

// Lists fail, or break off after their first page, and what is missing is
// launched a second time: KEDA's scale_jobs.go, risks 4 and 13 of jitsi's
// autoscaler, cluster-api-provider-aws#2915. What is not listed is unknown; the
// controller's own ledger counts.
func TestStoryListFailsOrBreaksOff(t *testing.T) {
	storyWith(t, func(*world) {}, func(c *cloud.Config) { c.PageMax = 2 }, func(w *world, r *region) {
		c := w.config("a")
		steady(w, &c, 7, "m1.small")
		k := w.open(c)
		w.minutes(k, 8, 1)
		if n := r.ever(); n != 7 || len(k.Observation().Fleet.Instances) != 7 {
			t.Fatalf("%d launched, %d known, 7 wanted", n, len(k.Observation().Fleet.Instances))
		}
		for minute := range 20 {
			if minute%2 == 0 { // the first page fails; or the second, of four
				r.Break(fleet.Listing, fleet.ErrorBefore)
			} else {
				r.fault(cloud.ActionFault{Action: "DescribeInstances", Code: "RequestLimitExceeded", Count: 1, From: time.Now(), Probability: 0.5})
			}
			held(t, w.minutes(k, 1, 1))
			if n := len(k.Observation().Fleet.Instances); n != 7 {
				t.Fatalf("%d instances are known, there are 7", n)
			}
		}
		r.weather(sim.Fault{Kind: sim.Zero, Signals: []string{"fleet"}, To: 10 * time.Minute}) // and now an empty list that claims to be whole
		held(t, w.minutes(k, 10, 1))
		w.minutes(k, 5, 0)
		if n := r.ever(); n != 7 {
			t.Errorf("%d launched, 7 wanted", n)
		}
		w.unharmed()
	})
}

// A number stays as high as it was when its source broke, and the fleet grows for
// it: actions-runner-controller#4397. A reading that is old holds, whatever it
// says; and what the workers report themselves contradicts it.
func TestStoryMetricStuckHigh(t *testing.T) {
	story(t, func(w *world, r *region) {
		var stuck *api.Observed
		freeze := false
		c := w.config("a")
		c.Queue = &distorted{w, func(o api.Observed) api.Observed {
			if !freeze {
				return o
			}
			if stuck == nil {
				stuck = &o
			}
			return *stuck
		}}
		k := w.open(c)
		w.minutes(k, 30, 2)
		w.submit(1000)
		w.submit(1000)
		freeze = true
		w.minutes(k, 4, 0)
		alive := len(r.Alive())
		results := w.minutes(k, 60, 0)
		held(t, results)
		if n := len(r.Alive()); n != alive {
			t.Errorf("%d instances became %d by a number that was stuck", alive, n)
		}
		freeze = false
		w.finished(k, 30)
		w.minutes(k, 70, 0)
		if n := len(r.Alive()); n >= alive {
			t.Errorf("%d instances an hour after the last job, there were %d", n, alive)
		}
	})
}

// Instances run and never become workers: a bad image, or bad user-data.
// jitsi#160, karpenter-provider-aws#2854, github-aws-runners#3493 (a fifth of
// them), convox/rack#2724 (up to EC2's limit). After so many the circuit opens:
// one at a time is launched, to probe; and once one works all is as before.
func TestStoryWorkersNeverRegister(t *testing.T) {
	story(t, func(w *world, r *region) {
		k := w.open(w.config("a"))
		w.minutes(k, 30, 1)
		before := r.ever()
		r.weather(sim.Fault{Kind: sim.DeadBoot, Probability: 1, To: 2 * time.Hour})
		open := 0
		for minute, x := range w.minutes(k, 110, 12) {
			if because(x, "guard.breaker.boots") {
				open++
			}
			if minute > 20 && x.Outcome.Launched > 1 {
				t.Errorf("minute %d: %d launched at once while none becomes a worker", minute, x.Outcome.Launched)
			}
		}
		dead := r.ever() - before
		t.Logf("%d launched in 110 minutes without one that worked; the circuit was open at %d ticks", dead, open)
		if limit := w.guard.BreakerBoots + w.guard.LaunchMax + 110/5; open == 0 || dead > limit {
			t.Errorf("%d launched, at most %d; the circuit was open at %d ticks", dead, limit, open)
		}
		w.minutes(k, 20, 12) // the image is mended at 120
		w.finished(k, 60)
	})
}

// What was just launched is not found for minutes, or shown as it was: boto3#2556
// and #4386, ray#51861. It counts, is not launched again, and not lost.
func TestStoryEventualConsistency(t *testing.T) {
	story(t, func(w *world, r *region) {
		r.look(func(c *cloud.Cloud) { c.SetListLag(90 * time.Second) })
		c := w.config("a")
		steady(w, &c, 6, "m1.small")
		k := w.open(c)
		for _, x := range w.minutes(k, 30, 1) {
			for _, f := range x.Found {
				t.Errorf("decision %d: %s: %s", x.Decision, f.Kind, f.Text)
			}
			if n := len(k.Observation().Fleet.Instances); n > 6 {
				t.Errorf("decision %d: %d instances counted, 6 wanted", x.Decision, n)
			}
		}
		if n := r.ever(); n != 6 {
			t.Errorf("%d launched, 6 wanted", n)
		}
		// one that EC2 does not find is not gone
		number := k.Observation().Fleet.Instances[0].ID
		r.fault(cloud.ActionFault{Action: "TerminateInstances", Code: "InvalidInstanceID.NotFound", To: time.Now().Add(3 * time.Minute)})
		c = w.config("b")
		steadyBut(w, &c, 6, number)
		k = w.open(c)
		w.minutes(k, 2, 0)
		if n := len(k.Observation().Fleet.Instances); n != 6 {
			t.Errorf("%d instances are known after EC2 did not find one: it is asked again", n)
		}
		w.minutes(k, 10, 0)
		if n := len(r.Alive()); n != 5 {
			t.Errorf("%d instances are alive, one of 6 was drained", n)
		}
		w.unharmed()
	})
}

// drainOne is a policy that drains one instance, once.
type drainOne struct {
	policy.Policy
	number policy.InstanceID
	done   bool
}

func (p *drainOne) Step(o *policy.Observation) policy.Decision {
	if p.done {
		return policy.Decision{}
	}
	p.done = true
	return policy.Decision{Drains: []policy.InstanceID{p.number}}
}

// steadyBut drains one instance of a steady fleet, and replaces none.
func steadyBut(w *world, c *controller.Config, n int, number policy.InstanceID) {
	steady(w, c, n, "m1.small")
	made := c.Policy
	c.Policy = func() (policy.Policy, error) {
		p, err := made()
		return &drainOne{Policy: p, number: number}, err
	}
}

// What the queue counted while it could not be read is booked once, when it can be
// read again: a tick that knows of nothing busy is no slack.
func TestStoryBlindTimeIsNoSlack(t *testing.T) {
	story(t, func(w *world, _ *region) {
		k := w.open(w.config("a"))
		w.minutes(k, 20, 8)
		w.deaf = true
		w.minutes(k, 15, 8)
		before := k.Observation().History
		w.minutes(k, 1, 8)
		if h := k.Observation().History; h.ReadySlotSeconds != before.ReadySlotSeconds || h.BusySlotSeconds != before.BusySlotSeconds {
			t.Errorf("a blind minute is booked: %.0f of %.0f slot-seconds busy, before it %.0f of %.0f",
				h.BusySlotSeconds, h.ReadySlotSeconds, before.BusySlotSeconds, before.ReadySlotSeconds)
		}
		w.deaf = false
		last := w.minutes(k, 1, 8)
		counted, err := w.queue.Observe(api.ObserveRequest{})
		if err != nil {
			t.Fatal(err)
		}
		minute := 60 * float64(k.Observation().Fleet.ReadySlots) // the queue was asked at the decision, and again now
		h := k.Observation().History
		if h.ReadySlotSeconds > counted.ReadyS || h.ReadySlotSeconds < counted.ReadyS-2*minute || h.BusySlotSeconds < counted.BusyS-2*minute {
			t.Errorf("decision %d: %.0f of %.0f slot-seconds are busy, the queue has counted %.0f of %.0f",
				last[0].Decision, h.BusySlotSeconds, h.ReadySlotSeconds, counted.BusyS, counted.ReadyS)
		}
	})
}
