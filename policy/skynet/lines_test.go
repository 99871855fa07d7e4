package skynet

import (
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// A line before an urgent one is urgent, whatever its own budget, and planned with
// all of it, and what waits in it to its deadline; one behind it waits for its
// deadline, planned with a share of it.
func TestWhatGoesBeforeAnUrgentLineIsUrgent(t *testing.T) {
	patient := func(priority int) policy.Class {
		return policy.Class{Priority: priority, On: policy.Wait, Target: 40 * time.Minute, Attain: 0.95}
	}
	urgent := policy.Class{Priority: 1, On: policy.Wait, Target: 30 * time.Second, Attain: 0.95}
	w := newWorld(policy.Hourly, []policy.Class{patient(0), urgent, patient(2)})
	if err := w.start(nil); err != nil {
		t.Fatal(err)
	}
	w.kind("batch", 0).perMinute = 10
	w.kind("click", 1).perMinute = 10
	w.kind("late", 2).perMinute = 10
	for range 3 {
		w.apply(w.policy.Step(w.observe()))
		w.pass()
	}
	lines := w.policy.lines
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3", len(lines))
	}
	for i, want := range []struct {
		urgent, patient bool
		budget          float64
	}{{true, true, 2400}, {true, false, 30}, {false, true, 0.8 * 2400}} {
		if ln := &lines[i]; ln.urgent != want.urgent || ln.patient != want.patient || ln.budget != want.budget {
			t.Errorf("line %d: urgent %v, patient %v, budget %v s; want %+v", i, ln.urgent, ln.patient, ln.budget, want)
		}
	}
}

// Per second a job is taken to need what such jobs took lately, by the hour what they
// took over a long time, but for what waits where lately it was much more.
func TestWorkGoesByWhatSuchJobsTookLately(t *testing.T) {
	photos := []policy.Class{{Priority: 1, On: policy.Wait, Target: 30 * time.Second, Attain: 0.95}}
	for _, c := range []struct {
		billing policy.Billing
		service string
		lately  float64 // what such jobs took, in means; 0: nothing is told of it
		waits   float64 // what those that wait are taken to need, in means
		arrived float64
	}{
		{policy.PerSecond, byBilling, 3, 3, 3},
		{policy.PerSecond, byBilling, 0.5, 0.5, 0.5},
		{policy.PerSecond, byBilling, 0, 1, 1},
		{policy.PerSecond, serviceLong, 3, 1, 1},
		{policy.PerSecond, serviceLonger, 3, 3, 1},
		{policy.PerSecond, serviceLonger, 1.4, 1, 1},
		{policy.Hourly, byBilling, 3, 3, 1},
		{policy.Hourly, byBilling, 1.5, 1.5, 1},
		{policy.Hourly, byBilling, 1.4, 1, 1},
		{policy.Hourly, byBilling, 0.5, 1, 1},
		{policy.Hourly, byBilling, 0, 1, 1},
		{policy.Hourly, serviceRecent, 1.4, 1.4, 1.4},
		{policy.Hourly, serviceLong, 3, 1, 1},
	} {
		w := newWorld(c.billing, photos)
		if err := w.start(policy.Values{parService.Name: c.service}); err != nil {
			t.Fatal(err)
		}
		k := w.kind("photo", 1)
		k.perMinute, k.lately = 100, c.lately
		w.pass() // nothing runs yet, so that all waits
		o := w.observe()
		if v := &o.Queue.Kinds[0]; v.Pending.Jobs != 100 || v.LastTick.Jobs != 100 {
			t.Fatalf("%d jobs wait, and %d have arrived, want 100", v.Pending.Jobs, v.LastTick.Jobs)
		}
		w.policy.Step(o)
		each := 100 * k.mean / w.policy.market.unitSpeed
		if got, want := w.policy.waitingWork(), c.waits*each; math.Abs(got-want) > 1e-6*want {
			t.Errorf("%v, service %s, lately %v: %v slot-seconds wait, want %v", c.billing.Name, c.service, c.lately, got, want)
		}
		ln := &w.policy.lines[0]
		if got, want := ln.arrivedHead+ln.arrivedTail, c.arrived*each; math.Abs(got-want) > 1e-6*want {
			t.Errorf("%v, service %s, lately %v: %v slot-seconds have arrived, want %v", c.billing.Name, c.service, c.lately, got, want)
		}
	}
}
