package sim

import (
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// A job that runs three times as long looks like three times the work to whoever
// measures it, on a fast instance as on a slow one, and so do those that finish when
// the fault is over; that a result is held back does not.
func TestSlowWorkIsMeasured(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults []Fault
		want   float64
	}{
		{"usual", []Fault{{Kind: SlowWork, Factor: 3, From: 10 * time.Hour, To: 11 * time.Hour}}, 10},
		{"slow", []Fault{{Kind: SlowWork, Factor: 3, To: 90 * s}}, 30},
		{"fast", []Fault{{Kind: SlowWork, Factor: 0.5, To: 90 * s}}, 5},
		{"held back", []Fault{{Kind: SlowWork, Factor: 3, To: 90 * s}, {Kind: StoreDown, From: 61 * s, To: 170 * s}}, 30},
	} {
		cfg := tiny()
		cfg.Catalog.Types[1].Speed = 2
		cfg.Faults = c.faults
		mean := 0.0
		p := acts(func(o *policy.Observation) policy.Decision {
			for i := range o.Queue.Kinds {
				if v := &o.Queue.Kinds[i].Service; v.Samples == 100 {
					mean = float64(v.Mean)
				}
			}
			if o.Now.Equal(cfg.Start) {
				return launch(50, 50)
			}
			return policy.Decision{}
		})
		var list []job
		for range 100 {
			list = append(list, do(60*s, 10*s))
		}
		list = append(list, do(300*s, 10*s))
		play(t, cfg, p, list...)
		if math.Abs(mean-c.want) > 1e-6 {
			t.Errorf("%s: jobs of 10 s look like %v s of work, want %v", c.name, mean, c.want)
		}
	}
}
