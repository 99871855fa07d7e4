package sim

import (
	"context"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Instances that stand at the start run jobs from time 0, and are billed from the
// first window that begins in the run: here 30 of 60 minutes are paid before.
func TestStandingInstances(t *testing.T) {
	cfg := tiny()
	cfg.Duration = 2 * time.Hour
	cfg.Standing = []Standing{
		{Type: 0, Count: 1, Age: 30 * time.Minute},
		{Type: 1, Count: 1, Age: time.Minute, ReadyIn: 90 * time.Second},
	}
	var first policy.Observation
	decide := acts(func(o *policy.Observation) policy.Decision {
		if o.Now.Equal(cfg.Start) {
			first = *o
			first.Fleet.Instances = append([]policy.Instance(nil), o.Fleet.Instances...)
		}
		return policy.Decision{}
	})
	var rows jobRows
	src := newJobs([]job{{0, int64(10 * s), "x", 0}, {0, int64(200 * s), "x", 0}, {int64(s), int64(5 * s), "x", 0}, {int64(11 * s), int64(s), "x", 0}})
	r, err := Run(context.Background(), cfg, decide, src, Options{Check: true, Jobs: &rows})
	if err != nil {
		t.Fatal(err)
	}
	in := first.Fleet.Instances
	if len(in) != 2 || in[0].Phase != policy.Ready || in[1].Phase != policy.Booting || !in[0].PaidUntil.Equal(cfg.Start.Add(30*time.Minute)) {
		t.Fatalf("the first observation shows %+v", in)
	}
	if rows[0].Start != 0 || rows[1].Start != 10*s || rows[1].Instance != 0 || rows[2].Start != 90*s || rows[2].Instance != 1 {
		t.Errorf("jobs ran so: %+v", rows)
	}
	// a: windows that begin at 30 and 90 minutes; b: at 59 and 119
	if got, want := r.Figures.CostUSD, 4*0.36; got != want {
		t.Errorf("cost %v, want %v", got, want)
	}
	if f := r.Figures; f.HoursPaid != 4 || f.Instances.Launched != 0 || f.Instances.Max != 2 {
		t.Errorf("%v hours paid, instances %+v", f.HoursPaid, f.Instances)
	}
}

// An instance that stands since the very instant of a script's first step, and
// is of the step's type, is not one that the script launched and drains.
func TestStandingInstancesAreNotTheScripts(t *testing.T) {
	cfg := tiny()
	cfg.Duration = time.Hour
	cfg.Standing = []Standing{{Type: 0, Count: 2}}
	script, err := policy.NewScripted(policy.Env{Catalog: cfg.Catalog}, []policy.Step{
		{Launch: 1, Type: cfg.Catalog.Types[0].Name, Keep: 10 * time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	var drained []policy.InstanceID
	decide := acts(func(o *policy.Observation) policy.Decision {
		d := script.Step(o)
		drained = append(drained, d.Drains...)
		return d
	})
	if _, err := Run(context.Background(), cfg, decide, newJobs([]job{{0, int64(10 * s), "x", 0}}), Options{Check: true}); err != nil {
		t.Fatal(err)
	}
	if len(drained) != 1 || drained[0] != 2 {
		t.Errorf("drained %v, want the third instance", drained)
	}
}

// What EC2 takes back in a window that was paid before the run costs the run
// nothing, and gives nothing back.
func TestStandingSpotTakenBackInAPaidWindow(t *testing.T) {
	for _, billing := range []policy.Billing{policy.Hourly, policy.PerSecond} {
		for _, age := range []time.Duration{0, 20 * s, 20 * time.Minute, 90 * time.Minute} {
			cfg := tiny()
			cfg.Catalog.Billing, cfg.Duration = billing, 2*time.Hour
			cfg.Spot = &SpotMarket{Notice: 10 * s, Series: map[string][]PricePoint{"a": {{0, 36_000}}}}
			cfg.Standing = []Standing{{Count: 1, Market: policy.Spot, Age: age}}
			cfg.Faults = []Fault{{Kind: Interrupt, From: 20 * s, To: 21 * s}}
			cost, hours := 0.0, 0.0
			if age >= time.Hour && billing == policy.PerSecond { // past the hour that is free
				cost, hours = 0.0003, 30.0/3600
			}
			f, _ := follow(t, cfg, nil)
			if f.CostUSD != cost || f.HoursPaid != hours || f.Instances.Interrupted != 1 {
				t.Errorf("%v, age %v: cost $ %v and %v hours, want $ %v and %v; %d interrupted", billing, age, f.CostUSD, f.HoursPaid, cost, hours, f.Instances.Interrupted)
			}
		}
	}
}
