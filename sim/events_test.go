package sim

import (
	"context"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// A crash rate so low that its time lies beyond the calendar is no crash, and
// events of ended instances do not pile up.
func TestRareRates(t *testing.T) {
	cfg := tiny()
	cfg.Catalog.Billing = policy.PerSecond
	cfg.Duration = 10 * 24 * time.Hour
	cfg.Faults = []Fault{{Kind: Crash, Rate: 1e-9}, {Kind: Crash, Rate: 1e-2}}
	next := policy.InstanceID(0)
	p := acts(func(o *policy.Observation) policy.Decision {
		d := launch(10)
		for i := range o.Fleet.Instances {
			d.Drains = append(d.Drains, o.Fleet.Instances[i].ID)
		}
		next += 10
		return d
	})
	e, err := newEngine(cfg, p, newJobs(nil), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if e.launched < 100_000 || len(e.rare.items) > 5_000 {
		t.Errorf("after %d launches, %d of them alive, %d events are kept", e.launched, len(e.alive), len(e.rare.items))
	}
}
