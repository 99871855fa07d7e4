package bound

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// TestFirstInstanceFromTheFirstStep: nothing is launched before the start of a run, so
// its first jobs need an instance as all others do. Of four jobs two may be late: a
// fluid pays half an hour's window for the others.
func TestFirstInstanceFromTheFirstStep(t *testing.T) {
	s := &small{cfg: sim.Config{
		Name: "start", Start: time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC),
		Tick: time.Minute, ReferenceSpeed: 1, MaxInstances: 5, Lease: 30 * time.Second, Beat: 10 * time.Second,
		Boot: map[string]sim.BootModel{"": {Model: "fixed"}},
		Catalog: policy.Catalog{Name: "one", Billing: policy.Hourly, Types: []policy.InstanceType{
			{Name: "one", Cores: 1, Slots: 1, Speed: 1, PerHour: 200_000},
		}},
		Classes: []policy.Class{{Name: "upload", Target: 30 * time.Second, Attain: 0.5, On: policy.Wait}},
	}}
	s.jobs.Kinds = []traces.Kind{{Type: "job"}}
	for _, at := range []time.Duration{0, 20, 40, 60} {
		s.jobs.Arrival = append(s.jobs.Arrival, int64(at*time.Second))
		s.jobs.Service = append(s.jobs.Service, int64(time.Second))
		s.jobs.Kind = append(s.jobs.Kind, 0)
	}
	r, err := Compute(context.Background(), &s.cfg, s.open, Options{LowerOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(r.LowerUSD-0.1) > 0.001 {
		t.Errorf("the bound is $ %v, half a window costs 0.1 (%v)", r.LowerUSD, r.Bounds)
	}
}

// TestFirstInstancePaysItsMinute: whoever serves a few jobs by the second pays a
// minute, however much of it a boot takes and however coarse the steps are, and a
// longer boot lowers no bound. A tenth of a cent is ten seconds.
func TestFirstInstancePaysItsMinute(t *testing.T) {
	before := 0.0
	for _, boot := range []int64{0, 1, 10, 30, 59, 60, 61, 90} {
		s := &small{cfg: sim.Config{
			Name: "minute", Start: time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC),
			Tick: time.Minute, ReferenceSpeed: 1, MaxInstances: 5, Lease: 30 * time.Second, Beat: 10 * time.Second,
			Boot: map[string]sim.BootModel{"": {Model: "fixed", Value: time.Duration(boot) * time.Second}},
			Catalog: policy.Catalog{Name: "one", Billing: policy.PerSecond, Types: []policy.InstanceType{
				{Name: "one", Cores: 1, Slots: 1, Speed: 1, PerHour: 360_000},
			}},
			Classes: []policy.Class{{Name: "upload", Target: 400 * time.Second, Attain: 1, On: policy.Wait}},
		}}
		s.jobs.Kinds = []traces.Kind{{Type: "job"}}
		for _, at := range []time.Duration{1, 2, 7} {
			s.jobs.Arrival = append(s.jobs.Arrival, int64(at*time.Second))
			s.jobs.Service = append(s.jobs.Service, int64(2*time.Second))
			s.jobs.Kind = append(s.jobs.Kind, 0)
		}
		r, err := Compute(context.Background(), &s.cfg, s.open, Options{LowerOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		if least := 0.0001 * float64(max(60, boot)); r.LowerUSD < least*0.999 || r.LowerUSD < before {
			t.Errorf("boots of %d s: the bound is $ %v, a minute costs $ %v, and it was $ %v for a shorter boot (%v)", boot, r.LowerUSD, least, before, r.Bounds)
		}
		before = r.LowerUSD
	}
}
